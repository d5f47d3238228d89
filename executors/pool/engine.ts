/**
 * What runs the jobs of an executor with workers, as the executor sees it.
 *
 * @module
 */

import type { Activity } from "../stats.ts";

/** Runs what is in the queue of an executor. */
export interface Engine {
  /** A job is in the queue. */
  wake(): void;
  /** Starts every worker; resolves when all are ready. */
  start(): Promise<void>;
  /** Takes no more; resolves when all work has ended and all workers are gone. */
  close(cancelFutures: boolean): Promise<void>;
  /** Ends everything at once. */
  terminate(): Promise<void>;
  /** Somebody wants to know when calls begin and end. */
  watch(): void;
  /** What the workers do, and have done. */
  activity(): Activity;
  /** How many calls wait, and what each worker has. */
  describe(): Record<string, unknown>;
}

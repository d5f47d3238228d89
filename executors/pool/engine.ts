/**
 * The engine of an executor with workers, as the executor sees it.
 *
 * @module
 */

import type { Activity } from "../stats.ts";

/** Runs the jobs in the queue of an executor. */
export interface Engine {
  /** A job is in the queue. */
  wake(): void;
  /** Starts all workers; resolves when they are ready. */
  start(): Promise<void>;
  /** No more jobs come; resolves when all have ended and all workers are gone. */
  close(cancelFutures: boolean): Promise<void>;
  /** Ends all jobs and workers at once; resolves when the workers are gone. */
  terminate(): Promise<void>;
  /** From now on, somebody wants to know when calls begin and end. */
  watch(): void;
  /** What the workers do, and have done. */
  activity(): Activity;
  /** How many calls wait and what each worker has, for the console. */
  describe(): Record<string, unknown>;
}

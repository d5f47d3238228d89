/**
 * The starts of the workers of one pool: who waits for them, and when it is of
 * no use to start more.
 *
 * @module
 */

import { WorkerCrashedError } from "../../errors.ts";
import type { WorkerDeath } from "./death.ts";

/** After so many workers in a row that died before they were ready, the next one would most likely do so too. */
export const MAX_FAILED_STARTS = 3;

/**
 * A worker that a Ctrl-C ends before it is ready has not failed. Each Ctrl-C
 * ends one for each place of the pool at most, and nobody presses it more often
 * than this without a worker being ready in between; workers that end
 * themselves by the same signal as they start are not to be started for ever.
 */
const MAX_INTERRUPTIONS = 20;

/**
 * How many workers may die after they were ready, and before they had anything
 * to do, until a `start()` that waits gives up: for a pool whose workers do not
 * last, it would wait for ever.
 */
const MAX_IDLE_DEATHS = 3;

/** Somebody who waits for every worker to be ready. */
interface Starter extends PromiseWithResolvers<void> {
  /** How many workers were ready, and have gone because of their tasks. */
  served: number;
  /** How many workers have died with nothing to do. */
  lost: number;
}

/** The starts of one pool. */
export class Starts {
  readonly #maxWorkers: number;
  readonly #starters = new Set<Starter>();
  /** How many workers in a row were never ready: as they failed, and as Ctrl-C ended them. */
  #failed = 0;
  #interrupted = 0;

  constructor(maxWorkers: number) {
    this.#maxWorkers = maxWorkers;
  }

  /** Whether somebody waits for every worker to be ready. */
  get areAwaited(): boolean {
    return this.#starters.size > 0;
  }

  /** Resolves when every worker is ready. */
  wait(): Promise<void> {
    const starter = { ...Promise.withResolvers<void>(), served: 0, lost: 0 };
    this.#starters.add(starter);
    return starter.promise;
  }

  /** A worker is ready. */
  workerReady(): void {
    this.#failed = this.#interrupted = 0;
  }

  /** A worker that was ready has gone because of its tasks. */
  workerServed(): void {
    for (const starter of this.#starters) starter.served++;
  }

  /** A worker has died; true if no more are to be started. */
  workerDied({ cause, ready, idle, interrupted }: WorkerDeath): boolean {
    if (ready) {
      if (idle) this.#workerLost(cause);
      else this.workerServed();
      return false;
    }
    if (
      interrupted &&
      ++this.#interrupted <= MAX_INTERRUPTIONS * this.#maxWorkers
    ) return false;
    return ++this.#failed === MAX_FAILED_STARTS;
  }

  /** A worker that was ready has died, and had nothing to do. */
  #workerLost(cause: unknown): void {
    for (const starter of this.#starters) {
      if (++starter.lost < MAX_IDLE_DEATHS) continue;
      this.#starters.delete(starter);
      starter.reject(
        new WorkerCrashedError(
          `${MAX_IDLE_DEATHS} workers died before all were ready`,
          cause === undefined ? undefined : { cause },
        ),
      );
    }
  }

  /**
   * Tells those whose wait is over, as so many workers are ready, or by an
   * error if no more workers will be; returns whether those were the last who
   * waited.
   */
  settle(ready: number, error: (() => Error) | undefined): boolean {
    if (!this.areAwaited) return false;
    for (const starter of this.#starters) {
      if (ready + starter.served >= this.#maxWorkers) starter.resolve();
      else if (error !== undefined) starter.reject(error());
      else continue;
      this.#starters.delete(starter);
    }
    return !this.areAwaited;
  }
}

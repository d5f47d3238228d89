/**
 * Ends calls that run for longer than their options allow. Each such call is a
 * job of its own, as it has to be heard of when the call is entered.
 *
 * @module
 */

import { TimeoutError } from "../errors.ts";
import { startDeadline } from "../runtime/timer.ts";
import { nameOf } from "../text.ts";
import type { Job } from "./job.ts";

/** Why a call is stopped that has run for longer than its options allow. */
export function overtimeError({ fn, options }: Job): TimeoutError {
  return new TimeoutError(
    `Task ${nameOf(fn)} ran longer than its timeout of ${options.timeout} ms`,
  );
}

/**
 * Starts the clock of a call that is about to be entered.
 *
 * @param job The job, which has one call.
 * @returns Stops the clock.
 */
export function startOvertime(job: Job): () => void {
  return startDeadline(job.options.timeout, () => {
    const error = overtimeError(job);
    const { holder } = job;
    if (job.reject(error)) holder?.stop(job, error);
  });
}

/** Hands a job on: as it is, or call by call if each has a clock. */
export function enqueueTimed(job: Job, enqueue: (job: Job) => void): void {
  while (job.options.timeout < Infinity && job.count > 1) {
    const rest = job.split(1);
    enqueue(job);
    job = rest;
  }
  enqueue(job);
}

/**
 * The clocks of calls that run, where one sink has many.
 *
 * @typeParam Key What tells a call from others.
 */
export class Overtimes<Key> {
  /** Stop the clocks. */
  readonly #stops = new Map<Key, () => void>();

  /**
   * A call is about to be entered, or has been, which is a job of its own if it
   * has a clock.
   */
  start(key: Key, job: Job): void {
    if (job.options.timeout === Infinity || this.#stops.has(key)) return;
    this.#stops.set(key, startOvertime(job));
  }

  /** Stops the clock of a call; false if it has none, or has been stopped. */
  stop(key: Key): boolean {
    if (this.#stops.size === 0) return false;
    this.#stops.get(key)?.();
    return this.#stops.delete(key);
  }
}

/**
 * What ends a submitted call before its function does: a signal, or a time-out
 * that counts from the call's start.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../errors.ts";
import { control, type Future } from "../future.ts";
import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import { startDeadline } from "../runtime/timer.ts";
import { nameOf } from "../text.ts";
import type { Job, JobGuard } from "./job.ts";

/** Settles the future of a job at once, and has the holder stop the function. */
export class StopGuard implements JobGuard, AbortWaiter {
  readonly #job: Job<Future<unknown>>;
  #stopTimer: (() => void) | undefined;

  private constructor(job: Job<Future<unknown>>) {
    this.#job = job;
  }

  /** The guard of a job whose options have a signal or a time-out; with a signal that was aborted before, the job is cancelled. */
  static of(job: Job<Future<unknown>>): StopGuard {
    const { signal } = job.options;
    const guard = new StopGuard(job);
    if (signal?.aborted) guard.signalAborted();
    else if (signal !== undefined) onAbort(signal, guard);
    return guard;
  }

  start(): void {
    const { timeout } = this.#job.options;
    if (timeout === Infinity) return;
    this.#stopTimer = startDeadline(timeout, () => {
      const error = new TimeoutError(
        `Task ${
          nameOf(this.#job.fn)
        } ran longer than its timeout of ${timeout} ms`,
      );
      const { target, holder } = this.#job;
      if (control.reject(target, error)) holder?.stop(this.#job, error);
    });
  }

  /** A long-lived signal must not collect the guards of tasks long done. */
  end(): void {
    const { signal } = this.#job.options;
    if (signal !== undefined) offAbort(signal, this);
    this.#stopTimer?.();
  }

  signalAborted(): void {
    const { target, options, fn } = this.#job;
    const { reason } = options.signal!;
    if (target.cancel(reason)) return;
    const error = new CancelledError(
      `Task ${nameOf(fn)} was stopped by its signal`,
      { cause: reason },
    );
    const { holder } = this.#job;
    if (control.stop(target, error)) holder?.stop(this.#job, error);
  }
}

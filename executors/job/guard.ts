/**
 * Ends a submitted call before its function does: by a signal, or by a time-out
 * that counts from the start of the call.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../errors.ts";
import { control, type Future } from "../future.ts";
import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import { startDeadline } from "../runtime/timer.ts";
import { nameOf } from "../text.ts";
import type { Job } from "./job.ts";

/** Settles the future of a job at once, and has the holder of the job stop the function. */
export class StopGuard implements AbortWaiter {
  readonly #job: Job<Future<unknown>>;
  #stopTimer: (() => void) | undefined;

  /**
   * Guards the call of a job by its options. Cancels the job if their signal is
   * aborted already.
   */
  constructor(job: Job<Future<unknown>>) {
    this.#job = job;
    const { signal } = job.options;
    control.observe(job.target, () => this.#end());
    if (signal?.aborted) this.signalAborted();
    else if (signal !== undefined) onAbort(signal, this);
  }

  /** The call is about to be entered. */
  start(): void {
    const { timeout } = this.#job.options;
    if (timeout === Infinity) return;
    this.#stopTimer = startDeadline(timeout, () => {
      const error = overtimeError(this.#job);
      const { holder } = this.#job;
      if (this.#job.reject(error)) holder?.stop(this.#job, error);
    });
  }

  /**
   * Ends the guard with its future: a long-lived signal must not collect the
   * guards of old tasks.
   */
  #end(): void {
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

/** Why a call is stopped that has run for longer than its options allow. */
export function overtimeError({ fn, options }: Job): TimeoutError {
  return new TimeoutError(
    `Task ${nameOf(fn)} ran longer than its timeout of ${options.timeout} ms`,
  );
}

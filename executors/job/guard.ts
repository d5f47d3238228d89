/**
 * Ends a submitted call before its function does: by a signal, or by a time-out
 * that counts from the start of the call.
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import { control, type Future } from "../future.ts";
import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import { nameOf } from "../text.ts";
import type { Job } from "./job.ts";
import { startOvertime } from "./overtime.ts";

/** Settles the future of a job at once, and has the holder of the job stop the function. */
export class StopGuard implements AbortWaiter {
  /** The job of the present attempt. */
  #job: Job<Future<unknown>>;
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

  /** The call is about to be entered, by this job. */
  start(job: Job<Future<unknown>>): void {
    this.#job = job;
    this.rest();
    const { timeout } = job.options;
    if (timeout === Infinity) return;
    this.#stopTimer = startOvertime(job);
  }

  /** The call does not run for now; this job is its next attempt. */
  follow(job: Job<Future<unknown>>): void {
    this.#job = job;
    this.rest();
  }

  /** Stops the clock of the call. */
  rest(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /**
   * Ends the guard with its future: a long-lived signal must not collect the
   * guards of old tasks.
   */
  #end(): void {
    const { signal } = this.#job.options;
    if (signal !== undefined) offAbort(signal, this);
    this.rest();
  }

  signalAborted(): void {
    const { target, options, fn } = this.#job;
    const { reason } = options.signal!;
    if (target.cancel(reason)) return;
    const error = new CancelledError(
      `Task ${nameOf(fn)} was stopped by its signal`,
      { cause: reason },
    );
    const job = this.#job;
    const { holder } = job;
    if (!control.stop(target, error)) return;
    // A later attempt may have been sent, and not entered.
    if (!job.entered()) holder?.revoke(job);
    holder?.stop(job, error);
  }
}

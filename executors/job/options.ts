/**
 * The options of a call: what `submitWith()` takes, and `map()` for each of its
 * calls. A new option is declared and checked here, and obeyed where jobs are
 * queued, sent or settled.
 *
 * @module
 */

import { checkDuration, checkOptions, checkSignal } from "../arguments.ts";

/** Options of {@linkcode Executor.submitWith}. */
export interface SubmitOptions {
  /**
   * Cancels the task when it is aborted, and stops it if it runs; the future
   * is cancelled at once, the signal's reason its error's `cause`.
   */
  signal?: AbortSignal;
  /**
   * How long the task may run, in milliseconds from its start; then the future
   * fails with a `TimeoutError` and the task is stopped.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/** How the calls of a job are to be made: options, checked. */
export interface CallOptions {
  /** Stops the call. */
  readonly signal: AbortSignal | undefined;
  /** How long a call may run, in milliseconds. */
  readonly timeout: number;
  /** How many calls travel together; 0 leaves that to the executor. */
  readonly chunkSize: number;
}

/** Of calls without an option; one object for all of them. */
export const NO_OPTIONS: CallOptions = {
  signal: undefined,
  timeout: Infinity,
  chunkSize: 0,
};

/**
 * Checks the options of a submitted call.
 *
 * @throws {TypeError} If one has the wrong type.
 * @throws {RangeError} If `timeout` is not more than 0.
 */
export function checkSubmitOptions(
  options: SubmitOptions | undefined,
): CallOptions {
  const { signal, timeout } = checkOptions(options);
  const checked = {
    ...NO_OPTIONS,
    signal: checkSignal(signal),
    timeout: checkDuration("timeout", timeout, Infinity),
  };
  if (checked.timeout === 0) {
    throw new RangeError(
      "'timeout' must be more than 0 milliseconds: received 0",
    );
  }
  return checked;
}

/**
 * The options of calls, as `submitWith()` takes them, and `map()` for all of its
 * calls. A new option is declared and checked here, and obeyed where jobs are
 * queued, sent or settled.
 *
 * @module
 */

import { checkOptions, checkSignal, checkTimeLimit } from "../arguments.ts";

/** Options of {@linkcode Executor.submitWith}. */
export interface SubmitOptions {
  /**
   * When aborted, cancels the task, and stops it if it runs. The future is
   * cancelled at once; the `cause` of its error is the reason of the signal.
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

/** How the calls of a job are to be made: options that have been checked. */
export interface CallOptions {
  /** Stops the call when aborted. */
  readonly signal: AbortSignal | undefined;
  /** How long each call may run, in milliseconds; `Infinity` for no limit. */
  readonly timeout: number;
  /** How many calls travel together; 0 leaves that to the executor. */
  readonly chunkSize: number;
  /** Whether nobody wants to know what calls return, which is not sent anywhere then. */
  readonly quiet: boolean;
}

/** The options of calls that were submitted without any: always this object. */
export const NO_OPTIONS: CallOptions = {
  signal: undefined,
  timeout: Infinity,
  chunkSize: 0,
  quiet: false,
};

/**
 * Checks the options of a submitted call.
 *
 * @param options What the user gave.
 * @returns The options, with defaults.
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If `timeout` is not more than 0.
 */
export function checkSubmitOptions(
  options: SubmitOptions | undefined,
): CallOptions {
  const { signal, timeout } = checkOptions(options);
  return {
    ...NO_OPTIONS,
    signal: checkSignal(signal),
    timeout: checkTimeLimit("timeout", timeout),
  };
}

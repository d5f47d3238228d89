/**
 * The options of calls, as `submitWith()` takes them, and `map()` for all of its
 * calls. A new option is declared and checked here, and obeyed where jobs are
 * queued, sent or settled.
 *
 * @module
 */

import {
  checkFunction,
  checkNumber,
  checkOptions,
  checkSignal,
  checkTimeLimit,
} from "../arguments.ts";
import { checkRetry, type Retry, type RetryOptions } from "./retry.ts";

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
  /**
   * How the task is tried again if it fails, or the number of attempts. The
   * `timeout` is for each attempt.
   *
   * @default {1}
   */
  retry?: RetryOptions | number;
  /**
   * Of what waits in the executor's queue, the highest comes first; a finite
   * number.
   *
   * @default {0}
   */
  priority?: number;
  /**
   * Called with each value that the task reports by `currentTask()?.report()`,
   * in order, and before the future settles. What it throws or rejects with is
   * logged with `console.error`, and the task goes on.
   *
   * @example A task that tells how far it is
   * ```ts
   * import { currentTask, PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * async function download(url: string) {
   *   let bytes = 0;
   *   for await (const chunk of (await fetch(url)).body!) {
   *     bytes += chunk.length;
   *     currentTask()?.report(bytes);
   *   }
   * }
   * await using pool = new PromisePoolExecutor();
   * const seen: number[] = [];
   * const onReport = (bytes: number) => seen.push(bytes);
   * await pool.submitWith({ onReport }, download, "data:,three");
   * assertEquals(seen.at(-1), 5);
   * ```
   */
  // deno-lint-ignore no-explicit-any -- whoever writes the task knows its type
  onReport?: (value: any) => unknown;
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
  /** How each call is tried again; `undefined` if it is not. */
  readonly retry: Retry | undefined;
  /** What is higher comes first. */
  readonly priority: number;
  /** Hears what calls report, and of a map also the index of each; `undefined` if nobody wants to. */
  readonly onReport: ((value: unknown, index: number) => unknown) | undefined;
  /** How many bytes a report may have where it goes on to another machine; `Infinity` for no limit. */
  readonly maxReportBytes: number;
}

/** The options of calls that were submitted without any: always this object. */
export const NO_OPTIONS: CallOptions = {
  signal: undefined,
  timeout: Infinity,
  chunkSize: 0,
  quiet: false,
  retry: undefined,
  priority: 0,
  onReport: undefined,
  maxReportBytes: Infinity,
};

/**
 * Checks the options of a submitted call.
 *
 * @param options What the user gave.
 * @returns The options, with defaults.
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkSubmitOptions(
  options: SubmitOptions | undefined,
): CallOptions {
  const { signal, timeout, retry, priority, onReport } = checkOptions(options);
  return {
    ...NO_OPTIONS,
    signal: checkSignal(signal),
    timeout: checkTimeLimit("timeout", timeout),
    retry: checkRetry(retry),
    priority: checkPriority(priority),
    onReport: checkOnReport(onReport),
  };
}

/** Checks a priority. */
export function checkPriority(priority: number | undefined): number {
  if (priority === undefined) return 0;
  checkNumber("priority", priority, "a finite number");
  if (Number.isFinite(priority)) return priority;
  throw new RangeError(
    `'priority' must be a finite number: received ${priority}`,
  );
}

/** Checks who is to hear reports, if anybody is. */
export function checkOnReport<
  Listener extends ((value: never, index: never) => unknown) | undefined,
>(onReport: Listener): Listener {
  if (onReport !== undefined) checkFunction("onReport", onReport);
  return onReport;
}

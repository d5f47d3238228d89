/**
 * The options and the result of `map()` and `forEach()`; run.ts and for_each.ts
 * are how they work.
 *
 * @module
 */

import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkFunction,
  checkOptions,
  checkSignal,
  checkTimeLimit,
} from "../arguments.ts";
import type { Entrance } from "../job/job.ts";
import {
  type CallOptions,
  checkOnReport,
  checkPriority,
  NO_OPTIONS,
} from "../job/options.ts";
import { checkRetry, type RetryOptions } from "../job/retry.ts";
import type { Upcoming } from "../job/upcoming.ts";
import type { UnreadMap } from "./unread_maps.ts";

/** How far a `map()` or a `forEach()` has come. */
export interface MapProgress {
  /** How many calls have ended, those that failed among them, those that were cancelled not. */
  readonly done: number;
  /** How many calls have failed. */
  readonly failed: number;
  /** How many calls there will be; `undefined` unless each input has a `length` or `size`, and is no string. */
  readonly total: number | undefined;
}

/** Options of `forEach()`. */
export interface ForEachOptions {
  /**
   * How long all of it may take, in milliseconds from the call. After that a
   * result that is not there is a `TimeoutError`.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /**
   * How long each call may run, in milliseconds from its start; then that call
   * fails with a `TimeoutError`, and is stopped.
   *
   * @default {Infinity}
   */
  itemTimeout?: number;
  /**
   * How many inputs may be in flight or finished and unread, an integer of at
   * least 1; `Infinity` submits everything at the call. By default 1000, and up
   * to 16,384 while calls take microseconds.
   *
   * @default {1000}
   */
  bufferSize?: number;
  /**
   * How many items travel to a worker together, an integer of at least 1. The
   * pool finds a good number by itself.
   */
  chunkSize?: number;
  /** When aborted, cancels calls that have not started, and stops those that run. */
  signal?: AbortSignal;
  /**
   * How a call is tried again if it fails, or the number of attempts. Each
   * attempt travels alone, and has the whole of `itemTimeout`.
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
   * Called with each value that a task reports by `currentTask()?.report()`, and
   * the index of its input: those of one task in order, and before its result.
   * What it throws or rejects with is logged with `console.error`, and the map
   * goes on.
   *
   * @example
   * ```ts
   * import { currentTask, PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor({ maxWorkers: 1 });
   * const seen: unknown[] = [];
   * const onReport = (length: number, index: number) => seen.push([index, length]);
   * const measure = (text: string) => currentTask()?.report(text.length);
   * await pool.map(measure, ["one", "three"], { onReport });
   * assertEquals(seen, [[0, 3], [1, 5]]);
   * ```
   */
  // deno-lint-ignore no-explicit-any -- whoever writes the task knows its type
  onReport?: (value: any, index: number) => unknown;
  /**
   * Called with how many calls have ended: every 100 milliseconds at most, and
   * once more at the end. What it throws, or rejects with, is logged with
   * `console.error`.
   */
  onProgress?: (progress: MapProgress) => unknown;
}

/** Options of `map()`. */
export interface MapOptions extends ForEachOptions {
  /**
   * Whether results come in the order of the inputs, or as they finish.
   *
   * @default {true}
   */
  ordered?: boolean;
  /**
   * Whether each result says how its call has ended, as those of
   * `Promise.allSettled()` do, so that no error of a call ends the map.
   *
   * @default {false}
   */
  settled?: boolean;
}

/**
 * The results of a `map()`: an iterator, and a promise of the array of what
 * has not been read yet.
 *
 * A task's error rejects at its position, and so does an error of the input.
 * After an error, and when a loop over it is left early, the iterator is
 * finished and what has not started is cancelled.
 *
 * @typeParam R The type of the results.
 */
export interface MapResult<R>
  extends AsyncIterableIterator<R>, PromiseLike<R[]> {
  /** Finishes early: what has not started is cancelled. */
  return(): Promise<IteratorResult<R>>;
  /** As a promise's, of the array. */
  then<A = R[], E = never>(
    onFulfilled?: ((results: R[]) => A | PromiseLike<A>) | null,
    // deno-lint-ignore no-explicit-any -- as a promise's
    onRejected?: ((error: any) => E | PromiseLike<E>) | null,
  ): Promise<A | E>;
  /** As a promise's, of the array. */
  catch<E = never>(
    // deno-lint-ignore no-explicit-any -- as a promise's
    onRejected?: ((error: any) => E | PromiseLike<E>) | null,
  ): Promise<R[] | E>;
  /** As a promise's, of the array. */
  finally(onFinally?: (() => void) | null): Promise<R[]>;
}

/** {@linkcode MapOptions}, checked. */
export interface MapSettings {
  readonly timeout: number;
  /** `undefined` leaves it to the map. */
  readonly bufferSize: number | undefined;
  readonly ordered: boolean;
  readonly settled: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: MapProgress) => unknown) | undefined;
  /** How each call is to be made. */
  readonly call: CallOptions;
}

/**
 * Checks the options of a map.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkMapOptions(options: MapOptions | undefined): MapSettings {
  const {
    timeout,
    itemTimeout,
    bufferSize,
    chunkSize,
    ordered,
    settled,
    signal,
    retry,
    priority,
    onReport,
    onProgress,
  } = checkOptions(options);
  if (onProgress !== undefined) checkFunction("onProgress", onProgress);
  return {
    timeout: checkDuration("timeout", timeout, Infinity),
    bufferSize: bufferSize === undefined
      ? undefined
      : checkCount("bufferSize", bufferSize, 1, { unbounded: true }),
    call: {
      ...NO_OPTIONS,
      timeout: checkTimeLimit("itemTimeout", itemTimeout),
      chunkSize: checkCount("chunkSize", chunkSize, NO_OPTIONS.chunkSize),
      retry: checkRetry(retry),
      priority: checkPriority(priority),
      onReport: checkOnReport(onReport),
    },
    ordered: checkBoolean("ordered", ordered, true),
    settled: checkBoolean("settled", settled, false),
    signal: checkSignal(signal),
    onProgress,
  };
}

/** Checks the options of a `forEach()`, which has no results to put in order; as {@linkcode checkMapOptions}. */
export function checkForEachOptions(
  options: ForEachOptions | undefined,
): MapSettings {
  const { ordered: _ordered, settled: _settled, ...known } = checkOptions(
    options as MapOptions | undefined,
  );
  const settings = checkMapOptions(known);
  return { ...settings, call: { ...settings.call, quiet: true } };
}

/** A map that may still pull inputs. */
export interface OpenMap {
  /** The executor takes no more jobs. */
  executorClosed(): void;
}

/** The executor, as a map sees it. */
export interface MapTarget extends Entrance {
  /** The maps that are told when the executor takes no more jobs. */
  readonly openMaps: Set<OpenMap>;
  /** The maps that nobody has read, and that have input left. */
  readonly unreadMaps: Set<UnreadMap>;
  /** What brings more jobs, also after a shutdown. */
  readonly upcoming: Upcoming;
}

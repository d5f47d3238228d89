/**
 * The options and the result of `map()`; run.ts is how it works.
 *
 * @module
 */

import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkOptions,
  checkSignal,
} from "../arguments.ts";
import type { Entrance } from "../job/job.ts";
import { type CallOptions, checkOnReport, NO_OPTIONS } from "../job/options.ts";

/** Options of `map()`. */
export interface MapOptions {
  /**
   * How long the results may take, in milliseconds from the call. After that
   * a result that is not there is a `TimeoutError`.
   *
   * @default {Infinity}
   */
  timeout?: number;
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
  /**
   * Whether results come in the order of the inputs, or as they finish.
   *
   * @default {true}
   */
  ordered?: boolean;
  /** When aborted, cancels calls that have not started, and stops those that run. */
  signal?: AbortSignal;
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
  readonly signal: AbortSignal | undefined;
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
  const { timeout, bufferSize, chunkSize, ordered, signal, onReport } =
    checkOptions(options);
  return {
    timeout: checkDuration("timeout", timeout, Infinity),
    bufferSize: bufferSize === undefined
      ? undefined
      : checkCount("bufferSize", bufferSize, 1, { unbounded: true }),
    call: chunkSize === undefined && onReport === undefined ? NO_OPTIONS : {
      ...NO_OPTIONS,
      chunkSize: checkCount("chunkSize", chunkSize, NO_OPTIONS.chunkSize),
      onReport: checkOnReport(onReport),
    },
    ordered: checkBoolean("ordered", ordered, true),
    signal: checkSignal(signal),
  };
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
}

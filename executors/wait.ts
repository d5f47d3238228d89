/**
 * Waits for several futures, of any executors.
 *
 * @module
 */

import { checkDuration, checkOptions } from "./arguments.ts";
import { TimeoutError } from "./errors.ts";
import { control, Future } from "./future.ts";
import { monotonicTime } from "./runtime/clock.ts";
import { Deque } from "./runtime/deque.ts";
import { startTimer } from "./runtime/timer.ts";
import { show } from "./text.ts";

/** {@linkcode wait} returns when any future is done. */
export const FIRST_COMPLETED = "FIRST_COMPLETED" as const;
/** {@linkcode wait} returns when any future has failed, or all are done. */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION" as const;
/** {@linkcode wait} returns when all futures are done. */
export const ALL_COMPLETED = "ALL_COMPLETED" as const;

/** When {@linkcode wait} returns. */
export type ReturnWhen =
  | typeof FIRST_COMPLETED
  | typeof FIRST_EXCEPTION
  | typeof ALL_COMPLETED;

/** Options of {@linkcode wait}. */
export interface WaitOptions {
  /**
   * How long to wait at most, in milliseconds.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /**
   * What to wait for.
   *
   * @default {ALL_COMPLETED}
   */
  returnWhen?: ReturnWhen;
}

/** The result of {@linkcode wait}. */
export interface WaitResult<T> {
  /** The futures that have finished or were cancelled. */
  readonly done: Set<Future<T>>;
  /** The futures that are pending or running. */
  readonly notDone: Set<Future<T>>;
}

/** Options of {@linkcode asCompleted}. */
export interface AsCompletedOptions {
  /**
   * How long all futures may take, in milliseconds from the call.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/**
 * One of the two equal halves of a {@linkcode FutureIterator}.
 *
 * @typeParam T The type of the results.
 * @typeParam Half Which half.
 * @internal
 */
interface FutureIteration<T, Half extends "left" | "right"> {
  /** The next future that is done. */
  next(): Promise<IteratorResult<Future<T>, undefined>>;
  /** Ends the iteration; the futures are left alone. */
  return(): Promise<IteratorResult<Future<T>, undefined>>;
  /** The iterator itself. */
  [Symbol.asyncIterator](): FutureIterator<T>;
}

/**
 * The result of {@linkcode asCompleted}. By the types of the language, `for await`
 * would give the value with which a future resolves; by this one, it gives the
 * future.
 *
 * A union, because the type checker awaits what an object type yields from the
 * second loop over that type on, but never what a union yields.
 *
 * @typeParam T The type of the results.
 */
export type FutureIterator<T> =
  | FutureIteration<T, "left">
  | FutureIteration<T, "right">;

/**
 * Waits until futures are done. Does not reject when the time is up, nor when
 * a future fails.
 *
 * Python: `concurrent.futures.wait`.
 *
 * @typeParam T The type of the results.
 * @param futures The futures, of any executors; duplicates count once.
 * @param options How long to wait, and for what.
 * @returns A promise of the futures that are done, cancelled ones among them,
 * and of the others.
 * @throws {TypeError} If something is not a future, or an option has the wrong
 * type.
 * @throws {RangeError} If `timeout` is negative or NaN, or `returnWhen` is
 * none of the three constants.
 *
 * @example The first of two
 * ```ts
 * import { FIRST_COMPLETED, Future, wait } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const [fast, slow] = [Future.withResolvers<number>(), Future.withResolvers<number>()];
 * fast.resolve(1);
 * const { done, notDone } = await wait([fast.future, slow.future], {
 *   returnWhen: FIRST_COMPLETED,
 * });
 * assertEquals([...done], [fast.future]);
 * assertEquals([...notDone], [slow.future]);
 * ```
 */
export function wait<T>(
  futures: Iterable<Future<T>>,
  options?: WaitOptions,
): Promise<WaitResult<T>>;
/** Waits for futures of different types, as different functions give them. */
export function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): Promise<WaitResult<Awaited<F>>>;
export function wait(
  futures: Iterable<Future<unknown>>,
  options?: WaitOptions,
): Promise<WaitResult<unknown>> {
  const all = checkFutures(futures);
  const { timeout: timeoutOption, returnWhen = ALL_COMPLETED } = checkOptions(
    options,
  );
  const timeout = checkDuration("timeout", timeoutOption, Infinity);
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(returnWhen)) {
    throw new RangeError(
      `'returnWhen' must be FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED: received ${
        show(returnWhen)
      }`,
    );
  }
  return new Promise((resolve) => {
    const notDone = new Set([...all].filter((future) => !future.done()));
    let left = notDone.size;
    const finish = () => {
      for (const forget of observations) forget();
      stopTimer();
      // In the order in which the futures were given, not in which they ended.
      const groups: WaitResult<unknown> = {
        done: new Set(),
        notDone: new Set(),
      };
      for (const future of all) {
        (future.done() ? groups.done : groups.notDone).add(future);
      }
      resolve(groups);
    };
    const isEnough = (future: Future<unknown>) =>
      returnWhen === FIRST_COMPLETED ||
      returnWhen === FIRST_EXCEPTION && control.failed(future);
    const observations: (() => void)[] = [];
    let stopTimer = () => {};
    if (
      left === 0 || [...all].some((future) => future.done() && isEnough(future))
    ) {
      finish();
      return;
    }
    for (const future of notDone) {
      observations.push(control.observe(future, () => {
        if (--left === 0 || isEnough(future)) finish();
      }));
    }
    stopTimer = startTimer(timeout, finish);
  });
}

/**
 * Yields futures as they finish; those that are done already come first. Keeps no
 * reference to a future that it has yielded.
 *
 * Python: `concurrent.futures.as_completed`.
 *
 * @typeParam T The type of the results.
 * @param futures The futures, of any executors; duplicates are yielded once.
 * @param options How long all of them may take.
 * @returns An async iterator of the futures, which rejects with
 * {@linkcode TimeoutError} when the time is up.
 * @throws {TypeError} If something is not a future, or an option has the wrong
 * type.
 * @throws {RangeError} If `timeout` is negative or NaN.
 *
 * @example
 * ```ts
 * import { asCompleted, PromisePoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new PromisePoolExecutor();
 * const sleep = (ms: number) => new Promise<number>((resolve) => setTimeout(() => resolve(ms), ms));
 * const order: number[] = [];
 * for await (const future of asCompleted([pool.submit(sleep, 50), pool.submit(sleep, 1)])) {
 *   order.push(await future);
 * }
 * assertEquals(order, [1, 50]);
 * ```
 */
export function asCompleted<T>(
  futures: Iterable<Future<T>>,
  options?: AsCompletedOptions,
): FutureIterator<T>;
/** Yields futures of different types, as different functions give them. */
export function asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: AsCompletedOptions,
): FutureIterator<Awaited<F>>;
export function asCompleted(
  futures: Iterable<Future<unknown>>,
  options?: AsCompletedOptions,
): FutureIterator<unknown> {
  const all = checkFutures(futures);
  const { timeout } = checkOptions(options);
  return new CompletionIterator(
    all,
    checkDuration("timeout", timeout, Infinity),
  );
}

class CompletionIterator<T> implements FutureIteration<T, "left"> {
  readonly #total: number;
  readonly #timeout: number;
  readonly #deadline: number;
  readonly #ready = new Deque<Future<T>>();
  /** The futures that are not done, and functions that stop observing them. */
  readonly #unfinished = new Map<Future<T>, () => void>();
  readonly #readers = new Deque<
    PromiseWithResolvers<IteratorResult<Future<T>, undefined>>
  >();
  #stopTimer: (() => void) | undefined;

  constructor(futures: Set<Future<T>>, timeout: number) {
    this.#total = futures.size;
    this.#timeout = timeout;
    this.#deadline = timeout === Infinity
      ? Infinity
      : monotonicTime() + timeout;
    for (const future of futures) {
      if (future.done()) {
        this.#ready.push(future);
        continue;
      }
      const forget = control.observe(future, () => this.#finished(future));
      this.#unfinished.set(future, forget);
    }
  }

  next(): Promise<IteratorResult<Future<T>, undefined>> {
    const reader = Promise.withResolvers<
      IteratorResult<Future<T>, undefined>
    >();
    this.#readers.push(reader);
    this.#advance();
    return reader.promise;
  }

  return(): Promise<IteratorResult<Future<T>, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finished(future: Future<T>): void {
    this.#unfinished.delete(future);
    this.#ready.push(future);
    this.#advance();
  }

  #advance(): void {
    while (this.#readers.length > 0 && this.#ready.length > 0) {
      this.#readers.shift()!.resolve({
        done: false,
        value: this.#ready.shift()!,
      });
    }
    if (this.#ready.length === 0 && this.#unfinished.size === 0) this.#end();
    else this.#watchClock();
  }

  /** Runs a timer only while somebody waits: an iterator left alone must keep no program alive. */
  #watchClock(): void {
    if (this.#readers.length === 0) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    } else if (this.#stopTimer === undefined && this.#deadline !== Infinity) {
      const left = Math.max(0, this.#deadline - monotonicTime());
      this.#stopTimer = startTimer(left, () => {
        this.#readers.shift()?.reject(
          new TimeoutError(
            `${this.#unfinished.size} (of ${this.#total}) futures unfinished after ${this.#timeout} ms`,
          ),
        );
        this.#end();
      });
    }
  }

  #end(): void {
    for (const forget of this.#unfinished.values()) forget();
    this.#unfinished.clear();
    this.#ready.clear();
    for (
      let reader = this.#readers.shift();
      reader;
      reader = this.#readers.shift()
    ) {
      reader.resolve({ done: true, value: undefined });
    }
    this.#watchClock();
  }
}

function checkFutures<T>(futures: Iterable<Future<T>>): Set<Future<T>> {
  if (
    typeof futures !== "object" || futures === null ||
    !(Symbol.iterator in futures)
  ) {
    throw new TypeError(
      `'futures' must be an iterable of futures: received ${show(futures)}`,
    );
  }
  const all = new Set(futures);
  for (const future of all) {
    if (!(future instanceof Future)) {
      throw new TypeError(
        `'futures' must hold only futures: received ${show(future)}`,
      );
    }
  }
  return all;
}

/**
 * Futures: results that may not be there yet. Knows nothing of executors: whoever
 * makes a future settles it through {@linkcode Future.withResolvers} or, in this
 * package, through {@linkcode control}.
 *
 * @module
 */

import {
  checkDuration,
  checkFunction,
  checkOptions,
  checkSignal,
} from "./arguments.ts";
import { CancelledError, InvalidStateError, TimeoutError } from "./errors.ts";
import { offAbort, onAbort } from "./runtime/abort.ts";
import { Deque } from "./runtime/deque.ts";
import { isThenable } from "./runtime/thenable.ts";
import { startTimer } from "./runtime/timer.ts";
import type { TaskOutcome } from "./stats.ts";

/** Where a future is in its life; see {@linkcode Future.state}. */
export type FutureState = "pending" | "running" | "cancelled" | "finished";

/** How long a wait for a future may take. */
export interface WaitForOptions {
  /**
   * How long to wait at most, in milliseconds; 0 only looks.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /** Ends the wait, and only the wait, with the signal's reason. */
  signal?: AbortSignal;
}

/** A future and the functions that settle it, as {@linkcode Future.withResolvers} returns them. */
export interface FutureWithResolvers<T> {
  /** The future, pending. */
  readonly future: Future<T>;
  /**
   * pending → running, to be called before the work begins. Returns false if
   * the future has been cancelled: then there is nothing to do.
   */
  readonly start: () => boolean;
  /**
   * → finished, with a value. A promise or another thenable is followed: the
   * future is running until the thenable has settled, and then settles likewise.
   */
  readonly resolve: (value: T | PromiseLike<T>) => void;
  /** → finished, with an error, which may be any value. */
  readonly reject: (error: unknown) => void;
}

/** The job of a future, as the future sees it: the task may wait or run elsewhere. */
export interface FutureOrigin {
  /** Whether the function has been entered. */
  entered(): boolean;
  /** Takes the task back, so that its function is never entered; false if it has been. */
  revoke(): boolean;
  /** The future has settled; must call no code of a user. */
  ended(outcome: TaskOutcome): void;
  /** Called after `ended()`, perhaps later, with the error if there is one: may tell those who watch. */
  tell(outcome: TaskOutcome, error: unknown): void;
}

/** The operations that only the maker of a future may use. */
interface FutureControl {
  /** Makes a pending future; `origin` is asked for exact states and takes a cancelled task back. */
  create<T>(origin?: FutureOrigin): Future<T>;
  /** pending → running; false if the future is cancelled. */
  start(future: Future<unknown>): boolean;
  /** → finished, or running until a thenable has settled; false, and nothing happens, if the future is done. */
  resolve<T>(future: Future<T>, value: T | PromiseLike<T>): boolean;
  /** → finished; false, and nothing happens, if the future is done. */
  reject(future: Future<unknown>, error: unknown): boolean;
  /** pending or running → cancelled; false, and nothing happens, if the future is done. */
  stop(future: Future<unknown>, error: CancelledError): boolean;
  /** Whether the task's function threw; a cancelled future has not failed. */
  failed(future: Future<unknown>): boolean;
  /**
   * Calls `fn` once as the future settles, before its callbacks; returns a
   * function that takes `fn` back.
   */
  observe(future: Future<unknown>, fn: () => void): () => void;
}

/** Not exported from mod.ts, so that a consumer of a future cannot settle it. */
export let control: FutureControl;

// The state machine. States only move forward, through #move() alone.
//
//   PENDING    nobody has entered the function
//   RUNNING    the function has been entered
//   FOLLOWING  running for whoever asks; it will settle as a promise does
//   CANCELLED  terminal; #outcome is the CancelledError
//   FINISHED   terminal; #outcome is the value
//   FAILED     terminal, and finished for whoever asks; #outcome is the error
//
//   PENDING -> RUNNING     start()
//   PENDING -> CANCELLED   cancel(), or an abort, a shutdown that cancels
//   PENDING -> FINISHED    resolve() by a maker that never calls start()
//   PENDING -> FOLLOWING   resolve() by such a maker, with a thenable
//   PENDING -> FAILED      reject() by such a maker
//   RUNNING -> FINISHED    resolve()
//   RUNNING -> FOLLOWING   resolve() with a thenable
//   RUNNING -> FAILED      reject(), or a time-out
//   RUNNING -> CANCELLED   an abort; never cancel()
//   FOLLOWING -> FINISHED  the thenable has a value
//   FOLLOWING -> FAILED    the thenable has an error, or a time-out
//   FOLLOWING -> CANCELLED an abort
//
// A future whose task was sent to another thread stays PENDING here after the
// worker has entered it, so questions go through #current(), which asks the
// origin. Telling the host of each start would cost a message a task.
const PENDING = 0;
const RUNNING = 1;
const FOLLOWING = 2;
const CANCELLED = 3;
const FINISHED = 4;
const FAILED = 5;
type State =
  | typeof PENDING
  | typeof RUNNING
  | typeof FOLLOWING
  | typeof CANCELLED
  | typeof FINISHED
  | typeof FAILED;
const STATE_NAMES = [
  "pending",
  "running",
  "running",
  "cancelled",
  "finished",
  "finished",
] as const;

/** The outcome of the task by terminal state. */
const OUTCOMES: Readonly<Record<number, TaskOutcome>> = {
  [CANCELLED]: "cancelled",
  [FINISHED]: "finished",
  [FAILED]: "failed",
};

/**
 * `Promise` as the base of {@linkcode Future}, without its static members, as
 * only executors make futures.
 */
export const NativePromise: new <T>(
  executor: (
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) => void,
) => Promise<T> = Promise as never;

/**
 * How deep callbacks may be nested that settle futures, which call back in turn.
 * A chain of thousands would overflow the stack half-way. A deeper one is rare,
 * and its callbacks run a moment later than they could.
 */
const MAX_DEPTH = 50;

/** How many futures are calling their callbacks right now, one inside another. */
let depth = 0;

/**
 * Functions that run the callbacks of futures that were too deep; the outermost
 * future calls them before it returns.
 */
const postponed = new Deque<() => void>();

/** How deep the console looks into a value by default. */
const INSPECT_DEPTH = 4;

/**
 * The functions that settle the newest promise: a closure that took them would
 * cost each future more.
 */
let resolveNewest: ((value: unknown) => void) | undefined;
let rejectNewest: ((error: unknown) => void) | undefined;

/**
 * The result of a submitted task, now or later.
 *
 * As a promise it can be awaited; unlike a promise it can be looked at and
 * cancelled, and an error that nobody asks for stays silent.
 *
 * Python: `concurrent.futures.Future`.
 *
 * @typeParam T The type of the result.
 *
 * @example Awaiting, looking, cancelling
 * ```ts
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { assert, assertEquals } from "@std/assert";
 *
 * await using pool = new PromisePoolExecutor({ maxWorkers: 1 });
 * const first = pool.submit((a: number, b: number) => a + b, 20, 22);
 * const second = pool.submit(() => "never entered");
 * assert(second.cancel());
 * assertEquals(await first, 42);
 * assertEquals(first.state, "finished");
 * assertEquals(second.state, "cancelled");
 * ```
 */
export class Future<T> extends NativePromise<T> implements PromiseLike<T> {
  #state: State = PENDING;
  #outcome: unknown = undefined;
  #origin: FutureOrigin | undefined;
  #observers: Set<{ notify: () => void }> | undefined;
  #callbacks: ((future: never) => unknown)[] | undefined;
  /** The functions that settle the promise, until it is; a settled future must not keep them. */
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  static {
    // `await` and Promise.all() take a promise as it is if its constructor is
    // Promise; else they make three more, which takes longer than all the rest of
    // a tiny task.
    Object.defineProperty(this.prototype, "constructor", { value: Promise });
    control = {
      create<T>(origin?: FutureOrigin): Future<T> {
        const future = new Future<T>();
        future.#origin = origin;
        return future;
      },
      start: (future) => future.#move(RUNNING),
      resolve: (future, value) => future.#finish(value),
      reject: (future, error) => future.#move(FAILED, error),
      stop: (future, error) => future.#move(CANCELLED, error),
      failed: (future) => future.#state === FAILED,
      observe: (future, fn) => future.#observe(fn),
    };
  }

  /**
   * Makes a pending future that nobody can settle; executors return useful
   * ones, and so does {@linkcode Future.withResolvers}.
   */
  constructor() {
    super(takeSettlers);
    this.#resolve = resolveNewest;
    this.#reject = rejectNewest;
    // Each of them would keep this future in memory.
    resolveNewest = rejectNewest = undefined;
  }

  /**
   * `then()` makes a plain promise: a constructor of a future, or of a
   * subclass, takes no executor.
   */
  static get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /**
   * A future and the functions that settle it, for whoever writes an executor
   * or a test.
   *
   * Python has `set_result()` on the future itself; here a consumer cannot settle
   * a future by mistake. The shape is that of `Promise.withResolvers()`.
   *
   * @typeParam T The type of the result.
   * @returns The future with `start`, `resolve` and `reject`. `start` throws
   * {@linkcode InvalidStateError} unless the future is pending or cancelled,
   * `resolve` and `reject` throw it if the future is done.
   *
   * @example
   * ```ts
   * import { Future } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * const { future, start, resolve } = Future.withResolvers<number>();
   * if (start()) resolve(42);
   * assertEquals(await future, 42);
   * ```
   */
  static withResolvers<T>(): FutureWithResolvers<T> {
    const future = new Future<T>();
    const settle = (action: string, moved: boolean) => {
      if (!moved) {
        throw new InvalidStateError(
          `Cannot ${action} a future that is ${
            future.#state === FOLLOWING
              ? "resolved with a promise"
              : future.state
          }`,
        );
      }
    };
    return {
      future,
      start(): boolean {
        if (future.#state === CANCELLED) return false;
        settle("start", future.#state === PENDING && future.#move(RUNNING));
        return true;
      },
      resolve(value: T | PromiseLike<T>): void {
        settle("resolve", future.#finish(value));
      },
      reject(error: unknown): void {
        const followed = future.#state === FOLLOWING;
        settle("reject", !followed && future.#move(FAILED, error));
      },
    };
  }

  /**
   * Where the task is: `"pending"` until its function is entered, `"running"`
   * from then on (also in another thread), then `"finished"` or `"cancelled"`
   * for ever.
   */
  get state(): FutureState {
    return STATE_NAMES[this.#current()];
  }

  /**
   * Whether the function has been entered and has not ended.
   *
   * @returns True in the state `"running"`.
   */
  running(): boolean {
    const state = this.#current();
    return state === RUNNING || state === FOLLOWING;
  }

  /**
   * Whether the future has settled, one way or the other.
   *
   * @returns True in the states `"finished"` and `"cancelled"`.
   */
  done(): boolean {
    return this.#state >= CANCELLED;
  }

  /**
   * Whether the task was cancelled.
   *
   * @returns True in the state `"cancelled"`.
   */
  cancelled(): boolean {
    return this.#state === CANCELLED;
  }

  /**
   * Cancels the task if its function has not been entered; it never will be.
   * To stop a task that runs, submit it with a `signal`.
   *
   * Done callbacks are called before this returns. Only where callbacks that
   * settle futures are nested more than 50 deep, those of this future are
   * called a moment later, before the outermost call that settles one returns.
   *
   * @param reason Becomes the `cause` of the {@linkcode CancelledError}.
   * @returns True if the task is cancelled, now or before; false if it runs or
   * has finished.
   *
   * @example
   * ```ts
   * import { Future } from "@concurrent/futures";
   * import { assert, assertEquals } from "@std/assert";
   *
   * const { future, start } = Future.withResolvers<number>();
   * assert(future.cancel("not needed"));
   * assertEquals(start(), false);
   * ```
   */
  cancel(reason?: unknown): boolean {
    if (this.#state !== PENDING) return this.#state === CANCELLED;
    if (this.#origin !== undefined && !this.#origin.revoke()) return false;
    const options = reason === undefined ? undefined : { cause: reason };
    return this.#move(
      CANCELLED,
      new CancelledError("The task was cancelled", options),
    );
  }

  /**
   * Waits for the value. Timing out or aborting ends the wait, not the task.
   *
   * @param options How long to wait, and what ends the wait early.
   * @returns A promise of the value. It rejects with the task's own error;
   * with {@linkcode CancelledError} if the task was cancelled; with
   * {@linkcode TimeoutError} after `timeout` milliseconds; with the signal's
   * reason once that is aborted.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If `timeout` is negative or NaN.
   *
   * @example
   * ```ts
   * import { Future, TimeoutError } from "@concurrent/futures";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * const { future, resolve } = Future.withResolvers<number>();
   * await assertRejects(() => future.result({ timeout: 1 }), TimeoutError);
   * resolve(42);
   * assertEquals(await future.result(), 42);
   * ```
   */
  result(options?: WaitForOptions): Promise<T> {
    const waited = this.#wait(options);
    return waited === undefined ? this.then() : waited.then(() => this);
  }

  /**
   * Waits for the error.
   *
   * @param options How long to wait, and what ends the wait early.
   * @returns A promise of the task's error, or of `undefined` if there is
   * none. It rejects as {@linkcode Future.result} does when the task was
   * cancelled or the wait ends early.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If `timeout` is negative or NaN.
   *
   * @example
   * ```ts
   * import { Future } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * const { future, reject } = Future.withResolvers<number>();
   * const error = new Error("No such scientist");
   * reject(error);
   * assertEquals(await future.exception(), error);
   * ```
   */
  exception(options?: WaitForOptions): Promise<unknown> {
    const waited = this.#wait(options) ?? this.#whenDone();
    return waited.then(() => {
      if (this.#state === CANCELLED) throw this.#outcome;
      return this.#state === FAILED ? this.#outcome : undefined;
    });
  }

  /**
   * Calls `fn` with this future once, synchronously as it settles; at once if
   * it is done. Callbacks run in the order in which they were added. What one
   * throws is logged with `console.error`, and the next still runs.
   *
   * Callbacks that settle futures, or add callbacks to futures that are done, may
   * be nested. As the stack is finite, those more than 50 deep are called later,
   * before the outermost call that settles a future, or adds a callback, returns.
   *
   * @param fn The callback.
   * @throws {TypeError} If `fn` is not a function.
   *
   * @example
   * ```ts
   * import { Future } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * const seen: string[] = [];
   * const { future, resolve } = Future.withResolvers<number>();
   * future.addDoneCallback((future) => seen.push(future.state));
   * resolve(42);
   * assertEquals(seen, ["finished"]);
   * ```
   */
  addDoneCallback(fn: (future: Future<T>) => unknown): void {
    checkFunction("fn", fn);
    // Callbacks of a settled future may still be to come, and this is the last of them.
    if (!this.done() || this.#callbacks !== undefined) {
      (this.#callbacks ??= []).push(fn);
      return;
    }
    this.#callbacks = [fn];
    if (depth < MAX_DEPTH) this.#tell();
    else postponed.push(() => this.#tell());
  }

  /** The name for `Object.prototype.toString` and the console. */
  override get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** Has the console show the state and the outcome, rather than a promise. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions = {},
  ): string {
    const shown: Record<string, unknown> = { state: this.state };
    // A future may be part of its own outcome: only the depth ends that.
    const depth = (options.depth ?? INSPECT_DEPTH) - 1;
    if (depth >= 0 && this.#state === FINISHED) shown.value = this.#outcome;
    if (depth >= 0 && this.#state === FAILED) shown.error = this.#outcome;
    return `Future ${inspect(shown, { ...options, depth })}`;
  }

  /** The present state, also if the function is entered in another isolate. */
  #current(): State {
    return this.#state === PENDING && this.#origin?.entered()
      ? RUNNING
      : this.#state;
  }

  /** → finished with a value, or as a thenable settles. */
  #finish(value: unknown): boolean {
    if (this.#state >= FOLLOWING) return false;
    let follows: boolean;
    try {
      follows = isThenable(value);
    } catch (error) {
      // The getter of `then` has thrown: a promise would take that for an error too.
      return this.#move(FAILED, error);
    }
    if (!follows) return this.#move(FINISHED, value);
    if (value === this) {
      return this.#move(
        FAILED,
        new TypeError("A future cannot be resolved with itself"),
      );
    }
    this.#move(FOLLOWING);
    // A promise calls one of these once, whatever the thenable does.
    new Promise((resolve) => resolve(value)).then(
      (value) => this.#move(FINISHED, value),
      (error) => this.#move(FAILED, error),
    );
    return true;
  }

  /** The one place where a state changes: state first, then waiters, then callbacks. */
  #move(to: State, outcome?: unknown): boolean {
    if (this.#state >= CANCELLED || to <= this.#state) return false;
    this.#state = to;
    if (to < CANCELLED) return true;
    this.#outcome = outcome;
    const origin = this.#origin;
    this.#origin = undefined;
    origin?.ended(OUTCOMES[to]!);
    this.#settle();
    if (this.#observers !== undefined) {
      const observers = this.#observers;
      this.#observers = undefined;
      for (const { notify } of observers) notify();
    }
    // The origin tells whoever watches its executor, which is user code too.
    if (depth < MAX_DEPTH) this.#tell(origin);
    else postponed.push(() => this.#tell(origin));
    return true;
  }

  /** Tells those who watch, then calls the callbacks. */
  #tell(origin?: FutureOrigin): void {
    depth++;
    try {
      const hasError = this.#state !== FINISHED;
      origin?.tell(
        OUTCOMES[this.#state]!,
        hasError ? this.#outcome : undefined,
      );
      if (this.#callbacks !== undefined) {
        const callbacks = this.#callbacks;
        this.#callbacks = undefined;
        for (const callback of callbacks) this.#call(callback);
      }
      if (depth === 1) {
        for (let tell = postponed.shift(); tell; tell = postponed.shift()) {
          tell();
        }
      }
    } finally {
      depth--;
    }
  }

  /** Settles the promise, for those who await the future. */
  #settle(): void {
    const resolve = this.#resolve!;
    const reject = this.#reject!;
    this.#resolve = this.#reject = undefined;
    const outcome = this.#outcome;
    if (this.#state === FINISHED) return resolve(outcome);
    // An error that nobody asks for must be no unhandled rejection; a promise
    // that a caller got from then() can still be one.
    this.then(undefined, () => {});
    reject(outcome);
  }

  #whenDone(): Promise<void> {
    if (this.done()) return Promise.resolve();
    return new Promise((resolve) => this.#observe(resolve));
  }

  /** A promise that rejects when the wait ends early; `undefined` if it cannot. */
  #wait(options: WaitForOptions | undefined): Promise<void> | undefined {
    const { timeout: timeoutOption, signal: signalOption } = checkOptions(
      options,
    );
    const timeout = checkDuration("timeout", timeoutOption, Infinity);
    const signal = checkSignal(signalOption);
    if (this.done() || (timeout === Infinity && signal === undefined)) {
      return undefined;
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (timeout === 0) return Promise.reject(this.#late(timeout));
    return new Promise((resolve, reject) => {
      const end = () => {
        forget();
        stopTimer();
        if (signal !== undefined) offAbort(signal, waiter);
      };
      const forget = this.#observe(() => {
        end();
        resolve();
      });
      const stopTimer = startTimer(timeout, () => {
        end();
        reject(this.#late(timeout));
      });
      const waiter = {
        signalAborted() {
          end();
          reject(signal!.reason);
        },
      };
      if (signal !== undefined) onAbort(signal, waiter);
    });
  }

  #late(timeout: number): TimeoutError {
    return new TimeoutError(`Future still ${this.state} after ${timeout} ms`);
  }

  #observe(notify: () => void): () => void {
    const observer = { notify };
    const observers = this.#observers ??= new Set();
    observers.add(observer);
    return () => observers.delete(observer);
  }

  #call(callback: (future: never) => unknown): void {
    const log = (error: unknown) =>
      console.error("A done callback failed:", error);
    try {
      const returned = callback(this as never);
      // A callback that returns its future has not failed, even if the future has.
      if (returned !== this && isThenable(returned)) {
        Promise.resolve(returned).catch(log);
      }
    } catch (error) {
      log(error);
    }
  }
}

function takeSettlers(
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  resolveNewest = resolve;
  rejectNewest = reject;
}

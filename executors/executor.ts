/**
 * The interface of all execution strategies. Checks arguments, makes jobs, and
 * hands them to the strategy.
 *
 * ```text
 * submit(fn, ...args) ──► Job of one call ───┐
 *                                            ├─► enqueue(job) ──► the strategy
 * map(fn, inputs) ──────► Job of many calls ─┘                         │
 *                                                                      │
 * Future, MapResult ◄── resolve(value), reject(error) ◄────────────────┘
 * ```
 *
 * @module
 */

import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkFunction,
  checkOptions,
} from "./arguments.ts";
import { Ending } from "./ending.ts";
import { ShutdownError } from "./errors.ts";
import type { Future } from "./future.ts";
import { BackPressure } from "./job/back_pressure.ts";
import { FutureSink } from "./job/future_sink.ts";
import type { Entrance, Job } from "./job/job.ts";
import {
  checkSubmitOptions,
  NO_OPTIONS,
  type SubmitOptions,
} from "./job/options.ts";
import { JobQueue } from "./job/queue.ts";
import { checkRate } from "./job/rate.ts";
import { RetrySink } from "./job/retry_sink.ts";
import { startForEach } from "./map/for_each.ts";
import { checkMapArguments, type MapArguments } from "./map/arguments.ts";
import type { Input } from "./map/inputs.ts";
import type {
  ForEachOptions,
  MapOptions,
  MapResult,
  MapTarget,
} from "./map/options.ts";
import { startMap } from "./map/run.ts";
import type { ExecutorOptions, ShutdownOptions } from "./options.ts";
import { currentContext } from "./runtime/async_context.ts";
import {
  type Activity,
  type ExecutorStats,
  type RetryEvent,
  Tally,
  type TaskEvent,
} from "./stats.ts";
import type { AnyFunction } from "./task.ts";

/** How jobs get into an executor that its own methods have not made; not exported from mod.ts. */
export let entranceTo: (executor: Executor) => Entrance;

/**
 * Runs functions later, or elsewhere.
 *
 * Whoever writes an executor extends this class with `enqueue()` and `close()`.
 *
 * Python: `concurrent.futures.Executor`.
 *
 * @example The same two lines for every strategy
 * ```ts
 * import { type Executor, PromisePoolExecutor, WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const age = (born: number) => 2017 - born;
 * for (const Pool of [PromisePoolExecutor, WorkerPoolExecutor]) {
 *   await using pool: Executor = new Pool({ maxWorkers: 2 });
 *   assertEquals(await pool.map(age, [1815, 1867]), [202, 150]);
 * }
 * ```
 */
export abstract class Executor extends EventTarget implements AsyncDisposable {
  /**
   * The queue of the executor, which obeys its options and the priorities of
   * jobs; whoever writes an executor may use it, or another one.
   */
  protected readonly queue: JobQueue;
  readonly #tally: Tally = new Tally(this);
  readonly #ending = new Ending({
    close: (cancelFutures) => this.close(cancelFutures),
    abandon: () => this.abandon(),
  });
  readonly #pressure: BackPressure;
  readonly #futures = new FutureSink(this.#tally);
  readonly #entrance: MapTarget = {
    tally: this.#tally,
    upcoming: this.#ending.upcoming,
    openMaps: this.#ending.openMaps,
    unreadMaps: this.#ending.unreadMaps,
    moves: this.moves,
    checkTask: (fn) => this.checkTask(fn),
    assertOpen: () => this.assertOpen(),
    enqueue: (job) => this.enqueue(job),
    watch: () => this.#watch(),
  };
  #shutdown = false;
  #broken: (() => Error) | undefined;

  static {
    entranceTo = (executor) => executor.#entrance;
  }

  /**
   * Makes an executor that has nothing to do.
   *
   * @param options How much may wait, and how many calls begin in a span of time.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(options?: ExecutorOptions) {
    super();
    const { highWaterMark, rate } = checkOptions(options);
    const mark = checkCount("highWaterMark", highWaterMark, Infinity, {
      unbounded: true,
    });
    this.#pressure = new BackPressure(mark, {
      open: () => this.#tally.open,
      pending: () => this.stats().pending,
    });
    const less = this.#pressure.isOn ? () => this.#pressure.less() : undefined;
    const checkedRate = checkRate(rate);
    // What was cancelled waits for no rate any more, nor does the program.
    const dropSettled = () => {
      less?.();
      return this.queue.isEmpty;
    };
    this.#tally.onEnded = checkedRate === undefined ? less : dropSettled;
    this.queue = new JobQueue({
      rate: checkedRate,
      onReady: () => this.wake(),
      onLess: less,
    });
  }

  /**
   * How many calls run at a time at most; 1 unless the strategy says otherwise.
   *
   * Python: the private `_max_workers` of the executors there.
   *
   * @example
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor({ maxWorkers: 3 });
   * assertEquals(pool.maxWorkers, 3);
   * ```
   */
  get maxWorkers(): number {
    return 1;
  }

  /**
   * Resolved while fewer than `highWaterMark` calls are pending: whoever waits for
   * it before each `submit()` keeps the memory flat. `submit()` itself never waits
   * and never refuses. Resolved, too, after a shutdown and if the executor is
   * broken, as `submit()` says so.
   *
   * WHATWG: `WritableStreamDefaultWriter.ready`.
   *
   * @example
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor({ maxWorkers: 2, highWaterMark: 10 });
   * let sum = 0;
   * for (let n = 1; n <= 100; n++) {
   *   await pool.ready;
   *   pool.submit(() => sum += n);
   * }
   * await pool.shutdown();
   * assertEquals(sum, 5050);
   * ```
   */
  get ready(): Promise<void> {
    return this.#pressure.ready;
  }

  /**
   * Runs `fn(...args)` when its turn comes.
   *
   * @typeParam A The types of the arguments.
   * @typeParam R What the function returns.
   * @param fn The function, sync or async.
   * @param args The arguments of the function.
   * @returns The future of what the function returns, awaited.
   * @throws {TypeError} If `fn` is not a function that can be run here.
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   *
   * @example
   * ```ts
   * import { WorkerPoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
   * const future = pool.submit((a: number, b: number) => a * b, 6, 7);
   * assertEquals(await future, 42);
   * ```
   */
  submit<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>> {
    this.checkTask(fn);
    this.assertOpen();
    const context = currentContext();
    // One sink does for all calls of the program itself, which most are.
    const sink = context === undefined
      ? this.#futures
      : new FutureSink(this.#tally, NO_OPTIONS, context);
    const job = sink.job(fn as AnyFunction, args);
    this.enqueue(job);
    return job.target as Future<Awaited<R>>;
  }

  /**
   * Runs `fn(...args)` when its turn comes, and stops the task when its signal is
   * aborted, or its time is up. The task finds out by `currentTask()`.
   *
   * @typeParam A The types of the arguments.
   * @typeParam R What the function returns.
   * @param options What ends the task early, how it is tried again, and what it
   * goes before.
   * @param fn The function, sync or async.
   * @param args The arguments of the function.
   * @returns The future of what the function returns, awaited.
   * @throws {TypeError} If `fn` is not a function that can be run here, or an
   * option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   *
   * @example A task that may fail twice
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * let attempts = 0;
   * const flaky = () => {
   *   if (++attempts < 3) throw new Error("Not yet");
   *   return attempts;
   * };
   * const retry = { maxAttempts: 3, minTimeout: 1 };
   * assertEquals(await pool.submitWith({ retry }, flaky), 3);
   * ```
   *
   * @example A task that takes too long
   * ```ts
   * import { PromisePoolExecutor, TimeoutError } from "@concurrent/futures";
   * import { assertRejects } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
   * const future = pool.submitWith({ timeout: 10 }, sleep, 50);
   * await assertRejects(() => future.result(), TimeoutError);
   * ```
   */
  submitWith<A extends unknown[], R>(
    options: SubmitOptions,
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>> {
    const checked = checkSubmitOptions(options);
    this.checkTask(fn);
    this.assertOpen();
    const sink = checked.retry === undefined
      ? new FutureSink(this.#tally, checked, currentContext())
      : new RetrySink(this.#entrance, checked, checked.retry);
    const job = sink.job(fn as AnyFunction, args);
    if (!job.settled) this.enqueue(job);
    return job.target as Future<Awaited<R>>;
  }

  /**
   * Calls `fn` with each item of `inputs`.
   *
   * At most `bufferSize` items are in flight or unread, so inputs may be
   * endless and results need not fit into memory.
   *
   * Python: `Executor.map`, which consumes all input at once.
   *
   * @typeParam A The type of the items.
   * @typeParam R What the function returns.
   * @param fn The function, sync or async.
   * @param inputs The items to call the function with, sync or async.
   * @param options How many items to have in flight, how long the results may
   * take, and in which order they come.
   * @returns The results, to be iterated or to be awaited as an array.
   * @throws {TypeError} If an argument or an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   *
   * @example One by one, or all at once
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * assertEquals(await pool.map((n: number) => n * n, [1, 2, 3]), [1, 4, 9]);
   *
   * const sums: number[] = [];
   * for await (const sum of pool.map((a: number, b: number) => a + b, [1, 2], [3, 4])) {
   *   sums.push(sum);
   * }
   * assertEquals(sums, [4, 6]);
   * ```
   *
   * @example What becomes of each, instead of the first error
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * const texts = ["[1, 2]", "[3"];
   * const results = await pool.map(JSON.parse, texts, { settled: true });
   * assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
   * ```
   */
  map<A, R>(
    fn: (a: A) => R,
    inputs: Input<A>,
    options?: MapOptions & { settled?: false },
  ): MapResult<Awaited<R>>;
  /** Calls `fn` with each item of an input; no error of a call ends the map. */
  map<A, R>(
    fn: (a: A) => R,
    inputs: Input<A>,
    options: MapOptions & { settled: true },
  ): MapResult<PromiseSettledResult<Awaited<R>>>;
  /** Calls `fn` with the items of two inputs, side by side; the shorter one ends the map. */
  map<A, B, R>(
    fn: (a: A, b: B) => R,
    first: Input<A>,
    second: Input<B>,
    options?: MapOptions & { settled?: false },
  ): MapResult<Awaited<R>>;
  /** Calls `fn` with the items of two inputs, side by side; no error of a call ends the map. */
  map<A, B, R>(
    fn: (a: A, b: B) => R,
    first: Input<A>,
    second: Input<B>,
    options: MapOptions & { settled: true },
  ): MapResult<PromiseSettledResult<Awaited<R>>>;
  /** Calls `fn` with the items of several inputs, side by side; the shortest one ends the map. */
  map<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...inputs: { [K in keyof A]: Input<A[K]> }
  ): MapResult<Awaited<R>>;
  /** Calls `fn` with the items of several inputs, side by side; no error of a call ends the map. */
  map<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...inputsAndOptions: [
      ...{ [K in keyof A]: Input<A[K]> },
      MapOptions & { settled: true },
    ]
  ): MapResult<PromiseSettledResult<Awaited<R>>>;
  /** Calls `fn` with the items of several inputs, side by side; the shortest one ends the map. */
  map<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...inputsAndOptions: [...{ [K in keyof A]: Input<A[K]> }, MapOptions]
  ): MapResult<Awaited<R>>;
  /** Without inputs, there are no results. */
  map<R>(
    fn: (...args: never[]) => R,
    options?: MapOptions,
  ): MapResult<Awaited<R>>;
  map(fn: AnyFunction, ...rest: unknown[]): MapResult<unknown> {
    const { inputs, settings } = this.#mapArguments("map", fn, rest);
    return startMap(fn, inputs, settings, this.#entrance);
  }

  /**
   * Calls `fn` with each item of `inputs`, for what it does: what it returns is
   * not sent back.
   *
   * Python: nothing; there, a `map()` of which nobody reads the results.
   *
   * The first error in time ends it at once: what has not started is cancelled,
   * what runs goes on. Until its whole input is consumed, a `shutdown()` waits for
   * it, awaited or not; `shutdown({ cancelFutures: true })` ends it with a
   * {@linkcode CancelledError}.
   *
   * @typeParam A The type of the items.
   * @param fn The function, sync or async.
   * @param inputs The items to call the function with, sync or async.
   * @param options How many items to have in flight, and how long all may take.
   * @returns A promise that resolves when all calls have ended. As of any promise,
   * it is an error of the program if nobody hears that it rejects.
   * @throws {TypeError} If an argument or an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   *
   * @example
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * const stored: string[] = [];
   * const store = async (text: string) => {
   *   await Promise.resolve();
   *   stored.push(text);
   * };
   * await using pool = new PromisePoolExecutor({ maxWorkers: 1 });
   * await pool.forEach(store, ["one", "two"]);
   * assertEquals(stored, ["one", "two"]);
   * ```
   */
  forEach<A>(
    fn: (a: A) => unknown,
    inputs: Input<A>,
    options?: ForEachOptions,
  ): Promise<void>;
  /** Calls `fn` with the items of two inputs, side by side; the shorter one ends it. */
  forEach<A, B>(
    fn: (a: A, b: B) => unknown,
    first: Input<A>,
    second: Input<B>,
    options?: ForEachOptions,
  ): Promise<void>;
  /** Calls `fn` with the items of several inputs, side by side; the shortest one ends it. */
  forEach<A extends unknown[]>(
    fn: (...args: A) => unknown,
    ...inputs: { [K in keyof A]: Input<A[K]> }
  ): Promise<void>;
  /** Calls `fn` with the items of several inputs, side by side; the shortest one ends it. */
  forEach<A extends unknown[]>(
    fn: (...args: A) => unknown,
    ...inputsAndOptions: [...{ [K in keyof A]: Input<A[K]> }, ForEachOptions]
  ): Promise<void>;
  /** Without inputs, there is nothing to do. */
  forEach(
    fn: (...args: never[]) => unknown,
    options?: ForEachOptions,
  ): Promise<void>;
  forEach(fn: AnyFunction, ...rest: unknown[]): Promise<void> {
    const { inputs, settings } = this.#mapArguments("forEach", fn, rest);
    return startForEach(fn, inputs, settings, this.#entrance);
  }

  /**
   * Takes no more work from now on; `submit` and `map` throw
   * {@linkcode ShutdownError}. Tasks that were submitted still run.
   *
   * Python: `Executor.shutdown`.
   *
   * @param options Whether to wait, for how long, and whether to cancel what has
   * not started.
   * @returns A promise that resolves when all work has ended and every resource
   * is freed, or at once if `wait` is false. Never rejects, but in a task of a
   * promise pool that waits for the shutdown of this pool as the program ends.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If `timeout` is negative or NaN.
   *
   * @example
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assert } from "@std/assert";
   *
   * const pool = new PromisePoolExecutor({ maxWorkers: 1 });
   * const future = pool.submit(() => 1);
   * await pool.shutdown();
   * assert(future.done());
   * ```
   */
  shutdown(options?: ShutdownOptions): Promise<void> {
    const { wait, cancelFutures, timeout } = checkOptions(options);
    const waits = checkBoolean("wait", wait, true);
    const cancels = checkBoolean("cancelFutures", cancelFutures, false);
    const ms = checkDuration("timeout", timeout, Infinity);
    this.#shutdown = true;
    this.#pressure.lift();
    const ended = this.#ending.shutDown(cancels, ms);
    return waits ? ended : Promise.resolve();
  }

  /**
   * Shuts down and waits, at the end of an `await using` block. Never rejects,
   * so the block's own exception is the one that is seen.
   *
   * @returns A promise that resolves when all work has ended.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /**
   * Counts what this executor has done so far, and does now.
   *
   * @returns How many tasks are in which state, and how busy which worker is.
   *
   * @example
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * await pool.map((n: number) => n * n, [1, 2, 3]);
   * assertEquals(pool.stats().finished, 3);
   * ```
   */
  stats(): ExecutorStats {
    return this.#tally.stats(this.activity());
  }

  /**
   * Calls a listener for each task that has ended, as any `EventTarget` does.
   * From the first listener for `"task"` on, workers note when each task
   * begins and ends, which costs up to a microsecond a task.
   *
   * @param type `"task"`, or `"retry"`.
   * @param listener Called with the event.
   * @param options As of any `EventTarget`.
   *
   * @example Who worked on what
   * ```ts
   * import { PromisePoolExecutor } from "@concurrent/futures";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new PromisePoolExecutor();
   * const outcomes: string[] = [];
   * pool.addEventListener("task", ({ outcome }) => outcomes.push(outcome));
   * await pool.submit(() => 42);
   * assertEquals(outcomes, ["finished"]);
   * ```
   */
  override addEventListener(
    type: "task",
    listener: (event: TaskEvent) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Calls a listener for each attempt that has failed, and is followed by another. */
  override addEventListener(
    type: "retry",
    listener: (event: RetryEvent) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** As of any `EventTarget`. */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any -- of either overload
    listener: any,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
    if (type === "task") this.#watch();
  }

  /** Has the console show the state, and what `describe()` adds. */
  [Symbol.for("Deno.customInspect")](inspect: typeof Deno.inspect): string {
    const state = this.#broken !== undefined
      ? "broken"
      : this.#shutdown
      ? "shut down"
      : "open";
    return `${this.constructor.name} ${inspect({ state, ...this.describe() })}`;
  }

  /**
   * Describes this executor for the console, for whoever looks for a task that
   * does not end.
   *
   * @returns Names and values for the console.
   */
  protected describe(): Record<string, unknown> {
    return {};
  }

  /**
   * Tells the part of `stats()` that only the strategy knows.
   *
   * @returns How many calls have been entered and have not ended, and what the
   * workers do.
   */
  protected activity(): Activity {
    return { running: 0, workers: [], utilisation: 0 };
  }

  /** Somebody listens: from now on, jobs are to be given their `timing`. */
  protected watch(): void {}

  /**
   * Takes a job; `assertOpen()` has been called.
   *
   * @param job The calls to make.
   */
  protected abstract enqueue(job: Job): void;

  /**
   * The executor has been shut down, perhaps again.
   *
   * @param cancelFutures Whether to cancel what has not started.
   * @returns A promise that resolves when all work has ended and every resource
   * is freed.
   */
  protected abstract close(cancelFutures: boolean): Promise<void>;

  /** Calls of the queue may be taken that had to wait for the rate of the executor. */
  protected wake(): void {}

  /** Whether arguments that are marked by `transfer()` are moved. */
  protected get moves(): boolean {
    return true;
  }

  /**
   * The time of a shutdown is up: ends all that is left.
   *
   * @returns A promise that resolves when that is done.
   */
  protected abandon(): Promise<void> {
    return this.close(true);
  }

  /**
   * Whatever would bring more jobs ends.
   *
   * @param error Makes the error by which calls end that wait for an attempt;
   * without, each ends by that of its last one.
   */
  protected giveUp(error?: () => Error): void {
    this.#ending.giveUp(error);
  }

  /**
   * Throws unless this executor can run `fn` at all.
   *
   * @param fn The function that was submitted.
   * @throws {TypeError} If `fn` is not a function that can be run here.
   */
  protected checkTask(fn: AnyFunction): void {
    checkFunction("fn", fn);
  }

  /**
   * Throws unless this executor takes jobs.
   *
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   */
  protected assertOpen(): void {
    if (this.#broken !== undefined) throw this.#broken();
    if (this.#shutdown) {
      throw new ShutdownError(
        `Cannot submit to ${this.constructor.name} after its shutdown`,
      );
    }
  }

  /**
   * From now on, whoever submits gets an error.
   *
   * @param error Makes the error, a new one for each caller.
   */
  protected breakWith(error: () => Error): void {
    this.#broken ??= error;
    this.#pressure.lift();
    // Later: inputs run code of users as they are closed, and the strategy has
    // yet to end the jobs that wait.
    Promise.resolve().then(() => {
      this.#ending.closeMaps();
      this.#ending.giveUp(error);
    });
  }

  #watch(): void {
    if (this.#tally.watched) return;
    this.#tally.watched = true;
    this.watch();
  }

  /** Checks the arguments of `map()` or `forEach()`. */
  #mapArguments(
    method: "map" | "forEach",
    fn: AnyFunction,
    rest: unknown[],
  ): MapArguments {
    this.checkTask(fn);
    const checked = checkMapArguments(method, rest);
    this.assertOpen();
    return checked;
  }
}

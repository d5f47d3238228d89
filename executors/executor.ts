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

import { checkBoolean, checkFunction, checkOptions } from "./arguments.ts";
import { ShutdownError } from "./errors.ts";
import type { Future } from "./future.ts";
import { FutureSink } from "./job/future_sink.ts";
import type { Entrance, Job } from "./job/job.ts";
import {
  checkSubmitOptions,
  NO_OPTIONS,
  type SubmitOptions,
} from "./job/options.ts";
import {
  howToIterate,
  type Input,
  type Source,
  sourceOf,
} from "./map/inputs.ts";
import {
  checkMapOptions,
  type MapOptions,
  type MapResult,
  type MapTarget,
  type OpenMap,
} from "./map/options.ts";
import { startMap } from "./map/run.ts";
import { currentContext } from "./runtime/async_context.ts";
import {
  type Activity,
  type ExecutorStats,
  Tally,
  type TaskEvent,
} from "./stats.ts";
import type { AnyFunction } from "./task.ts";
import { show } from "./text.ts";

/** Options of {@linkcode Executor.shutdown}. */
export interface ShutdownOptions {
  /**
   * Whether to wait until all work has ended and every resource is freed.
   *
   * @default {true}
   */
  wait?: boolean;
  /**
   * Whether to cancel what has not started.
   *
   * @default {false}
   */
  cancelFutures?: boolean;
}

/** Options of executors that have an initializer. */
export interface InitializerOptions {
  /**
   * Called before the first task: once in the promise pool, once in each
   * worker elsewhere. If it throws, the executor is broken.
   */
  // deno-lint-ignore no-explicit-any
  initializer?: (...args: any[]) => unknown;
  /** The arguments of the initializer. */
  initArgs?: readonly unknown[];
}

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
  readonly #tally: Tally = new Tally(this);
  readonly #futures = new FutureSink(this.#tally);
  /**
   * The maps to tell when the executor takes no more jobs: one whose input
   * never answers will not ask.
   */
  readonly #openMaps = new Set<OpenMap>();
  readonly #entrance: MapTarget = {
    tally: this.#tally,
    openMaps: this.#openMaps,
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
   * @param options The signal and the time-out of the task.
   * @param fn The function, sync or async.
   * @param args The arguments of the function.
   * @returns The future of what the function returns, awaited.
   * @throws {TypeError} If `fn` is not a function that can be run here, or an
   * option has the wrong type.
   * @throws {RangeError} If `timeout` is not more than 0.
   * @throws {BrokenExecutorError} If the executor is broken.
   * @throws {ShutdownError} If the executor has been shut down.
   *
   * @example
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
    const sink = new FutureSink(this.#tally, checked, currentContext());
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
   */
  map<A, R>(
    fn: (a: A) => R,
    inputs: Input<A>,
    options?: MapOptions,
  ): MapResult<Awaited<R>>;
  /** Calls `fn` with the items of two inputs, side by side; the shorter one ends the map. */
  map<A, B, R>(
    fn: (a: A, b: B) => R,
    first: Input<A>,
    second: Input<B>,
    options?: MapOptions,
  ): MapResult<Awaited<R>>;
  /** Calls `fn` with the items of several inputs, side by side; the shortest one ends the map. */
  map<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...inputs: { [K in keyof A]: Input<A[K]> }
  ): MapResult<Awaited<R>>;
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
    this.checkTask(fn);
    const sources = rest.map(sourceOf);
    const options = isMapOptions(rest, sources.at(-1))
      ? rest.pop() as MapOptions | undefined
      : undefined;
    const settings = checkMapOptions(options);
    const inputs = rest.map((input, i) => {
      const source = sources[i];
      if (source !== undefined) return source;
      const hint = howToIterate(input);
      throw new TypeError(
        `Input ${i + 1} of map() must be iterable: received ${show(input)}${
          hint === undefined ? "" : `; ${hint}`
        }`,
      );
    });
    this.assertOpen();
    return startMap(fn, inputs, settings, this.#entrance);
  }

  /**
   * Takes no more work from now on; `submit` and `map` throw
   * {@linkcode ShutdownError}. Tasks that were submitted still run.
   *
   * Python: `Executor.shutdown`.
   *
   * @param options Whether to wait, and whether to cancel what has not started.
   * @returns A promise that resolves when all work has ended and every resource
   * is freed, or at once if `wait` is false. Never rejects, but in a task of a
   * promise pool that waits for the shutdown of this pool as the program ends.
   * @throws {TypeError} If an option has the wrong type.
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
    const { wait, cancelFutures } = checkOptions(options);
    const waits = checkBoolean("wait", wait, true);
    const cancels = checkBoolean("cancelFutures", cancelFutures, false);
    this.#shutdown = true;
    const closed = this.close(cancels);
    this.#closeMaps();
    return waits ? closed : Promise.resolve();
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
   * @param type `"task"`.
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
    // Later: inputs run code of users as they are closed, and the strategy has
    // yet to end the jobs that wait.
    Promise.resolve().then(() => this.#closeMaps());
  }

  #watch(): void {
    if (this.#tally.watched) return;
    this.#tally.watched = true;
    this.watch();
  }

  /** Ends the inputs of all maps. */
  #closeMaps(): void {
    const maps = [...this.#openMaps];
    this.#openMaps.clear();
    for (const map of maps) map.executorClosed();
  }
}

/** Whether the last of map()'s arguments holds its options. */
function isMapOptions(rest: unknown[], source: Source | undefined): boolean {
  const last = rest.at(-1);
  // map(fn, undefined) is a missing input rather than missing options.
  if (last === undefined) return rest.length > 1;
  // A promise, an iterator or an array-like is an input that was meant.
  return typeof last === "object" && last !== null && source === undefined &&
    howToIterate(last) === undefined;
}

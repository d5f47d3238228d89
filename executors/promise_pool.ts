/**
 * The executor for work that waits: promises in this isolate, a bounded number
 * of them at a time.
 *
 * @module
 */

import { checkCount, checkInitializer, checkOptions } from "./arguments.ts";
import { asProgram, keepScopes } from "./current_task.ts";
import { Deque } from "./deque.ts";
import {
  BrokenExecutorError,
  type CancelledError,
  type TimeoutError,
} from "./errors.ts";
import { Executor, type InitializerOptions } from "./executor.ts";
import { isThenable } from "./future.ts";
import { CallScope, runInScope, taskIsAsked } from "./running_task.ts";
import { type Activity, wallTime } from "./stats.ts";
import { unwrapTransfer } from "./transfer.ts";
import {
  type AnyFunction,
  rejectAll,
  type WorkHolder,
  type WorkItem,
} from "./work_item.ts";

/** Python's default for threads: enough to overlap waiting, few enough to be kind to servers. */
const MAX_DEFAULT_WORKERS = 32;

/** The name of its one worker, which is this thread. */
const MAIN = "main";

/** Options of {@linkcode PromisePoolExecutor}. */
export interface PromisePoolExecutorOptions extends InitializerOptions {
  /**
   * How many functions run at a time, an integer of at least 1.
   *
   * @default {Math.min(32, navigator.hardwareConcurrency + 4)}
   */
  maxWorkers?: number;
}

/**
 * Runs at most `maxWorkers` functions at a time in this isolate, first in,
 * first out. It overlaps waiting (requests, files, timers), not computing, as
 * threads do under Python's GIL. What an `AsyncLocalStorage` holds where a task
 * is submitted is not seen by the task, as with threads; pass it on as an
 * argument.
 *
 * Python: `concurrent.futures.ThreadPoolExecutor`.
 *
 * @example A thousand requests, ten at a time
 * ```ts
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * async function length(url: string) {
 *   return (await (await fetch(url)).text()).length;
 * }
 * await using pool = new PromisePoolExecutor({ maxWorkers: 10 });
 * const urls = ["data:,one", "data:,three"];
 * assertEquals(await pool.map(length, urls), [3, 5]);
 * ```
 */
export class PromisePoolExecutor extends Executor {
  readonly #maxWorkers: number;
  readonly #queue = new Deque<WorkItem>();
  #running = 0;
  readonly #lanes = new Set<Lane>();
  /** A turn of {@linkcode PromisePoolExecutor.#drain} is due, or held back by the initializer. */
  #scheduled = false;
  #initializer: { fn: AnyFunction; args: readonly unknown[] } | undefined;
  readonly #idle: (() => void)[] = [];
  readonly #born = performance.now();
  #ended = 0;
  /** For how long something has run, and since when it does again. */
  #busyMs = 0;
  #busySince = 0;

  /**
   * Makes an executor; nothing runs until something is submitted.
   *
   * @param options How many at a time, and what to run before the first.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If `maxWorkers` is not an integer of at least 1.
   */
  constructor(options?: PromisePoolExecutorOptions) {
    super();
    const { maxWorkers, ...rest } = checkOptions(options);
    this.#maxWorkers = checkCount(
      "maxWorkers",
      maxWorkers,
      Math.min(MAX_DEFAULT_WORKERS, navigator.hardwareConcurrency + 4),
    );
    this.#initializer = checkInitializer(rest);
  }

  /** Takes an item; it is entered in a later microtask, when its turn comes. */
  protected override enqueue(item: WorkItem): void {
    this.#queue.push(item);
    this.#schedule();
  }

  /** Cancels what waits if asked to, and resolves when nothing runs any more. */
  protected override close(cancelFutures: boolean): Promise<void> {
    if (cancelFutures) {
      for (const item of [...this.#queue]) item.cancel();
    }
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#schedule();
    });
  }

  /** How many functions run, and how many items wait. */
  protected override describe(): Record<string, unknown> {
    return {
      maxWorkers: this.#maxWorkers,
      running: this.#running,
      queued: this.#queue.length,
    };
  }

  /** All of it runs in one thread, so that is its one worker. */
  protected override activity(): Activity {
    const now = performance.now();
    const running = this.#running > 0;
    const busyMs = this.#busyMs + (running ? now - this.#busySince : 0);
    // What was stopped and goes on has ended for whoever submitted it.
    const open = [...this.#lanes].filter(({ item }) => item?.settled === false);
    return {
      running: open.length,
      workers: [{
        name: MAIN,
        state: running ? "running" : "idle",
        tasks: this.#ended,
        busyMs,
      }],
      utilisation: Math.min(1, busyMs / (now - this.#born)),
    };
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    keepScopes().then(() => this.#drain());
  }

  #drain(): void {
    if (this.#initializer !== undefined && this.#queue.length > 0) {
      const initializer = this.#initializer;
      asProgram(() => this.#initialize(initializer));
      return;
    }
    this.#scheduled = false;
    while (this.#running < this.#maxWorkers && this.#queue.length > 0) {
      if (this.#running++ === 0) this.#busySince = performance.now();
      const lane = new Lane();
      this.#lanes.add(lane);
      asProgram(() => runInScope(lane.scope, () => this.#work(lane)));
    }
    if (this.#running === 0 && this.#queue.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Holds everything back until the initializer has ended, well or badly. */
  async #initialize(
    { fn, args }: { fn: AnyFunction; args: readonly unknown[] },
  ): Promise<void> {
    this.#initializer = undefined;
    try {
      await fn(...args);
    } catch (cause) {
      const broken = () =>
        new BrokenExecutorError(
          "The initializer of PromisePoolExecutor failed",
          { cause },
        );
      this.breakWith(broken);
      const pending = [...this.#queue];
      this.#queue.clear();
      for (const item of pending) rejectAll(item, broken);
    }
    this.#drain();
  }

  /** Runs one item after another until none waits. */
  async #work(lane: Lane): Promise<void> {
    const kept = lane.scope;
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      item.holder = lane;
      const scope = lane.enter(item);
      const started = item.timed ? wallTime() : 0;
      let outcome: unknown;
      let failed = false;
      let ended = 0;
      try {
        const returned = scope === kept
          ? callItem(item)
          : runInScope(scope, () => callItem(item));
        // What has computed has ended now: others may compute before this goes on.
        if (started > 0 && !isThenable(returned)) ended = wallTime();
        outcome = await returned;
      } catch (error) {
        outcome = error;
        failed = true;
      }
      scope.end();
      lane.item = undefined;
      this.#ended++;
      if (started > 0) {
        item.timing = { worker: MAIN, started, ended: ended || wallTime() };
      }
      if (failed) item.reject(outcome);
      else item.resolve(unwrapTransfer(outcome));
    }
    this.#lanes.delete(lane);
    if (--this.#running === 0) {
      this.#busyMs += performance.now() - this.#busySince;
    }
    this.#schedule();
  }

  /** The next call that is to be made. */
  #next(): WorkItem | undefined {
    for (
      let item = this.#queue.shift();
      item !== undefined;
      item = this.#queue.shift()
    ) {
      if (item.count > 1) this.#queue.unshift(item.split(1));
      if (item.start()) return item;
    }
  }
}

/** One of the `maxWorkers` places, and the way to stop what runs in it. */
class Lane implements WorkHolder {
  readonly name = MAIN;
  /** What it runs, and the scope of that. */
  item: WorkItem | undefined;
  scope = new CallScope();

  /**
   * The scope for the next task. One of its own tells code that outlives its
   * task that the task is over; as making one takes longer than a trivial task
   * and burdens the garbage collector, that is left until somebody asks.
   */
  enter(item: WorkItem): CallScope {
    this.item = item;
    if (taskIsAsked()) this.scope = new CallScope();
    this.scope.begin();
    return this.scope;
  }

  entered(): boolean {
    return true;
  }

  revoke(): undefined {}

  stop(_item: WorkItem, reason: CancelledError | TimeoutError): void {
    this.scope.task?.stop(reason);
  }
}

function callItem({ fn, args, transfers }: WorkItem): unknown {
  return transfers ? fn(...args.map(unwrapTransfer)) : fn(...args);
}

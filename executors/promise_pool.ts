/**
 * The executor for work that waits: promises in this isolate, a bounded number
 * of them at a time.
 *
 * @module
 */

import { checkCount, checkInitializer, checkOptions } from "./arguments.ts";
import { RunningTask, type TaskScope, taskScopes } from "./current_task.ts";
import { Deque } from "./deque.ts";
import {
  BrokenExecutorError,
  type CancelledError,
  type TimeoutError,
} from "./errors.ts";
import { Executor, type InitializerOptions } from "./executor.ts";
import { isThenable } from "./future.ts";
import { unwrapTransfer } from "./transfer.ts";
import {
  type AnyFunction,
  rejectAll,
  type WorkHolder,
  type WorkItem,
} from "./work_item.ts";

/** Python's default for threads: enough to overlap waiting, few enough to be kind to servers. */
const MAX_DEFAULT_WORKERS = 32;

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
 * threads do under Python's GIL.
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
  /** A turn of {@linkcode PromisePoolExecutor.#drain} is due, or held back by the initializer. */
  #scheduled = false;
  #initializer: { fn: AnyFunction; args: readonly unknown[] } | undefined;
  readonly #idle: (() => void)[] = [];

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

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    if (this.#initializer !== undefined && this.#queue.length > 0) {
      this.#initialize(this.#initializer);
      return;
    }
    this.#scheduled = false;
    while (this.#running < this.#maxWorkers && this.#queue.length > 0) {
      const item = this.#queue.shift()!;
      if (item.count > 1) this.#queue.unshift(item.split(1));
      if (item.start()) this.#run(item);
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

  #run(item: WorkItem): void {
    const lane = new Lane();
    item.holder = lane;
    this.#running++;
    let returned: unknown;
    try {
      returned = taskScopes.run(lane, callItem, item);
      if (isThenable(returned)) {
        Promise.resolve(returned).then(
          (value) => this.#end(item, lane, value, false),
          (error) => this.#end(item, lane, error, true),
        );
        return;
      }
    } catch (error) {
      this.#end(item, lane, error, true);
      return;
    }
    this.#end(item, lane, returned, false);
  }

  #end(item: WorkItem, lane: Lane, outcome: unknown, failed: boolean): void {
    lane.task = undefined;
    this.#running--;
    if (failed) item.reject(outcome);
    else item.resolve(unwrapTransfer(outcome));
    this.#schedule();
  }
}

/** One running function: its scope, and the way to stop it. */
class Lane implements TaskScope, WorkHolder {
  task: RunningTask | undefined = new RunningTask();

  entered(): boolean {
    return true;
  }

  revoke(): undefined {}

  stop(_item: WorkItem, reason: CancelledError | TimeoutError): void {
    this.task?.stop(reason);
  }
}

function callItem({ fn, args }: WorkItem): unknown {
  return fn(...args.map(unwrapTransfer));
}

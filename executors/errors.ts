/**
 * The errors that a caller may want to catch. Wrong arguments are plain
 * `TypeError`s and `RangeError`s.
 *
 * @module
 */

import { isInstance, setErrorName } from "./error_classes.ts";

/**
 * The class of which all errors of this package are instances.
 *
 * @example Telling the pool's errors from the task's own
 * ```ts
 * import { CancelledError, ConcurrentError } from "@concurrent/futures";
 * import { assert } from "@std/assert";
 *
 * assert(new CancelledError() instanceof ConcurrentError);
 * ```
 */
export class ConcurrentError extends Error {
  static {
    setErrorName(this, "ConcurrentError");
  }

  /**
   * Tells errors of this class, and of the same class in other copies of this
   * package: a bundle has one of its own.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstance(value, this.prototype);
  }
}

/**
 * The task was cancelled; `cause` is the reason, if one was given.
 *
 * Python: `concurrent.futures.CancelledError`.
 *
 * @example
 * ```ts
 * import { CancelledError, Future } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * const { future } = Future.withResolvers<number>();
 * future.cancel();
 * await assertRejects(() => future.result(), CancelledError);
 * ```
 */
export class CancelledError extends ConcurrentError {
  static {
    setErrorName(this, "CancelledError");
  }
}

/**
 * A wait, or a task with a `timeout`, took longer than it was given.
 *
 * Python: `concurrent.futures.TimeoutError`.
 *
 * @example
 * ```ts
 * import { Future, TimeoutError } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * const { future } = Future.withResolvers<number>();
 * await assertRejects(() => future.result({ timeout: 0 }), TimeoutError);
 * ```
 */
export class TimeoutError extends ConcurrentError {
  static {
    setErrorName(this, "TimeoutError");
  }
}

/**
 * Something was asked of a future, or of an executor, that its state forbids.
 *
 * Python: `concurrent.futures.InvalidStateError`.
 *
 * @example
 * ```ts
 * import { Future, InvalidStateError } from "@concurrent/futures";
 * import { assertThrows } from "@std/assert";
 *
 * const { resolve } = Future.withResolvers<number>();
 * resolve(1);
 * assertThrows(() => resolve(2), InvalidStateError);
 * ```
 */
export class InvalidStateError extends ConcurrentError {
  static {
    setErrorName(this, "InvalidStateError");
  }
}

/**
 * The executor takes no more work because it has been shut down.
 *
 * Python raises a bare `RuntimeError` here.
 *
 * @example
 * ```ts
 * import { PromisePoolExecutor, ShutdownError } from "@concurrent/futures";
 * import { assertThrows } from "@std/assert";
 *
 * const pool = new PromisePoolExecutor();
 * await pool.shutdown();
 * assertThrows(() => pool.submit(() => 1), ShutdownError);
 * ```
 */
export class ShutdownError extends ConcurrentError {
  static {
    setErrorName(this, "ShutdownError");
  }
}

/**
 * A worker could not find the function of a `task()`. The message says what to
 * write; `cause` is the error of the module, if it did not load.
 *
 * @example A name that the module does not export
 * ```ts
 * import { task, TaskNotFoundError, WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
 * const lost = task({ url: "data:text/javascript,export {}" }, "lost", () => 1);
 * await assertRejects(() => pool.submit(lost).result(), TaskNotFoundError);
 * ```
 */
export class TaskNotFoundError extends ConcurrentError {
  static {
    setErrorName(this, "TaskNotFoundError");
  }
}

/**
 * The executor can no longer work: its initializer threw, or its workers die
 * before they are ready. `cause` says why.
 *
 * Python: `concurrent.futures.BrokenExecutor`.
 *
 * @example
 * ```ts
 * import { BrokenExecutorError, PromisePoolExecutor } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * await using pool = new PromisePoolExecutor({
 *   initializer: () => {
 *     throw new Error("No such database");
 *   },
 * });
 * await assertRejects(() => pool.submit(() => 1).result(), BrokenExecutorError);
 * ```
 */
export class BrokenExecutorError extends ConcurrentError {
  static {
    setErrorName(this, "BrokenExecutorError");
  }
}

/**
 * The worker died while it ran this task, or was the third that died with the
 * task before any had entered it. The executor has replaced the worker and goes
 * on; `cause` is the error that killed the worker, if one did.
 *
 * Python breaks the whole pool instead (`BrokenProcessPool`).
 *
 * @example
 * ```ts
 * import { WorkerCrashedError, WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
 * await assertRejects(() => pool.submit(() => Deno.exit(1)).result(), WorkerCrashedError);
 * assertEquals(await pool.submit(() => 1), 1);
 * ```
 */
export class WorkerCrashedError extends BrokenExecutorError {
  static {
    setErrorName(this, "WorkerCrashedError");
  }
}

/**
 * The task was running when `terminate()` closed its worker.
 *
 * @example
 * ```ts
 * import { WorkerPoolExecutor, WorkerTerminatedError } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
 * await pool.start();
 * const future = pool.submit(() => new Promise(() => setInterval(() => {}, 1000)));
 * while (!future.running()) await new Promise((resolve) => setTimeout(resolve, 1));
 * await pool.terminate();
 * await assertRejects(() => future.result(), WorkerTerminatedError);
 * ```
 */
export class WorkerTerminatedError extends BrokenExecutorError {
  static {
    setErrorName(this, "WorkerTerminatedError");
  }
}

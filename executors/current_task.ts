/**
 * What a task can ask about itself while it runs, and how the executors tell
 * it.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { askForTask, keepScopesBy, type TaskScope } from "./running_task.ts";

/** The running task, as it sees itself; see {@linkcode currentTask}. */
export interface CurrentTask {
  /** Aborted when the task is to stop; its reason is a `CancelledError` or a `TimeoutError`. */
  readonly signal: AbortSignal;
  /** Whether the task is to stop; live even inside a loop that never yields, in a worker. */
  readonly cancelled: boolean;
  /** Throws the signal's reason if the task is to stop. */
  throwIfCancelled(): void;
}

/** One for the isolate: a task in a pool inside a task sees the inner one. */
const scopes = new AsyncLocalStorage<TaskScope>();
keepScopesBy((scope, fn) => scopes.run(scope, fn));

/**
 * Runs something as the program itself, not as the task or the request that
 * happens to be the first to need it.
 */
export const asProgram: <R>(fn: () => R) => R = AsyncLocalStorage.snapshot();

/**
 * The task that the calling code belongs to.
 *
 * In a worker, `cancelled` reads memory shared with the host, so a loop that
 * never yields may ask it. A task that does not return within the executor's
 * `gracePeriod` has its worker closed.
 *
 * @returns The task, or `undefined` outside one and after it has ended.
 *
 * @example A task that stops when it is told to
 * ```ts
 * import { CancelledError, currentTask, PromisePoolExecutor } from "@concurrent/futures";
 * import { assertRejects } from "@std/assert";
 *
 * async function poll() {
 *   while (true) {
 *     currentTask()?.throwIfCancelled();
 *     await new Promise((resolve) => setTimeout(resolve, 1));
 *   }
 * }
 * await using pool = new PromisePoolExecutor();
 * const signal = AbortSignal.timeout(20);
 * await assertRejects(() => pool.submitWith({ signal }, poll).result(), CancelledError);
 * ```
 */
export function currentTask(): CurrentTask | undefined {
  return askForTask(scopes.getStore());
}

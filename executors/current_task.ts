/**
 * Lets a task ask about itself while it runs.
 *
 * @module
 */

import type { CurrentTask } from "./running_task.ts";
import { taskScopes } from "./task_scopes.ts";

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
  return taskScopes.ask();
}

/**
 * What a task can ask about itself while it runs, and how the executors tell
 * it.
 *
 * @module
 */

import type { AsyncLocalStorage } from "node:async_hooks";
import {
  askForTask,
  type CurrentTask,
  keepScopesBy,
  type TaskScope,
} from "./running_task.ts";

/** One for the isolate: a task in a pool inside a task sees the inner one. */
let scopes: AsyncLocalStorage<TaskScope> | undefined;

/** See {@linkcode asProgram}. */
let runAsProgram: (<R>(fn: () => R) => R) | undefined;

const asked = Promise.withResolvers<void>();

/** Begins here, where nobody's context is taken for that of the program. */
const keeping: Promise<void> = asked.promise.then(loadStorage);

/** Resolves when scopes are kept from then on. */
export function keepScopes(): Promise<void> {
  asked.resolve();
  return keeping;
}

async function loadStorage(): Promise<void> {
  const { AsyncLocalStorage } = await import("node:async_hooks");
  const storage = new AsyncLocalStorage<TaskScope>();
  scopes = storage;
  runAsProgram = AsyncLocalStorage.snapshot();
  keepScopesBy((scope, fn) => storage.run(scope, fn));
}

/**
 * Runs something as the program itself, not as the task or the request that
 * happens to be the first to need it. Only when scopes are kept.
 */
export function asProgram<R>(fn: () => R): R {
  return runAsProgram!(fn);
}

/** The scope that the calling code belongs to, if one is kept. */
export function currentScope(): TaskScope | undefined {
  return scopes?.getStore();
}

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
  keepScopes();
  return askForTask(scopes?.getStore());
}

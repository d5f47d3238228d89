/**
 * How the code that a task starts finds the task again after each `await`.
 *
 * `AsyncLocalStorage` keeps a scope for such code, but takes 5 ms to load and, in
 * a worker, 1.5 MiB: a worker loads it when a task asks for itself. Until then
 * the worker makes one call after another, so that the code which asks first
 * belongs to the scope that was entered last.
 *
 * @module
 */

import type { AsyncLocalStorage } from "node:async_hooks";
import type { CurrentTask, TaskScope } from "./running_task.ts";
import { shared } from "./runtime/shared.ts";

/** The scopes of one isolate: a task in a pool inside a task sees the inner one. */
class TaskScopes {
  #storage: AsyncLocalStorage<TaskScope> | undefined;
  /** The scope that was entered last before scopes were kept. */
  #unkept: TaskScope | undefined;
  #asked = false;
  readonly #wanted = Promise.withResolvers<void>();
  /**
   * Chained as this module is loaded, so that the load runs as the program, not
   * as the task that asks first.
   */
  readonly #kept: Promise<void> = this.#wanted.promise.then(() => this.#load());

  /** Has scopes kept; resolves when they are. */
  keep(): Promise<void> {
    this.#wanted.resolve();
    return this.#kept;
  }

  /** Whether scopes are kept. */
  get areKept(): boolean {
    return this.#storage !== undefined;
  }

  /** Whether a task has asked for itself: then each call needs a scope of its own. */
  get areAsked(): boolean {
    return this.#asked;
  }

  /** Calls `fn`; the code that it starts belongs to `scope`. */
  run<R>(scope: TaskScope, fn: () => R): R {
    if (this.#storage !== undefined) return this.#storage.run(scope, fn);
    this.#unkept = scope;
    return fn();
  }

  /** The scope that the calling code belongs to, if scopes are kept. */
  get current(): TaskScope | undefined {
    return this.#storage?.getStore();
  }

  /** The task that the calling code belongs to; from now on, each call needs a scope of its own. */
  ask(): CurrentTask | undefined {
    this.keep();
    this.#asked = true;
    return (this.current ?? this.#unkept)?.task;
  }

  async #load(): Promise<void> {
    const { AsyncLocalStorage } = await import("node:async_hooks");
    this.#storage = new AsyncLocalStorage<TaskScope>();
  }
}

/** The scopes of this isolate. */
export const taskScopes: TaskScopes = shared(
  "task-scopes/2",
  () => new TaskScopes(),
);

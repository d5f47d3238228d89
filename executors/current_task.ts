/**
 * What a task can ask about itself while it runs, and how the executors tell
 * it.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { CancelledError, TimeoutError } from "./errors.ts";

/** The running task, as it sees itself; see {@linkcode currentTask}. */
export interface CurrentTask {
  /** Aborted when the task is to stop; its reason is a `CancelledError` or a `TimeoutError`. */
  readonly signal: AbortSignal;
  /** Whether the task is to stop; live even inside a loop that never yields, in a worker. */
  readonly cancelled: boolean;
  /** Throws the signal's reason if the task is to stop. */
  throwIfCancelled(): void;
}

/** What the code that a task starts finds again after each `await`. */
export interface TaskScope {
  /** The task; `undefined` once it has ended, for code that outlives it. */
  task: CurrentTask | undefined;
}

/** One for the isolate: a task in a pool inside a task sees the inner one. */
export const taskScopes: AsyncLocalStorage<TaskScope> = new AsyncLocalStorage();

/**
 * Runs something as the program itself, not as the task or the request that
 * happens to be the first to need it.
 */
export const asProgram: <R>(fn: () => R) => R = AsyncLocalStorage.snapshot();

/** Whether anybody in this isolate has asked for the current task. */
let asked = false;

/** Whether scopes have to be exact; see where they are made. */
export function taskIsAsked(): boolean {
  return asked;
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
  asked = true;
  return taskScopes.getStore()?.task;
}

/** Who knows that a task is to stop before any message can arrive. */
export interface StopSource {
  stopReason(task: RunningTask): CancelledError | TimeoutError | undefined;
}

/** A running task on the side of whoever runs it. */
export class RunningTask implements CurrentTask {
  readonly #source: StopSource | undefined;
  #reason: CancelledError | TimeoutError | undefined;
  #controller: AbortController | undefined;

  /** `source` is asked whenever the task asks. */
  constructor(source?: StopSource) {
    this.#source = source;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      // Most tasks never ask, and a controller costs more than a tiny task.
      this.#controller = new AbortController();
      if (this.cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    if (this.#reason === undefined) {
      const reason = this.#source?.stopReason(this);
      if (reason !== undefined) this.stop(reason);
    }
    return this.#reason !== undefined;
  }

  throwIfCancelled(): void {
    if (this.cancelled) throw this.#reason;
  }

  /** Tells the task to stop; the first reason stays. */
  stop(reason: CancelledError | TimeoutError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

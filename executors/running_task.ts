/**
 * A running task on the side of whoever runs it, and how the code that it
 * starts finds it again. Knows nothing of `AsyncLocalStorage`, which takes
 * memory and time to load: a worker does that when a task asks.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "./errors.ts";

/** The running task, as it sees itself; see `currentTask()`. */
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
  readonly task: CurrentTask | undefined;
}

/** The scope of calls that are made one after another. */
export class CallScope implements TaskScope {
  readonly #source: StopSource | undefined;
  #running = false;
  #task: RunningTask | undefined;

  /** `source` is asked whenever a task asks. */
  constructor(source?: StopSource) {
    this.#source = source;
  }

  /** The task of the running call; made when somebody asks, as most never do. */
  get task(): RunningTask | undefined {
    if (!this.#running) return undefined;
    return this.#task ??= new RunningTask(this.#source);
  }

  /** Whether this is the task of the running call. */
  runs(task: RunningTask): boolean {
    return this.#task === task;
  }

  /** Whether a call has begun and has not ended. */
  get running(): boolean {
    return this.#running;
  }

  /** A call begins. */
  begin(): void {
    this.#running = true;
  }

  /** It has ended. */
  end(): void {
    this.#running = false;
    this.#task = undefined;
  }
}

/** Keeps a scope for what a function does now and after each `await`. */
export type KeepScope = <R>(scope: TaskScope, fn: () => R) => R;

let keepScope: KeepScope | undefined;

/** The scope of what began when nothing could keep scopes. */
let unkept: TaskScope | undefined;

/** Whether anybody in this isolate has asked for the current task. */
let asked = false;

/** From now on scopes are kept. */
export function keepScopesBy(keep: KeepScope): void {
  keepScope = keep;
}

/** Whether that has been done. */
export function scopesAreKept(): boolean {
  return keepScope !== undefined;
}

/** Calls `fn`; the code that it starts belongs to `scope`. */
export function runInScope<R>(scope: TaskScope, fn: () => R): R {
  if (keepScope !== undefined) return keepScope(scope, fn);
  unkept = scope;
  return fn();
}

/** Somebody asks: the task of the scope that was kept, if there is one. */
export function askForTask(
  kept: TaskScope | undefined,
): CurrentTask | undefined {
  asked = true;
  return (kept ?? unkept)?.task;
}

/** Whether scopes have to be exact; see where they are made. */
export function taskIsAsked(): boolean {
  return asked;
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

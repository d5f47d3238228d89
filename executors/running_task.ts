/**
 * A running task on the side of whoever runs it, and the scope by which the code
 * that the task starts finds it again.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "./errors.ts";

/** The running task, as it sees itself; see `currentTask()`. */
export interface CurrentTask {
  /** Aborted when the task is to stop; the reason is a `CancelledError` or a `TimeoutError`. */
  readonly signal: AbortSignal;
  /** Whether the task is to stop; in a worker, up to date even inside a loop that never yields. */
  readonly cancelled: boolean;
  /** Throws the signal's reason if the task is to stop. */
  throwIfCancelled(): void;
  /**
   * Sends a value to `onReport` where the task was submitted; nothing happens
   * if nobody listens there, or the task has ended. The value is copied at once,
   * by structured clone, or moved if `transfer()` marks it, and leaves at once,
   * also if the task never yields. A task in a process waits while the program
   * does not read; in a thread, what nobody has heard yet is kept in memory.
   *
   * @param value What to report.
   * @throws {DOMException} If the value cannot be cloned, or over NATS has more
   * than about 700,000 bytes.
   */
  report(value: unknown): void;
  /** Which attempt at the task this is, counted from 1. */
  readonly attempt: number;
}

/** Belongs to the code that a task starts, also after each `await`. */
export interface TaskScope {
  /** The task; `undefined` once it has ended, for code that outlives it. */
  readonly task: CurrentTask | undefined;
}

/** The scope of one call, or of calls that are made one after another. */
export class CallScope implements TaskScope {
  readonly #maker: CallMaker;
  #running = false;
  #task: RunningTask | undefined;

  /** Makes a scope for calls of `maker`. */
  constructor(maker: CallMaker) {
    this.#maker = maker;
  }

  /** The task of the running call; made when it is asked for, as most never are. */
  get task(): RunningTask | undefined {
    if (!this.#running) return undefined;
    return this.#task ??= new RunningTask(this.#maker);
  }

  /** Whether a call has begun and has not ended. */
  get running(): boolean {
    return this.#running;
  }

  /** A call begins. */
  begin(): void {
    this.#running = true;
  }

  /** The call has ended. */
  end(): void {
    this.#running = false;
    this.#task?.end();
    this.#task = undefined;
  }
}

/** Makes calls one at a time, and is asked by the task of the running one. */
export interface CallMaker {
  /** Which attempt at the running call this is, counted from 1. */
  readonly attempt: number;
  /** Why the running call is to stop, where that is known before any message can arrive. */
  stopReason(): CancelledError | TimeoutError | undefined;
  /** The running call reports a value; throws if that cannot be cloned. */
  report(value: unknown): void;
}

/** A running task on the side of whoever runs it. */
export class RunningTask implements CurrentTask {
  readonly attempt: number;
  /** `undefined` once the task has ended: another call runs there now. */
  #maker: CallMaker | undefined;
  #reason: CancelledError | TimeoutError | undefined;
  #controller: AbortController | undefined;

  /** Makes the task of the call that `maker` runs. */
  constructor(maker: CallMaker) {
    this.attempt = maker.attempt;
    this.#maker = maker;
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
      const reason = this.#maker?.stopReason();
      if (reason !== undefined) this.stop(reason);
    }
    return this.#reason !== undefined;
  }

  throwIfCancelled(): void {
    if (this.cancelled) throw this.#reason;
  }

  report(value: unknown): void {
    this.#maker?.report(value);
  }

  /** Tells the task to stop; the first reason stays. */
  stop(reason: CancelledError | TimeoutError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  /** The call has ended. */
  end(): void {
    this.#maker = undefined;
  }
}

/**
 * Makes the calls of one batch in the executor of this node, by what every
 * executor offers: `submitWith()`, futures, and events for tasks that are timed.
 *
 * @module
 */

import {
  BrokenExecutorError,
  ShutdownError,
  WorkerCrashedError,
} from "../../errors.ts";
import type { Executor } from "../../executor.ts";
import type { Future } from "../../future.ts";
import type { CallTiming, TaskEvent } from "../../stats.ts";
import type { AnyFunction } from "../../task.ts";

/** Hears of calls, each once, and of none that was stopped or taken back. */
export interface CallListener {
  /** A call returned or threw something. */
  ended(
    call: number,
    failed: boolean,
    value: unknown,
    timing: CallTiming | undefined,
  ): void;
  /** The executor will not make the call, for a reason of its own, or will not end it: then it may have `begun`. */
  lost(call: number, begun: boolean, error: unknown): void;
}

/** A call that was submitted and has not ended. */
interface OpenCall {
  readonly future: Future<unknown>;
  readonly stop: AbortController;
}

/** The executor of a node, shared by its batches. */
export class LocalExecutor {
  readonly executor: Executor;
  /** Ends what was begun by `watch()`. */
  #watching: AbortController | undefined;
  /** The newest event: done callbacks of a future come right after that of its call. */
  #newest: TaskEvent | undefined;

  constructor(executor: Executor) {
    this.executor = executor;
  }

  /** Has calls timed from now on. */
  watch(): void {
    if (this.#watching !== undefined) return;
    this.#watching = new AbortController();
    this.executor.addEventListener("task", (event) => this.#newest = event, {
      signal: this.#watching.signal,
    });
  }

  /** Leaves the executor to its giver. */
  end(): void {
    this.#watching?.abort();
  }

  /** Who made the call, the future of which calls its callbacks now, and when. */
  get timing(): CallTiming | undefined {
    const { worker, started, ended } = this.#newest ?? {};
    if (worker === undefined) return undefined;
    return started === undefined || ended === undefined
      ? { worker }
      : { worker, started, ended };
  }

  /** Why the executor takes no calls any more, if that is so. */
  refusal(): unknown {
    try {
      // It takes the call, and has no reason to make it.
      this.executor.submitWith({ signal: AbortSignal.abort() }, nothing);
    } catch (error) {
      return error;
    }
  }
}

function nothing(): void {}

/** The calls of one batch that have been submitted and have not ended. */
export class LocalCalls {
  readonly #local: LocalExecutor;
  readonly #listener: CallListener;
  readonly #open = new Map<number, OpenCall>();

  constructor(local: LocalExecutor, listener: CallListener) {
    this.#local = local;
    this.#listener = listener;
  }

  /**
   * Submits a call.
   *
   * @param call Its number in the batch.
   * @param fn The function.
   * @param args Its arguments.
   * @param options How long it may run, and whether somebody wants to know when.
   */
  submit(
    call: number,
    fn: AnyFunction,
    args: readonly unknown[],
    { timeout = Infinity, timed }: { timeout?: number; timed: boolean },
  ): void {
    const stop = new AbortController();
    const { signal } = stop;
    let future: Future<unknown>;
    try {
      future = this.#local.executor
        .submitWith({ signal, timeout }, fn, ...args);
    } catch (error) {
      const closed = error instanceof BrokenExecutorError ||
        error instanceof ShutdownError;
      if (closed) this.#listener.lost(call, false, error);
      else this.#listener.ended(call, true, error, undefined);
      return;
    }
    this.#open.set(call, { future, stop });
    let timing: CallTiming | undefined;
    if (timed) future.addDoneCallback(() => timing = this.#local.timing);
    future.then(
      (value) => {
        if (this.#open.delete(call)) {
          this.#listener.ended(call, false, value, timing);
        }
      },
      (error) => {
        if (!this.#open.delete(call)) return;
        if (this.#isLost(future, error)) this.#listener.lost(call, true, error);
        else this.#listener.ended(call, true, error, timing);
      },
    );
  }

  /** Stops a call, whether it runs or not; nothing more is heard of it. */
  stop(call: number): void {
    const open = this.#open.get(call);
    this.#open.delete(call);
    open?.stop.abort();
  }

  /** Takes a call back; false if it has been entered, or its outcome is on its way. */
  takeBack(call: number): boolean {
    const open = this.#open.get(call);
    if (open !== undefined && !open.future.cancel()) return false;
    this.#open.delete(call);
    return true;
  }

  /** Whether the executor was closed, and the call has no outcome of its own. */
  #isLost(future: Future<unknown>, error: unknown): boolean {
    if (future.cancelled()) return true;
    return error instanceof BrokenExecutorError &&
      !(error instanceof WorkerCrashedError) &&
      this.#local.refusal() !== undefined;
  }
}

/**
 * A call on its way through an executor: what `submit()` and `map()` make and
 * what executors run. Executors know futures and map results only as this.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "./errors.ts";
import { control, type Future, type FutureOrigin } from "./future.ts";
import { startTimer } from "./timer.ts";
import type { SubmitOptions } from "./executor.ts";

/** Any function; its arguments were checked where it was submitted. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/** The place that a work item has been sent to: a worker, or a lane of the promise pool. */
export interface WorkHolder {
  /** Whether the item's function has been entered. */
  entered(item: WorkItem): boolean;
  /** Takes the item back; false if its function has been entered. */
  revoke(item: WorkItem): boolean;
  /** The item has settled without its function having ended: tells the function why. */
  stop(item: WorkItem, reason: CancelledError | TimeoutError): void;
}

/**
 * One call: a function, its arguments, and who wants the outcome. Whoever
 * writes an executor gets these in `enqueue()`, calls `start()` as the
 * function is entered, then `resolve()` or `reject()`; calls on a settled item
 * do nothing.
 */
export abstract class WorkItem implements FutureOrigin {
  /** What to call. */
  readonly fn: AnyFunction;
  /** With what. */
  readonly args: readonly unknown[];
  /** Where the item is; `undefined` while it waits in the executor's queue. */
  holder: WorkHolder | undefined = undefined;
  /** For the holder's use: where in it the item is. */
  position = 0;

  /**
   * Makes an item that has not been sent anywhere.
   *
   * @param fn What to call.
   * @param args With what.
   */
  constructor(fn: AnyFunction, args: readonly unknown[]) {
    this.fn = fn;
    this.args = args;
  }

  /** How long the function may run, in milliseconds. */
  get timeout(): number {
    return Infinity;
  }

  /** How many of its kind travel together; 0 leaves that to the executor. */
  get chunkSize(): number {
    return 0;
  }

  /** Whether there is nothing left to do for it. */
  abstract readonly settled: boolean;

  /** The function is about to be entered; false if it must not be. */
  abstract start(): boolean;

  /** The function returned this. */
  abstract resolve(value: unknown): void;

  /** The function threw this, or could not be called because of it. */
  abstract reject(error: unknown): void;

  /** The executor cancels it; nothing happens once it has been entered. */
  abstract cancel(): void;

  /** Whether its function has been entered. */
  entered(): boolean {
    return this.holder?.entered(this) ?? false;
  }

  /** Takes it back from wherever it is; false if it has been entered. */
  revoke(): boolean {
    return this.holder?.revoke(this) ?? true;
  }
}

/** The item behind a future. */
export class SubmittedItem extends WorkItem {
  /** What `submit()` returns. */
  readonly future: Future<unknown>;

  constructor(fn: AnyFunction, args: readonly unknown[]) {
    super(fn, args);
    this.future = control.create(this);
  }

  override get settled(): boolean {
    return this.future.done();
  }

  override start(): boolean {
    return control.start(this.future);
  }

  override resolve(value: unknown): void {
    control.resolve(this.future, value);
  }

  override reject(error: unknown): void {
    control.reject(this.future, error);
  }

  override cancel(): void {
    this.future.cancel();
  }
}

/** The item behind a future that a signal or a time-out may stop. */
export class StoppableItem extends SubmittedItem {
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(
    fn: AnyFunction,
    args: readonly unknown[],
    options: SubmitOptions,
  ) {
    super(fn, args);
    this.#timeout = options.timeout ?? Infinity;
    this.#signal = options.signal;
    // A long-lived signal must not collect the listeners of tasks long done.
    control.observe(this.future, () => {
      this.#signal?.removeEventListener("abort", this);
      this.#stopTimer?.();
    });
    if (this.#signal?.aborted) this.handleEvent();
    else this.#signal?.addEventListener("abort", this);
  }

  override get timeout(): number {
    return this.#timeout;
  }

  override start(): boolean {
    if (!super.start()) return false;
    this.#stopTimer = startTimer(this.#timeout, () => {
      const error = new TimeoutError(
        `Task ${
          nameOf(this.fn)
        } ran longer than its timeout of ${this.#timeout} ms`,
      );
      if (control.reject(this.future, error)) this.holder?.stop(this, error);
    });
    return true;
  }

  /** The signal was aborted. */
  handleEvent(): void {
    const reason = this.#signal!.reason;
    if (this.future.cancel(reason)) return;
    const error = new CancelledError(
      `Task ${nameOf(this.fn)} was stopped by its signal`,
      {
        cause: reason,
      },
    );
    if (control.stop(this.future, error)) this.holder?.stop(this, error);
  }
}

/** What messages call a function. */
export function nameOf(fn: { readonly name: string }): string {
  return fn.name === "" ? "(anonymous)" : `'${fn.name}'`;
}

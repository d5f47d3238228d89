/**
 * A call on its way through an executor: what `submit()` and `map()` make and
 * what executors run. Executors know futures and map results only as this.
 *
 * @module
 */

import { wallTime } from "../runtime/clock.ts";
import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import { functionName, nameOf } from "../text.ts";
import { CancelledError, TimeoutError } from "../errors.ts";
import { control, type Future, type FutureOrigin } from "../future.ts";
import { startDeadline } from "../runtime/timer.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import type { SubmitOptions } from "../executor.ts";
import type { CallTiming, Tally, TaskOutcome } from "../stats.ts";

/** Any function; its arguments were checked where it was submitted. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/** The place that a work item has been sent to: a worker, or a promise pool that runs it. */
export interface WorkHolder {
  /** The name of the worker. */
  readonly name: string;
  /** Whether the item's function has been entered. */
  entered(item: WorkItem): boolean;
  /** Takes back and returns the part of the item that has not been entered. */
  revoke(item: WorkItem): WorkItem | undefined;
  /** The item has settled without its function having ended: tells the function why. */
  stop(item: WorkItem, reason: CancelledError | TimeoutError): void;
}

/**
 * Calls of one function, and who wants the outcomes: one call for a future,
 * perhaps many for a `map()`.
 *
 * Whoever writes an executor gets these in `enqueue()`. It takes off as many
 * calls as it wants with `split()`, asks `start()` as a function is about to
 * be entered, calls it with `invoke()` if that is to be here, and gives the
 * outcome of each call to `resolve()` or `reject()`. What comes too late does
 * nothing.
 */
export abstract class WorkItem {
  /** What to call. */
  readonly fn: AnyFunction;
  /** Where the item is; `undefined` while it waits in the executor's queue. */
  holder: WorkHolder | undefined = undefined;
  /** For the holder's use: where in it the item is. */
  position = 0;
  /** Set before an outcome is given, if `timed`: who ran the call, and when. */
  timing: CallTiming | undefined = undefined;
  /** How many calls were submitted before it, or before the one that it was split off from. */
  protected readonly index: number;
  /** When it was submitted, if somebody watched then. */
  protected readonly submitted: number | undefined;
  readonly #tally: Tally;

  /**
   * Makes an item that has not been sent anywhere.
   *
   * @param fn What to call.
   * @param tally Where its calls are counted.
   * @param index How many were submitted before.
   * @param submitted When it was submitted; by default now.
   */
  constructor(
    fn: AnyFunction,
    tally: Tally,
    index: number,
    submitted: number | undefined = tally.watched ? wallTime() : undefined,
  ) {
    this.fn = fn;
    this.#tally = tally;
    this.index = index;
    this.submitted = submitted;
  }

  /** Whether somebody wants to know who runs it, and when. */
  get timed(): boolean {
    return this.#tally.watched;
  }

  /**
   * Counts a call that has ended.
   *
   * @param outcome What became of it.
   */
  protected countCall(outcome: TaskOutcome): void {
    this.#tally.ended(outcome);
  }

  /**
   * Tells whoever watches of a call that has ended.
   *
   * @param outcome What became of it.
   * @param index How many calls were submitted before it.
   */
  protected tellCall(outcome: TaskOutcome, index: number): void {
    if (!this.#tally.watched) return;
    const { submitted, timing } = this;
    // That of the next call is another one.
    this.timing = undefined;
    const task = functionName(this.fn);
    this.#tally.tell({ task, index, outcome, submitted, timing });
  }

  /** The arguments of all calls, one after another. */
  abstract readonly args: readonly unknown[];

  /** Whether some argument is to be moved, so that it can be sent only once. */
  abstract readonly transfers: boolean;

  /** How many calls it holds. */
  get count(): number {
    return 1;
  }

  /** How long a call may take, in milliseconds. */
  get timeout(): number {
    return Infinity;
  }

  /** How many calls travel together; 0 leaves that to the executor. */
  get chunkSize(): number {
    return 0;
  }

  /** Whether there is nothing left to do for it. */
  abstract readonly settled: boolean;

  /** A call is about to be entered; false if it must not be. */
  abstract start(): boolean;

  /**
   * Makes a call in this isolate.
   *
   * @param _call Which one, counted from 0.
   * @returns What the function returns.
   */
  invoke(_call: number): unknown {
    const { fn, args, transfers } = this;
    return transfers ? fn(...args.map(unwrapTransfer)) : fn(...args);
  }

  /**
   * A call returned this.
   *
   * @param value What it returned.
   * @param call Which one, counted from 0; by default the first without an
   * outcome.
   */
  abstract resolve(value: unknown, call?: number): void;

  /**
   * Calls returned `values` from one index up to another.
   *
   * @param values What calls returned.
   * @param from The index of the first that is meant.
   * @param to The index after the last.
   * @param call Which call was the first, counted from 0.
   */
  resolveAll(
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    for (let i = from; i < to; i++) this.resolve(values[i], call + i - from);
  }

  /**
   * A call threw this, or could not be made because of it.
   *
   * @param error What it threw.
   * @param call Which one, counted from 0; by default the first without an
   * outcome.
   */
  abstract reject(error: unknown, call?: number): void;

  /** The executor cancels what has not been entered. */
  abstract cancel(): void;

  /** Keeps the first `count` calls, and returns an item that holds the others. */
  split(count: number): WorkItem {
    throw new RangeError(`Cannot split one call after ${count}`);
  }

  /** Whether its function has been entered. */
  entered(): boolean {
    return this.holder?.entered(this) ?? false;
  }

  /** Takes it back from wherever it is; false if it has been entered. */
  revoke(): boolean {
    return this.holder === undefined || this.holder.revoke(this) === this;
  }
}

/** The item behind a future. */
export class SubmittedItem extends WorkItem implements FutureOrigin {
  override readonly args: readonly unknown[];
  override readonly transfers: boolean;
  /** What `submit()` returns. */
  readonly future: Future<unknown>;

  constructor(fn: AnyFunction, args: readonly unknown[], tally: Tally) {
    super(fn, tally, tally.add(1));
    this.args = args;
    this.transfers = args.some(isTransfer);
    this.future = control.create(this);
  }

  override get settled(): boolean {
    return this.future.done();
  }

  /** The future has settled, by whoever did it. */
  ended(outcome: TaskOutcome): void {
    // Stopped, or lost with its worker.
    if (this.timed && this.timing === undefined && this.entered()) {
      this.timing = { worker: this.holder!.name };
    }
    this.countCall(outcome);
  }

  /** Whoever watches the executor may be told of that. */
  tell(outcome: TaskOutcome): void {
    this.tellCall(outcome, this.index);
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
export class StoppableItem extends SubmittedItem implements AbortWaiter {
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(
    fn: AnyFunction,
    args: readonly unknown[],
    tally: Tally,
    options: SubmitOptions,
  ) {
    super(fn, args, tally);
    this.#timeout = options.timeout ?? Infinity;
    this.#signal = options.signal;
    // A long-lived signal must not collect the listeners of tasks long done.
    control.observe(this.future, () => {
      if (this.#signal !== undefined) offAbort(this.#signal, this);
      this.#stopTimer?.();
    });
    if (this.#signal?.aborted) this.signalAborted();
    else if (this.#signal !== undefined) onAbort(this.#signal, this);
  }

  override get timeout(): number {
    return this.#timeout;
  }

  override start(): boolean {
    if (!super.start()) return false;
    this.#stopTimer = startDeadline(this.#timeout, () => {
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
  signalAborted(): void {
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

/** No outcome comes of the item's calls, `from` the first of them; each gets an error of its own. */
export function rejectAll(
  item: WorkItem,
  error: () => unknown,
  from = 0,
): void {
  for (let call = from; call < item.count; call++) item.reject(error(), call);
}

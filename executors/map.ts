/**
 * What `map()` returns: inputs are pulled as results are read.
 *
 * ```text
 * inputs ──pull, while there is room──► MapItem ──enqueue──► the executor
 *                                          │                     │
 * reader ◄──next(), or the array ◄── buffer (input order, or ◄───┘
 *                                    completion order)     resolve, reject
 * ```
 *
 * An item holds its own outcome, so that an item costs one object: no future,
 * no promise, no closure.
 *
 * @module
 */

import { Deque } from "./deque.ts";
import { CancelledError, TimeoutError } from "./errors.ts";
import { type Input, Inputs } from "./inputs.ts";
import { startTimer } from "./timer.ts";
import { type AnyFunction, nameOf, WorkItem } from "./work_item.ts";

/** Options of `map()`. */
export interface MapOptions {
  /**
   * How long the results may take, in milliseconds from the call. After that
   * a result that is not there is a `TimeoutError`.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /**
   * How many inputs may be in flight or finished and unread, an integer of at
   * least 1; `Infinity` submits everything at the call.
   *
   * @default {1000}
   */
  bufferSize?: number;
  /**
   * How many items travel to a worker together, an integer of at least 1. The
   * pool finds a good number by itself.
   */
  chunkSize?: number;
  /**
   * Whether results come in the order of the inputs, or as they finish.
   *
   * @default {true}
   */
  ordered?: boolean;
  /** Cancels what has not started and stops what runs. */
  signal?: AbortSignal;
}

/**
 * The results of a `map()`: an iterator, and a promise of the array of what
 * has not been read yet.
 *
 * A task's error rejects at its position, and so does an error of the input.
 * After an error, and when a loop over it is left early, the iterator is
 * finished and what has not started is cancelled.
 *
 * @typeParam R The type of the results.
 */
export interface MapResult<R>
  extends AsyncIterableIterator<R>, PromiseLike<R[]> {
  /** Finishes early: what has not started is cancelled. */
  return(): Promise<IteratorResult<R>>;
  /** As a promise's, of the array. */
  catch<E = never>(
    onRejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R[] | E>;
  /** As a promise's, of the array. */
  finally(onFinally?: (() => void) | null): Promise<R[]>;
}

/** {@linkcode MapOptions}, checked. */
export interface MapSettings {
  readonly timeout: number;
  readonly bufferSize: number;
  readonly chunkSize: number;
  readonly ordered: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a map needs of its executor. */
export interface MapTarget {
  /** Throws unless work is taken. */
  assertOpen(): void;
  enqueue(item: WorkItem): void;
}

/** Begins to consume the inputs. */
export function startMap(
  fn: AnyFunction,
  inputs: readonly Input<unknown>[],
  settings: MapSettings,
  target: MapTarget,
): MapResult<unknown> {
  return new MapRun(fn, settings, target, new Inputs(inputs));
}

/** One call's place in the buffer, and its outcome. */
class MapItem extends WorkItem {
  readonly #run: MapRun;
  outcome: unknown = undefined;
  failed = false;
  settled = false;

  constructor(run: MapRun, fn: AnyFunction, args: readonly unknown[]) {
    super(fn, args);
    this.#run = run;
  }

  override get chunkSize(): number {
    return this.#run.settings.chunkSize;
  }

  override start(): boolean {
    return !this.settled;
  }

  override resolve(value: unknown): void {
    this.#settle(value, false);
  }

  override reject(error: unknown): void {
    this.#settle(error, true);
  }

  override cancel(): void {
    if (!this.settled && this.revoke()) {
      this.reject(new CancelledError("The task was cancelled"));
    }
  }

  /** Nobody will read it: it is not to be entered, and to stop if it was and `reason` is given. */
  abandon(reason?: CancelledError): void {
    if (this.settled) return;
    this.settled = true;
    if (!this.revoke() && reason !== undefined) this.holder?.stop(this, reason);
  }

  #settle(outcome: unknown, failed: boolean): void {
    if (this.settled) return;
    this.settled = true;
    this.outcome = outcome;
    this.failed = failed;
    this.#run.itemSettled(this);
  }
}

/** Someone who waits in `next()`. */
type Reader = PromiseWithResolvers<IteratorResult<unknown>>;

class MapRun implements MapResult<unknown> {
  readonly settings: MapSettings;
  readonly #fn: AnyFunction;
  readonly #target: MapTarget;
  readonly #inputs: Inputs;
  readonly #deadline: number;
  /** Ordered: every unread item, in input order. Otherwise: those that have settled. */
  readonly #buffer = new Deque<MapItem>();
  /** Unordered: those that have not. */
  readonly #unsettled = new Set<MapItem>();
  /** How many are in flight; `#unread` counts the settled ones too. */
  #inFlight = 0;
  #unread = 0;
  readonly #readers = new Deque<Reader>();
  /** The array, once somebody awaits it. */
  #collected: unknown[] | undefined;
  #array: PromiseWithResolvers<unknown[]> | undefined;
  /** No more input; after the last item comes the error, if there is one. */
  #end: { error?: unknown } | undefined;
  #finished = false;
  #advancing = false;
  #pulling = false;
  #stopTimer: (() => void) | undefined;

  constructor(
    fn: AnyFunction,
    settings: MapSettings,
    target: MapTarget,
    inputs: Inputs,
  ) {
    this.settings = settings;
    this.#fn = fn;
    this.#target = target;
    this.#inputs = inputs;
    this.#deadline = settings.timeout === Infinity
      ? Infinity
      : performance.now() + settings.timeout;
    if (settings.signal?.aborted) this.handleEvent();
    else settings.signal?.addEventListener("abort", this);
    this.#advance();
  }

  next(): Promise<IteratorResult<unknown>> {
    const reader: Reader = Promise.withResolvers();
    this.#readers.push(reader);
    this.#advance();
    return reader.promise;
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  then<A = unknown[], B = never>(
    onFulfilled?: ((results: unknown[]) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#collect().then(onFulfilled, onRejected);
  }

  catch<B = never>(
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<unknown[] | B> {
    return this.#collect().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<unknown[]> {
    return this.#collect().finally(onFinally);
  }

  get [Symbol.toStringTag](): string {
    return "MapResult";
  }

  /** The signal was aborted: what is buffered is not given any more. */
  handleEvent(): void {
    const { reason: cause } = this.settings.signal!;
    const error = new CancelledError(
      `map() of ${nameOf(this.#fn)} was stopped by its signal`,
      {
        cause,
      },
    );
    this.#abandon(error);
    this.#end = { error };
    this.#advance();
  }

  /** An item of this run has an outcome. */
  itemSettled(item: MapItem): void {
    this.#inFlight--;
    if (!this.settings.ordered) {
      this.#unsettled.delete(item);
      this.#buffer.push(item);
    }
    if (this.#buffer.peek()!.settled) this.#advance();
  }

  #collect(): Promise<unknown[]> {
    if (this.#array === undefined) {
      this.#array = Promise.withResolvers();
      this.#collected = [];
      this.#advance();
    }
    return this.#array.promise;
  }

  /** Hands out and pulls until neither is possible. */
  #advance(): void {
    // A strategy that runs items at once comes back here while it is given one.
    if (this.#advancing) return;
    this.#advancing = true;
    do this.#deliver(); while (this.#pull());
    this.#advancing = false;
    this.#watchClock();
    if (this.#end !== undefined && this.#inFlight === 0) this.#unlisten();
  }

  /** Hands out what has settled to who waits. */
  #deliver(): void {
    while (
      !this.#finished &&
      (this.#readers.length > 0 || this.#collected !== undefined)
    ) {
      if (this.#buffer.peek()?.settled) {
        const item = this.#buffer.shift()!;
        this.#unread--;
        if (item.failed) this.#fail(item.outcome);
        else this.#give(item.outcome);
      } else if (this.#end !== undefined && this.#unread === 0) {
        if ("error" in this.#end) this.#fail(this.#end.error);
        else this.#finish();
      } else return;
    }
    if (this.#finished) this.#dismiss();
  }

  #give(value: unknown): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value });
    else this.#collected!.push(value);
  }

  #fail(error: unknown): void {
    const receiver = this.#readers.shift() ?? this.#array;
    receiver!.reject(error);
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#end ??= {};
    this.#abandon();
    this.#unlisten();
    this.#watchClock();
    this.#dismiss();
  }

  /** Tells everyone who still waits that it is over. */
  #dismiss(): void {
    for (
      let reader = this.#readers.shift();
      reader;
      reader = this.#readers.shift()
    ) {
      reader.resolve({ done: true, value: undefined });
    }
    this.#array?.resolve(this.#collected!);
  }

  /** Lets go of what is unread; with a reason, what runs is stopped too. */
  #abandon(reason?: CancelledError): void {
    const items = [...this.#buffer, ...this.#unsettled];
    this.#buffer.clear();
    this.#unsettled.clear();
    this.#unread = 0;
    this.#inFlight = 0;
    this.#inputs.close();
    for (const item of items) item.abandon(reason);
  }

  /** Pulls inputs while there is room; true if there may be something to deliver. */
  #pull(): boolean {
    if (this.#pulling || !this.#hasRoom()) return false;
    this.#pulling = true;
    if (this.#inputs.async) {
      this.#pullAsync();
      return false;
    }
    while (this.#hasRoom()) {
      try {
        this.#target.assertOpen();
        this.#submit(this.#inputs.next());
      } catch (error) {
        this.#end ??= { error };
      }
    }
    this.#pulling = false;
    return true;
  }

  async #pullAsync(): Promise<void> {
    while (this.#hasRoom()) {
      try {
        this.#target.assertOpen();
        const args = await this.#inputs.nextAsync();
        // Both may have come to an end meanwhile.
        if (this.#end !== undefined) break;
        if (args !== undefined) this.#target.assertOpen();
        this.#submit(args);
      } catch (error) {
        this.#end ??= { error };
      }
      this.#advance();
    }
    this.#pulling = false;
  }

  #hasRoom(): boolean {
    return this.#end === undefined && this.#unread < this.settings.bufferSize;
  }

  #submit(args: unknown[] | undefined): void {
    if (args === undefined) {
      this.#end = {};
      return;
    }
    const item = new MapItem(this, this.#fn, args);
    this.#unread++;
    this.#inFlight++;
    if (this.settings.ordered) this.#buffer.push(item);
    else this.#unsettled.add(item);
    try {
      this.#target.enqueue(item);
    } catch (error) {
      item.reject(error);
    }
  }

  /** The time-out is a timer only while somebody waits: an iterator left alone keeps no program alive. */
  #watchClock(): void {
    const waits = !this.#finished && this.#deadline !== Infinity &&
      (this.#readers.length > 0 || this.#collected !== undefined);
    if (!waits) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    } else if (this.#stopTimer === undefined) {
      const left = Math.max(0, this.#deadline - performance.now());
      this.#stopTimer = startTimer(left, () => {
        this.#fail(
          new TimeoutError(
            `Results of map() not there after ${this.settings.timeout} ms: ${this.#inFlight} items unfinished`,
          ),
        );
      });
    }
  }

  #unlisten(): void {
    this.settings.signal?.removeEventListener("abort", this);
  }
}

/**
 * The run of a `map()`: pulls inputs as results are read.
 *
 * ```text
 * inputs ──pull, while there is room──► Batch, Job ──enqueue──► the executor, which splits the job
 *                                          │                     │
 * reader ◄── next(), or the array ◄── Unread ◄── MapCalls ◄──────┘
 *                                                          resolve, reject
 * ```
 *
 * Inputs that are pulled at once become one job, of which the executor splits off
 * as many calls as it wants. So a call costs two places in arrays: no future, no
 * promise, no object of its own.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../errors.ts";
import { monotonicTime, queueMicrotask } from "../runtime/clock.ts";
import { Deque } from "../runtime/deque.ts";
import { startTimer } from "../runtime/timer.ts";
import { Turns } from "../runtime/turns.ts";
import type { AnyFunction } from "../task.ts";
import { nameOf } from "../text.ts";
import { isTransfer } from "../transfer.ts";
import { Failure } from "./batch.ts";
import { MapBuffer } from "./buffer.ts";
import { MapCalls } from "./calls.ts";
import { Inputs, type Source } from "./inputs.ts";
import { type LinkedMap, MapLink } from "./link.ts";
import type { MapResult, MapSettings, MapTarget } from "./options.ts";
import { CompletionOrder, InputOrder, type Unread } from "./unread.ts";

/**
 * Starts a map, which begins to pull inputs.
 *
 * @throws {unknown} What an input throws when it is asked for its iterator.
 */
export function startMap(
  fn: AnyFunction,
  inputs: readonly Source[],
  settings: MapSettings,
  target: MapTarget,
): MapResult<unknown> {
  return new MapRun(fn, settings, target, new Inputs(inputs));
}

/** Someone who waits in `next()`. */
type Reader = PromiseWithResolvers<IteratorResult<unknown>>;

class MapRun implements MapResult<unknown>, LinkedMap {
  readonly #fn: AnyFunction;
  readonly #settings: MapSettings;
  readonly #target: MapTarget;
  readonly #inputs: Inputs;
  readonly #deadline: number;
  readonly #buffer: MapBuffer;
  readonly #calls: MapCalls;
  /** Outcomes that nobody has read, and their number together with that of calls in flight. */
  readonly #outcomes: Unread;
  #unread = 0;
  readonly #readers = new Deque<Reader>();
  /** The array, once somebody awaits it. */
  #collected: unknown[] | undefined;
  #array: PromiseWithResolvers<unknown[]> | undefined;
  /** Set when no more input is pulled; its error, if there is one, comes after the last outcome. */
  #end: { error?: unknown } | undefined;
  #finished = false;
  #advancing = false;
  #advanceDue = false;
  #pulling = false;
  /**
   * Turns of the event loop, as an input that computes keeps everything else in
   * this thread waiting.
   */
  readonly #turns = new Turns();
  #stopTimer: (() => void) | undefined;
  #link: MapLink | undefined;

  constructor(
    fn: AnyFunction,
    settings: MapSettings,
    target: MapTarget,
    inputs: Inputs,
  ) {
    this.#fn = fn;
    this.#settings = settings;
    this.#target = target;
    this.#outcomes = settings.ordered
      ? new InputOrder()
      : new CompletionOrder();
    this.#calls = new MapCalls(
      fn,
      inputs.arity,
      settings.call,
      target.tally,
      (batch, call, count) => {
        if (this.#outcomes.settled(batch, call, count)) this.#advanceSoon();
      },
    );
    this.#inputs = inputs;
    this.#buffer = new MapBuffer(settings.bufferSize);
    this.#deadline = settings.timeout === Infinity
      ? Infinity
      : monotonicTime() + settings.timeout;
    if (settings.signal?.aborted) this.abort();
    // The clock is read once: to read it for each pull takes longer than the pull.
    this.#turns.begin(monotonicTime());
    this.#advance();
    this.#linkUp();
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

  /** The signal was aborted: outcomes that are there are not given any more. */
  abort(): void {
    if (this.#finished) return;
    const { reason: cause } = this.#settings.signal!;
    const error = new CancelledError(
      `map() of ${nameOf(this.#fn)} was stopped by its signal`,
      {
        cause,
      },
    );
    this.#abandon(error);
    this.#end = { error };
    this.#link?.inputEnded();
    this.#advance();
  }

  /**
   * The executor takes no more jobs: ends the input, also if that has been
   * asked and does not answer.
   */
  executorClosed(): void {
    if (this.#end !== undefined) return;
    try {
      this.#target.assertOpen();
    } catch (error) {
      this.#endInput({ error });
      this.#advance();
    }
  }

  #collect(): Promise<unknown[]> {
    if (this.#array === undefined) {
      this.#array = Promise.withResolvers();
      this.#collected = [];
      this.#advance();
    }
    return this.#array.promise;
  }

  /**
   * Advances in a microtask: outcomes come many at a time, and the inputs that
   * they make room for are to travel together.
   */
  #advanceSoon(): void {
    if (this.#advanceDue) return;
    this.#advanceDue = true;
    queueMicrotask(() => {
      this.#advanceDue = false;
      this.#advance();
    });
  }

  /** Hands out outcomes and pulls inputs until neither is possible. */
  #advance(): void {
    // Inputs are code of users, which may come back here.
    if (this.#advancing) return;
    this.#advancing = true;
    do this.#deliver(); while (this.#pull());
    this.#advancing = false;
    this.#watchClock();
  }

  /** Hands out outcomes to those who wait. */
  #deliver(): void {
    while (!this.#finished && this.#waited) {
      if (this.#outcomes.readable) {
        const outcome = this.#outcomes.read();
        this.#unread--;
        if (outcome instanceof Failure) this.#fail(outcome.error);
        else this.#give(outcome);
      } else if (this.#end !== undefined && this.#unread === 0) {
        if ("error" in this.#end) this.#fail(this.#end.error);
        else this.#finish();
      } else return;
    }
    if (this.#finished) this.#dismiss();
  }

  /** Whether somebody waits. */
  get #waited(): boolean {
    return this.#readers.length > 0 || this.#collected !== undefined;
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
    this.#turns.rest(monotonicTime());
    this.#endInput({});
    this.#abandon();
    this.#link?.end();
    this.#watchClock();
    this.#dismiss();
  }

  /** Has the map told when its signal is aborted, and when its executor takes no more jobs. */
  #linkUp(): void {
    const { signal } = this.#settings;
    // A small input has ended by now, so that the executor does not matter any more.
    if (this.#finished || this.#end !== undefined && signal === undefined) {
      return;
    }
    const link = new MapLink(this, this.#settings, this.#target);
    this.#link = link;
    // Inputs may have run code that aborted the signal, or ended the executor.
    if (signal?.aborted) this.abort();
    if (this.#end === undefined) this.executorClosed();
    else link.inputEnded();
  }

  /** Ends the input; if it has ended before, for that reason. */
  #endInput(end: { error?: unknown }): void {
    this.#end ??= end;
    this.#link?.inputEnded();
    this.#inputs.close();
  }

  /** Tells everyone who still waits that the map is over. */
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

  /**
   * Drops outcomes that nobody has read, and calls that have not been entered;
   * with a reason, stops those that run.
   */
  #abandon(reason?: CancelledError): void {
    this.#outcomes.clear();
    this.#unread = 0;
    this.#inputs.close();
    this.#calls.abandon(reason);
  }

  /** Pulls inputs while there is room; true if there may be outcomes to hand out. */
  #pull(): boolean {
    if (this.#pulling || this.#room <= 0) return false;
    this.#pulling = true;
    if (this.#inputs.async) {
      this.#pullAsync();
      return false;
    }
    const { arity } = this.#inputs;
    let args: unknown[] = [];
    let count = 0;
    let end: { error?: unknown } | undefined;
    let turn: Promise<void> | undefined;
    this.#inputs.hold();
    while (end === undefined && this.#room > count) {
      turn = this.#turnDue();
      if (turn !== undefined) break;
      try {
        this.#target.assertOpen();
        const pulled = this.#inputs.pull(args, this.#room - count);
        count += pulled;
        if (pulled === 0) end = {};
        else if (anyTransfer(args, args.length - arity)) {
          const moved = args.splice(-arity);
          this.#submit(args, count - 1);
          this.#submit(moved, 1);
          args = [];
          count = 0;
        }
      } catch (error) {
        end = { error };
      }
    }
    this.#inputs.release();
    // Does nothing if an input has run code that ended the map.
    this.#submit(args, count);
    if (end !== undefined) this.#endInput(end);
    if (turn === undefined) this.#pulling = false;
    else {
      turn.then(() => {
        this.#pulling = false;
        this.#advance();
      });
    }
    return true;
  }

  /**
   * The turn that the next pull has to wait for; none without a `bufferSize`,
   * as then all is pulled at once.
   */
  #turnDue(): Promise<void> | undefined {
    return this.#settings.bufferSize === Infinity
      ? undefined
      : this.#turns.due();
  }

  async #pullAsync(): Promise<void> {
    while (this.#room > 0) {
      try {
        this.#target.assertOpen();
        const args = await this.#inputs.pullAsync();
        // The signal or the executor may have ended the input meanwhile.
        if (this.#end !== undefined) break;
        if (args === undefined) {
          this.#endInput({});
        } else {
          this.#target.assertOpen();
          this.#submit(args, 1);
        }
      } catch (error) {
        this.#endInput({ error });
      }
      this.#advance();
    }
    this.#pulling = false;
  }

  /** How many more calls may be in flight or unread. */
  get #room(): number {
    if (this.#end !== undefined) return 0;
    return this.#buffer.size - this.#unread;
  }

  #submit(args: unknown[], count: number): void {
    if (count === 0 || this.#end !== undefined) return;
    const job = this.#calls.job(args);
    this.#unread += count;
    this.#buffer.submitted(count);
    this.#outcomes.add(job.target);
    this.#target.enqueue(job);
  }

  /**
   * Runs a timer for the time-out only while somebody waits: an iterator left
   * alone must keep no program alive.
   */
  #watchClock(): void {
    if (this.#link !== undefined && !this.#finished) {
      this.#link.waited = this.#waited ? this : undefined;
    }
    if (this.#finished || this.#deadline === Infinity || !this.#waited) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    } else if (this.#stopTimer === undefined) {
      const left = Math.max(0, this.#deadline - monotonicTime());
      this.#stopTimer = startTimer(left, () => {
        this.#fail(
          new TimeoutError(
            `Results of map() not there after ${this.#settings.timeout} ms: ${this.#calls.inFlight} items unfinished`,
          ),
        );
      });
    }
  }
}

/** Whether an argument from this one on is to be moved. */
function anyTransfer(args: readonly unknown[], from: number): boolean {
  for (let i = from; i < args.length; i++) {
    if (isTransfer(args[i])) return true;
  }
  return false;
}

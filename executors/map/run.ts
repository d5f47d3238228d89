/**
 * The run of a `map()`, as its reader sees it: outcomes are handed out, and room
 * is made for inputs.
 *
 * ```text
 * inputs ──► Pull ──► the executor
 *              ▲          │
 *     room for more   outcomes
 *              │          ▼
 * reader ◄── next(), or the array ◄── Unread ◄── MapCalls
 * ```
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../errors.ts";
import { monotonicTime } from "../runtime/clock.ts";
import { Deque } from "../runtime/deque.ts";
import { startTimer } from "../runtime/timer.ts";
import type { AnyFunction } from "../task.ts";
import { functionName, nameOf } from "../text.ts";
import { type Batch, Failure } from "./batch.ts";
import { MapBuffer } from "./buffer.ts";
import { makeCalls } from "./attempted_calls.ts";
import type { MapCalls } from "./calls.ts";
import { Inputs, type Source, totalOf } from "./inputs.ts";
import { type LinkedMap, MapLink } from "./link.ts";
import type { MapResult, MapSettings, MapTarget } from "./options.ts";
import { Progress } from "./progress.ts";
import { Pull, type PullOwner } from "./pull.ts";
import { CompletionOrder, InputOrder, type Unread } from "./unread.ts";
import type { UnreadMap } from "./unread_maps.ts";

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
  return new MapRun(fn, inputs, settings, target);
}

/** Someone who waits in `next()`. */
type Reader = PromiseWithResolvers<IteratorResult<unknown>>;

class MapRun implements MapResult<unknown>, LinkedMap, PullOwner {
  readonly #fn: AnyFunction;
  readonly #settings: MapSettings;
  readonly #target: MapTarget;
  readonly #pull: Pull;
  readonly #deadline: number;
  readonly #buffer: MapBuffer;
  readonly #calls: MapCalls;
  readonly #progress: Progress;
  /** Outcomes that nobody has read, and their number together with that of calls in flight. */
  readonly #outcomes: Unread;
  #unread = 0;
  readonly #readers = new Deque<Reader>();
  /** The array, once somebody awaits it. */
  #collected: unknown[] | undefined;
  #array: PromiseWithResolvers<unknown[]> | undefined;
  #finished = false;
  #advancing = false;
  #stopTimer: (() => void) | undefined;
  #link: MapLink | undefined;
  /** Until somebody reads, or nothing is left to be pulled. */
  #unreadMap: UnreadMap | undefined;

  constructor(
    fn: AnyFunction,
    sources: readonly Source[],
    settings: MapSettings,
    target: MapTarget,
  ) {
    const inputs = new Inputs(sources, "map");
    const progress = new Progress(
      sources,
      settings.onProgress,
      `map(${functionName(fn)})`,
    );
    this.#fn = fn;
    this.#settings = settings;
    this.#target = target;
    this.#progress = progress;
    this.#outcomes = settings.ordered
      ? new InputOrder()
      : new CompletionOrder();
    this.#calls = makeCalls({
      fn,
      arity: inputs.arity,
      options: settings.call,
      entrance: target,
      progress,
      settled: (batch, call, count) => {
        const isReadable = this.#outcomes.settled(batch, call, count);
        if (isReadable || this.#calls.inFlight === 0) this.#pull.advanceSoon();
      },
    });
    this.#pull = new Pull(inputs, settings, target, this.#calls, this);
    this.#buffer = new MapBuffer(settings.bufferSize);
    this.#deadline = settings.timeout === Infinity
      ? Infinity
      : monotonicTime() + settings.timeout;
    if (settings.signal?.aborted) this.abort();
    this.advance();
    if (this.#pull.end === undefined) this.#noteUnread(totalOf(sources));
    this.#linkUp();
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#unreadMap !== undefined) this.#forgetUnread();
    const reader: Reader = Promise.withResolvers();
    this.#readers.push(reader);
    this.advance();
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
    this.#pull.end = { error };
    this.#link?.inputEnded();
    this.advance();
  }

  executorClosed(): void {
    try {
      this.#target.assertOpen();
    } catch (error) {
      this.#pull.executorClosed(error);
    }
  }

  get room(): number {
    return this.#buffer.size - this.#unread;
  }

  get outlivesShutdown(): boolean {
    return false;
  }

  added(batch: Batch, count: number): void {
    this.#unread += count;
    if (this.#unreadMap !== undefined) this.#unreadMap.pulled += count;
    this.#buffer.submitted(count);
    this.#outcomes.add(batch);
  }

  inputEnded(): void {
    this.#link?.inputEnded();
    // Not if the executor is why.
    if (this.#pull.isWhole) this.#forgetUnread();
  }

  /** Has the user told, should nobody ever read. */
  #noteUnread(total: number | undefined): void {
    const unread: UnreadMap = {
      name: nameOf(this.#fn),
      counts: this.#progress.counts,
      pulled: this.#unread,
      total,
    };
    this.#unreadMap = unread;
    this.#target.unreadMaps.add(unread);
  }

  #forgetUnread(): void {
    if (this.#unreadMap === undefined) return;
    this.#target.unreadMaps.delete(this.#unreadMap);
    this.#unreadMap = undefined;
  }

  #collect(): Promise<unknown[]> {
    if (this.#array === undefined) {
      this.#forgetUnread();
      this.#array = Promise.withResolvers();
      this.#collected = [];
      this.advance();
    }
    return this.#array.promise;
  }

  /** Hands out outcomes and pulls inputs until neither is possible. */
  advance(): void {
    // Inputs are code of users, which may come back here.
    if (this.#advancing) return;
    this.#advancing = true;
    do {
      if (this.#pull.end !== undefined && this.#calls.inFlight === 0) {
        this.#progress.end();
      }
      this.#deliver();
    } while (this.#pull.pull());
    this.#advancing = false;
    this.#watchClock();
  }

  /** Hands out outcomes to those who wait. */
  #deliver(): void {
    while (!this.#finished && this.#waited) {
      const { end } = this.#pull;
      // An array takes values in one piece.
      if (this.#readers.length === 0 && !this.#settings.settled) {
        this.#unread -= this.#outcomes.readInto(this.#collected!);
      }
      if (this.#outcomes.readable) {
        const outcome = this.#outcomes.read();
        this.#unread--;
        if (this.#settings.settled) this.#give(settledResult(outcome));
        else if (outcome instanceof Failure) this.#fail(outcome.error);
        else this.#give(outcome);
      } else if (end !== undefined && this.#unread === 0) {
        if ("error" in end) this.#fail(end.error);
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
    this.#progress.end();
    const receiver = this.#readers.shift() ?? this.#array;
    receiver!.reject(error);
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#pull.endInput({});
    this.#abandon();
    this.#progress.end();
    this.#link?.end();
    this.#watchClock();
    this.#dismiss();
  }

  /** Has the map told when its signal is aborted, and when its executor takes no more jobs. */
  #linkUp(): void {
    const { signal } = this.#settings;
    // A small input has ended by now, so that the executor does not matter any more.
    if (this.#finished || this.#pull.isDone && signal === undefined) {
      return;
    }
    const link = new MapLink(this, this.#settings, this.#target);
    this.#link = link;
    // Inputs may have run code that aborted the signal, or ended the executor.
    if (signal?.aborted) this.abort();
    if (this.#pull.isDone) link.inputEnded();
    else this.executorClosed();
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
    this.#forgetUnread();
    this.#outcomes.clear();
    this.#unread = 0;
    this.#pull.stop();
    this.#calls.abandon(reason);
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

/** The outcome of a call, as `Promise.allSettled()` gives it. */
function settledResult(outcome: unknown): PromiseSettledResult<unknown> {
  return outcome instanceof Failure
    ? { status: "rejected", reason: outcome.error }
    : { status: "fulfilled", value: outcome };
}

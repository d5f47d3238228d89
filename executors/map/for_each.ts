/**
 * The run of a `forEach()`: pulls inputs as calls end, and keeps nothing of them.
 *
 * ```text
 * inputs ──► Pull ──► the executor
 *              ▲          │
 *         room for more   └──► MapCalls: the last has ended, or one has failed ──► promise
 * ```
 *
 * It is pending work of its executor, which is not closed before the last input.
 *
 * @module
 */

import {
  BrokenExecutorError,
  CancelledError,
  TimeoutError,
} from "../errors.ts";
import type { UpcomingWork } from "../job/upcoming.ts";
import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import { startTimer } from "../runtime/timer.ts";
import type { AnyFunction } from "../task.ts";
import { functionName, nameOf } from "../text.ts";
import { type Batch, Failure } from "./batch.ts";
import { MapBuffer } from "./buffer.ts";
import { makeCalls } from "./attempted_calls.ts";
import type { MapCalls } from "./calls.ts";
import { Inputs, type Source } from "./inputs.ts";
import type { MapSettings, MapTarget, OpenMap } from "./options.ts";
import { Progress } from "./progress.ts";
import { Pull, type PullOwner } from "./pull.ts";

/**
 * Starts a `forEach()`, which begins to pull inputs.
 *
 * @returns Resolves when all calls have ended.
 * @throws {unknown} What an input throws when it is asked for its iterator.
 */
export function startForEach(
  fn: AnyFunction,
  inputs: readonly Source[],
  settings: MapSettings,
  target: MapTarget,
): Promise<void> {
  return new ForEachRun(fn, inputs, settings, target).promise;
}

class ForEachRun implements PullOwner, OpenMap, UpcomingWork, AbortWaiter {
  readonly #fn: AnyFunction;
  readonly #settings: MapSettings;
  readonly #target: MapTarget;
  readonly #progress: Progress;
  readonly #calls: MapCalls;
  readonly #pull: Pull;
  readonly #buffer: MapBuffer;
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopTimer: () => void;
  #over = false;
  #advancing = false;

  constructor(
    fn: AnyFunction,
    sources: readonly Source[],
    settings: MapSettings,
    target: MapTarget,
  ) {
    const inputs = new Inputs(sources, "forEach");
    const progress = new Progress(
      sources,
      settings.onProgress,
      `forEach(${functionName(fn)})`,
    );
    const { call, timeout, signal } = settings;
    this.#fn = fn;
    this.#settings = settings;
    this.#target = target;
    this.#progress = progress;
    this.#calls = makeCalls({
      fn,
      arity: inputs.arity,
      options: call,
      entrance: target,
      progress,
      settled: (batch, call, count) => this.#settled(batch, call, count),
    });
    this.#pull = new Pull(inputs, settings, target, this.#calls, this);
    this.#buffer = new MapBuffer(settings.bufferSize);
    this.#stopTimer = timeout === Infinity
      ? () => {}
      : startTimer(timeout, () => this.#timeOut());
    target.upcoming.begin(this);
    target.openMaps.add(this);
    if (signal?.aborted) this.signalAborted();
    else if (signal !== undefined) onAbort(signal, this);
    this.advance();
  }

  /** Resolves when all calls have ended. */
  get promise(): Promise<void> {
    return this.#ended.promise;
  }

  get room(): number {
    return this.#buffer.size - this.#calls.inFlight;
  }

  /** An executor that was shut down still takes the calls of work that had begun; one that breaks says so. */
  get outlivesShutdown(): boolean {
    return true;
  }

  added(_batch: Batch, count: number): void {
    this.#buffer.submitted(count);
  }

  inputEnded(): void {
    this.#target.upcoming.end(this);
  }

  /** Pulls inputs, or ends when there are no more. */
  advance(): void {
    // Inputs are code of users, which may come back here.
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#pull.pull());
    this.#advancing = false;
    const { end } = this.#pull;
    if (end === undefined) return;
    if ("error" in end) this.#fail(end.error);
    else if (this.#calls.inFlight === 0) this.#finish();
  }

  executorClosed(): void {
    try {
      this.#target.assertOpen();
    } catch (error) {
      if (error instanceof BrokenExecutorError) this.#fail(error);
    }
  }

  giveUp(): void {
    this.#fail(
      new CancelledError(`forEach() of ${nameOf(this.#fn)} was cancelled`),
    );
  }

  signalAborted(): void {
    const { reason: cause } = this.#settings.signal!;
    const error = new CancelledError(
      `forEach() of ${nameOf(this.#fn)} was stopped by its signal`,
      { cause },
    );
    this.#fail(error, error);
  }

  #settled(batch: Batch, call: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const outcome = batch.take(call + i);
      if (outcome instanceof Failure) return this.#fail(outcome.error);
    }
    this.#pull.advanceSoon();
  }

  #timeOut(): void {
    const { timeout } = this.#settings;
    const { inFlight } = this.#calls;
    this.#fail(
      new TimeoutError(
        `forEach() not done after ${timeout} ms: ${inFlight} items unfinished`,
      ),
    );
  }

  /** Ends with an error; with a reason, stops calls that run. */
  #fail(error: unknown, reason?: CancelledError): void {
    if (this.#over) return;
    this.#stop(reason);
    this.#ended.reject(error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#stop();
    this.#ended.resolve();
  }

  #stop(reason?: CancelledError): void {
    this.#over = true;
    const { signal } = this.#settings;
    if (signal !== undefined) offAbort(signal, this);
    this.#stopTimer();
    this.#target.openMaps.delete(this);
    this.#target.upcoming.end(this);
    this.#pull.endInput({});
    this.#pull.stop();
    this.#calls.abandon(reason);
    this.#progress.end();
  }
}

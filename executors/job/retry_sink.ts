/**
 * The sink of a submitted call that may be tried again: the future is one, and
 * each attempt a job.
 *
 * ```text
 *            ┌────────────── enqueue(next attempt) ◄── the wait is over ──┐
 *            ▼                                                            │
 * submit ──► attempt ── reject(error) ──► may another one pass? ── yes ───┘
 *                 │                              │
 *                 └─ resolve(value) ──► future ◄─┴─ no: the last error
 * ```
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import { control, type Future } from "../future.ts";
import { currentContext } from "../runtime/async_context.ts";
import type { TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { FutureSink } from "./future_sink.ts";
import type { Entrance, Job } from "./job.ts";
import { mayTryAgain, waitFor } from "./next_attempt.ts";
import type { CallOptions } from "./options.ts";
import { type Retry, waitAfter } from "./retry.ts";
import type { UpcomingWork } from "./upcoming.ts";

/** See above. */
export class RetrySink extends FutureSink implements UpcomingWork {
  readonly #entrance: Entrance;
  readonly #retry: Retry;
  /** The job of the present attempt; outcomes of others come too late. */
  #current: Job<Future<unknown>> | undefined;
  #attempt = 1;
  /** Why the attempt before has failed. */
  #error: unknown;
  #stopWaiting = () => {};

  /**
   * Makes a sink.
   *
   * @param entrance By which attempts get into the executor.
   * @param options How the call is to be made, and tried again.
   * @param retry The option `retry` of these.
   */
  constructor(entrance: Entrance, options: CallOptions, retry: Retry) {
    super(entrance.tally, options, currentContext());
    this.#entrance = entrance;
    this.#retry = retry;
  }

  override job(
    fn: AnyFunction,
    args: readonly unknown[],
  ): Job<Future<unknown>> {
    this.#entrance.upcoming.begin(this);
    const job = super.job(fn, args);
    if (job.target.done()) this.#entrance.upcoming.end(this);
    return this.#current = job;
  }

  protected override origin(first: Job<Future<unknown>>) {
    const current = () => this.#current ?? first;
    return {
      entered: () => current().entered(),
      revoke: () => current().revoke(),
      ended: (outcome: TaskOutcome) => {
        this.#stopWaiting();
        this.tally.between.delete(current());
        current().ended(outcome);
        this.#entrance.upcoming.end(this);
      },
      tell: (outcome: TaskOutcome, error: unknown) =>
        current().tell(outcome, error),
    };
  }

  override attempt(): number {
    return this.#attempt;
  }

  override settled(job: Job<Future<unknown>>): boolean {
    return this.#isStale(job) || super.settled(job);
  }

  override start(job: Job<Future<unknown>>): boolean {
    if (this.settled(job)) return false;
    this.tally.between.delete(job);
    // The future of a later attempt runs already.
    if (!super.start(job)) this.guard!.start(job);
    return true;
  }

  override resolve(job: Job<Future<unknown>>, value: unknown): void {
    if (!this.#isStale(job)) super.resolve(job, value);
  }

  override resolveAll(
    job: Job<Future<unknown>>,
    values: readonly unknown[],
    from: number,
  ): void {
    this.resolve(job, values[from]);
  }

  override reject(job: Job<Future<unknown>>, error: unknown): boolean {
    if (this.settled(job)) return false;
    let reason = error;
    try {
      if (mayTryAgain(job, error, this.#entrance)) {
        this.#tryAgain(job, error);
        return true;
      }
    } catch (thrown) {
      reason = thrown;
    }
    return super.reject(job, reason);
  }

  override cancel(job: Job<Future<unknown>>): void {
    if (this.#attempt === 1) super.cancel(job);
    else if (!this.#isStale(job)) super.reject(job, this.#error);
  }

  giveUp(error: (() => Error) | undefined): void {
    const job = this.#current;
    if (job === undefined || this.#attempt === 1 || job.entered()) return;
    const reason = error === undefined ? this.#error : error();
    if (error !== undefined && reason instanceof CancelledError) {
      this.cancelRunning(job, reason);
    } else super.reject(job, reason);
  }

  #isStale(job: Job<Future<unknown>>): boolean {
    return this.#current !== undefined && job !== this.#current;
  }

  #tryAgain(job: Job<Future<unknown>>, error: unknown): void {
    // It may have been asked as the signal was aborted.
    if (job.target.done()) return;
    control.start(job.target);
    const failed = this.#attempt++;
    const wait = waitAfter(this.#retry, failed);
    const next = job.again(0);
    this.guard!.follow(next);
    this.#current = next;
    this.#error = error;
    this.tally.between.add(next);
    const enqueue = () => {
      if (!next.settled) this.#entrance.enqueue(next);
    };
    this.#stopWaiting = waitFor(wait, enqueue);
    // Last, as whoever hears of it may end the call.
    this.tally.triedAgain(job, failed, error, wait);
  }
}

/**
 * The sink of a `map()` whose calls have a clock, or may be tried again: an
 * outcome may be that of an attempt that is over. Other maps do without all
 * this, as it takes as long as a trivial call.
 *
 * @module
 */

import type { CancelledError } from "../errors.ts";
import type { Entrance, Job } from "../job/job.ts";
import { mayTryAgain } from "../job/next_attempt.ts";
import { Overtimes } from "../job/overtime.ts";
import type { UpcomingWork } from "../job/upcoming.ts";
import type { TaskOutcome } from "../stats.ts";
import { Attempts } from "./attempts.ts";
import { type Batch, Failure } from "./batch.ts";
import { type CallsInit, MapCalls } from "./calls.ts";

/** Makes the sink of a map. */
export function makeCalls(init: CallsInit): MapCalls {
  const { timeout, retry } = init.options;
  return timeout === Infinity && retry === undefined
    ? new MapCalls(init)
    : new AttemptedCalls(init);
}

class AttemptedCalls extends MapCalls implements UpcomingWork {
  readonly #entrance: Entrance;
  readonly #overtimes = new Overtimes<Job<Batch>>();
  /** Only if calls are tried again. */
  readonly #attempts: Attempts | undefined;
  /** Whether calls that nobody waits for any more may end. */
  #letsRun = true;

  constructor(init: CallsInit) {
    super(init);
    const { entrance, options: { retry } } = init;
    this.#entrance = entrance;
    this.#attempts = retry && new Attempts(entrance, retry);
  }

  override batch(args: unknown[]): Batch {
    if (this.#attempts !== undefined) this.#entrance.upcoming.begin(this);
    return super.batch(args);
  }

  override abandon(reason?: CancelledError): void {
    if (this.abandoned) return;
    this.#letsRun = reason === undefined;
    super.abandon(reason);
    this.#entrance.upcoming.end(this);
  }

  /** No call is tried again; those that wait for another attempt fail. */
  giveUp(error: (() => Error) | undefined): void {
    const waiting = this.#attempts?.waiting() ?? [];
    for (const job of waiting) this.#failWaiting(job, error);
  }

  override settled(job: Job<Batch>): boolean {
    // Of more calls, some have no outcome, or the job would be gone.
    return this.abandoned || job.count === 1 && !this.isOpen(job, 0);
  }

  override start(job: Job<Batch>): boolean {
    const enters = !this.settled(job);
    if (enters) this.#attempts?.started(job);
    // A worker says late that it has entered a call, which is then still stopped
    // when its time is up.
    if (enters || this.abandoned && this.#letsRun && job.entered()) {
      this.#overtimes.start(job, job);
    }
    return enters;
  }

  override resolveAll(
    job: Job<Batch>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    for (let i = from; i < to; i++) {
      this.resolve(job, values[i], call + i - from);
    }
  }

  override reject(
    job: Job<Batch>,
    error: unknown,
    call: number = this.firstOpen(job),
  ): boolean {
    try {
      if (this.#tryAgain(job, error, call)) return true;
    } catch (thrown) {
      return super.reject(job, thrown, call);
    }
    return super.reject(job, error, call);
  }

  override cancel(job: Job<Batch>): void {
    if (this.attempt(job) > 1) this.#failWaiting(job);
    else super.cancel(job);
  }

  override attempt(job: Job<Batch>): number {
    return this.#attempts?.numberOf(job) ?? 1;
  }

  protected override isOpen(job: Job<Batch>, call: number): boolean {
    return super.isOpen(job, call) &&
      (this.#attempts?.isCurrent(job, call) ?? true);
  }

  protected override settle(
    job: Job<Batch>,
    outcome: unknown,
    what: TaskOutcome,
    call: number,
  ): boolean {
    const stopped = this.#overtimes.stop(job);
    // A call that nobody waits for is still stopped when its time is up.
    if (this.abandoned) return stopped;
    return super.settle(job, outcome, what, call);
  }

  protected override hear(
    batch: Batch,
    call: number,
    count: number,
    what: TaskOutcome,
  ): void {
    this.#attempts?.settled(batch, call);
    super.hear(batch, call, count, what);
    if (this.inFlight === 0) this.#entrance.upcoming.end(this);
  }

  protected override abandonJob(
    job: Job<Batch>,
    reason: CancelledError | undefined,
  ): void {
    if (reason !== undefined) this.#overtimes.stop(job);
    super.abandonJob(job, reason);
    this.#attempts?.ended(job);
  }

  /** Tries a call again that has failed, if it may be; false if its error is the last. */
  #tryAgain(job: Job<Batch>, error: unknown, call: number): boolean {
    const attempts = this.#attempts;
    if (attempts === undefined || !this.#isWanted(job, call)) return false;
    if (!mayTryAgain(job, error, this.#entrance)) return false;
    // The user who was asked may have ended the map.
    if (!this.#isWanted(job, call)) return false;
    this.#overtimes.stop(job);
    attempts.tryAgain(job, error, call);
    return true;
  }

  /** Whether an outcome of a call is wanted. */
  #isWanted(job: Job<Batch>, call: number): boolean {
    return !this.abandoned && call < job.count && this.isOpen(job, call);
  }

  /** An attempt that waits will not be made: the call fails as said, or by the error of the attempt before. */
  #failWaiting(job: Job<Batch>, error?: () => unknown): void {
    const before = this.#attempts!.errorBefore(job);
    if (before === undefined) return;
    const reason = error === undefined ? before.error : error();
    this.settle(job, new Failure(reason), "failed", 0);
  }
}

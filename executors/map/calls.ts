/**
 * The sink of a `map()`: knows which of its calls are on their way through the
 * executor, and stops them when nobody wants their outcomes any more.
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import { type Entrance, Job, type Sink } from "../job/job.ts";
import type { CallOptions } from "../job/options.ts";
import { Overtimes } from "../job/overtime.ts";
import { hearReport } from "../job/reports.ts";
import type { UpcomingWork } from "../job/upcoming.ts";
import type { AsyncContext } from "../runtime/async_context.ts";
import type { Tally, TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { Attempts } from "./attempts.ts";
import { Batch, Failure } from "./batch.ts";
import type { Progress } from "./progress.ts";

/** Is told that `count` calls of a batch, from `call` on, have outcomes. */
type CallsSettled = (batch: Batch, call: number, count: number) => void;

/** The sink of one map. */
export class MapCalls implements Sink<Batch>, UpcomingWork {
  readonly tally: Tally;
  readonly options: CallOptions;
  readonly context: AsyncContext;
  readonly arity: number;
  readonly #fn: AnyFunction;
  readonly #entrance: Entrance;
  /** Only if calls are tried again. */
  readonly #attempts: Attempts | undefined;
  readonly #progress: Progress;
  readonly #settled: CallsSettled;
  readonly #overtimes = new Overtimes<Job<Batch>>();
  /** Batches with calls that have no outcome. */
  readonly #open = new Set<Batch>();
  #inFlight = 0;
  /** How many calls there were. */
  #count = 0;
  #abandoned = false;
  /** Whether calls that nobody waits for any more may end. */
  #letsRun = true;

  /**
   * Makes the sink of a map that calls a function.
   *
   * @param fn The function.
   * @param arity How many arguments each call has.
   * @param options How the calls are to be made.
   * @param entrance The executor.
   * @param progress Counts the calls of the map, and has their context.
   * @param settled Is told of outcomes.
   */
  constructor(
    fn: AnyFunction,
    arity: number,
    options: CallOptions,
    entrance: Entrance,
    progress: Progress,
    settled: CallsSettled,
  ) {
    const { retry } = options;
    this.tally = entrance.tally;
    this.options = options;
    this.context = progress.context;
    this.arity = arity;
    this.#fn = fn;
    this.#entrance = entrance;
    this.#attempts = retry && new Attempts(entrance, retry);
    this.#progress = progress;
    this.#settled = settled;
  }

  /** How many calls have no outcome. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Makes a job of calls that were pulled together.
   *
   * @param args The arguments of all calls, one after another.
   * @returns The job; its target has the outcomes.
   */
  job(args: unknown[]): Job<Batch> {
    return this.jobOf(this.batch(args), args);
  }

  /**
   * Makes a batch of calls whose job comes later.
   *
   * @param args The arguments of all calls, or promises of them.
   */
  batch(args: unknown[]): Batch {
    const batch = new Batch(args, this.arity, this.#count);
    this.#open.add(batch);
    this.#inFlight += batch.count;
    this.#count += batch.count;
    if (this.#attempts !== undefined) this.#entrance.upcoming.begin(this);
    return batch;
  }

  /** Makes the job of a batch; `args` is the list that the batch was made with. */
  jobOf(batch: Batch, args: unknown[]): Job<Batch> {
    const { count } = batch;
    const job = new Job<Batch>(
      this,
      batch,
      this.#fn,
      args,
      this.tally.add(count),
      undefined,
      0,
      count,
    );
    batch.jobs.push(job);
    return job;
  }

  /** The only call of a batch will have no job, as an argument cannot be had. */
  refuse(batch: Batch, error: unknown): void {
    if (this.#abandoned) return;
    batch.settle(0, new Failure(error));
    this.#hear(
      batch,
      0,
      1,
      error instanceof CancelledError ? "cancelled" : "failed",
    );
  }

  /**
   * Nobody will read an outcome any more: calls that have not been entered never
   * are.
   *
   * @param reason Why calls that run are to stop; without, they go on.
   */
  abandon(reason?: CancelledError): void {
    if (this.#abandoned) return;
    // Set first: a part that is split off while jobs are revoked has to count as settled too.
    this.#abandoned = true;
    this.#inFlight = 0;
    this.#letsRun = reason === undefined;
    const batches = [...this.#open];
    this.#open.clear();
    for (const batch of batches) {
      // By index, as listeners that are told of a call may cause a job to be split.
      for (let i = 0; i < batch.jobs.length; i++) {
        const job = batch.jobs[i]!;
        if (reason !== undefined) this.#overtimes.stop(job);
        this.#abandonJob(job, reason);
        this.#attempts?.ended(job);
      }
    }
    this.#entrance.upcoming.end(this);
  }

  /** No call is tried again; those that wait for another attempt fail. */
  giveUp(error: (() => Error) | undefined): void {
    for (const job of this.#attempts?.waiting() ?? []) {
      this.#failWaiting(job, error);
    }
  }

  settled(job: Job<Batch>): boolean {
    // Of more calls, some have no outcome, or the job would be gone.
    return this.#abandoned || job.count === 1 && !this.#hasOpen(job, 0);
  }

  start(job: Job<Batch>): boolean {
    // A worker says late that it has entered a call, which is then still stopped
    // when its time is up.
    const enters = !this.settled(job);
    if (enters) this.#attempts?.started(job);
    if (enters || this.#letsRun && job.entered()) {
      this.#overtimes.start(job, job);
    }
    return enters;
  }

  resolve(
    job: Job<Batch>,
    value: unknown,
    call = this.#firstOpen(job),
  ): void {
    const outcome = this.options.quiet ? undefined : value;
    this.#settle(job, outcome, "finished", call);
  }

  resolveAll(
    job: Job<Batch>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    const isEach = this.tally.watched || this.options.timeout < Infinity ||
      this.#attempts?.isEmpty === false;
    if (isEach) {
      // Listeners are told of each call, and each may have a clock, or a later attempt.
      for (let i = from; i < to; i++) {
        this.resolve(job, values[i], call + i - from);
      }
      return;
    }
    if (this.#abandoned) return;
    const { target: batch } = job;
    const first = job.from + call;
    batch.settleAll(first, values, from, to);
    this.tally.finishedAll(to - from);
    this.#hear(batch, first, to - from, "finished");
  }

  reject(
    job: Job<Batch>,
    error: unknown,
    call = this.#firstOpen(job),
  ): boolean {
    if (this.#isOpen(job, call)) {
      try {
        if (this.#tryAgain(job, error, call)) return true;
      } catch (thrown) {
        error = thrown;
      }
    }
    return this.#settle(job, new Failure(error), "failed", call);
  }

  cancelRunning(
    job: Job<Batch>,
    error: CancelledError,
    call: number,
  ): boolean {
    return this.#settle(job, new Failure(error), "cancelled", call);
  }

  report(job: Job<Batch>, value: unknown, call: number): void {
    const { target: { first }, from } = job;
    if (this.#isOpen(job, call)) hearReport(job, value, first + from + call);
  }

  cancel(job: Job<Batch>): void {
    if (this.attempt(job) > 1) return this.#failWaiting(job);
    for (let call = 0; call < job.count; call++) {
      const error = new CancelledError("The task was cancelled");
      this.#settle(job, new Failure(error), "cancelled", call);
    }
  }

  attempt(job: Job<Batch>): number {
    return this.#attempts?.numberOf(job) ?? 1;
  }

  split(job: Job<Batch>, rest: Job<Batch>): void {
    job.target.jobs.push(rest);
  }

  #settle(
    job: Job<Batch>,
    outcome: unknown,
    what: TaskOutcome,
    call: number,
  ): boolean {
    const stopped = this.#overtimes.stop(job);
    // A call that nobody waits for is still stopped when its time is up.
    if (this.#abandoned) return stopped;
    if (!this.#isOpen(job, call)) return false;
    const { target: batch, from } = job;
    batch.settle(from + call, outcome);
    job.ended(what, call);
    const error = outcome instanceof Failure ? outcome.error : undefined;
    job.tell(what, error, call);
    this.#attempts?.ended(job);
    this.#hear(batch, from + call, 1, what);
    return true;
  }

  #hear(batch: Batch, call: number, count: number, what: TaskOutcome): void {
    // A listener that was told of the call may have abandoned the map.
    if (this.#abandoned) return;
    this.#inFlight -= count;
    if (batch.complete) this.#open.delete(batch);
    if (this.#inFlight === 0) this.#entrance.upcoming.end(this);
    if (what !== "cancelled") this.#progress.ended(count, what === "failed");
    this.#settled(batch, call, count);
  }

  /** Tries a call again that has failed, if it may be; false if its error is the last. */
  #tryAgain(job: Job<Batch>, error: unknown, call: number): boolean {
    const attempts = this.#attempts;
    if (!attempts?.mayTryAgain(job, error)) return false;
    // The user who was asked may have ended the map.
    if (!this.#isOpen(job, call)) return false;
    this.#overtimes.stop(job);
    attempts.tryAgain(job, error, call);
    return true;
  }

  /** An attempt that waits will not be made: the call fails as said, or by the error of the attempt before. */
  #failWaiting(job: Job<Batch>, error?: () => unknown): void {
    const before = this.#attempts!.errorBefore(job);
    if (before === undefined) return;
    const reason = error === undefined ? before.error : error();
    this.#settle(job, new Failure(reason), "failed", 0);
  }

  /** Ends a job whose outcomes nobody will read. */
  #abandonJob(job: Job<Batch>, reason: CancelledError | undefined): void {
    const { target: batch, from, count } = job;
    let firstOpen = Infinity;
    for (let call = 0; call < count; call++) {
      if (!this.#hasOpen(job, call)) continue;
      firstOpen = Math.min(firstOpen, call);
      // A listener may cause the job to be split; this loop goes over the rest too.
      batch.settle(from + call, undefined);
      job.ended("cancelled", call);
      if (!job.timed) continue;
      const error = reason ??
        new CancelledError("Nobody wants the results of the map");
      job.tell("cancelled", error, call);
    }
    job.holder?.revoke(job);
    // The calls that are left have been entered; the last may have ended.
    if (reason !== undefined && firstOpen < job.count) {
      job.holder?.stop(job, reason);
    }
  }

  /** Whether an outcome of a call is wanted. */
  #isOpen(job: Job<Batch>, call: number): boolean {
    return !this.#abandoned && call < job.count && this.#hasOpen(job, call);
  }

  /** Whether a call has no outcome, and no later attempt. */
  #hasOpen(job: Job<Batch>, call: number): boolean {
    return job.target.isOpen(job.from + call) && this.#isCurrent(job, call);
  }

  #isCurrent(job: Job<Batch>, call: number): boolean {
    return this.#attempts?.isCurrent(job, call) ?? true;
  }

  #firstOpen(job: Job<Batch>): number {
    let call = job.target.firstOpen(job.from) - job.from;
    while (call < job.count && !this.#hasOpen(job, call)) call++;
    return call;
  }
}

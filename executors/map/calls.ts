/**
 * The sink of a `map()`: knows which of its calls are on their way through the
 * executor, and stops them when nobody wants their outcomes any more.
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import { type Entrance, Job, type Sink } from "../job/job.ts";
import type { CallOptions } from "../job/options.ts";
import { hearReport } from "../job/reports.ts";
import type { AsyncContext } from "../runtime/async_context.ts";
import type { Tally, TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { Batch, Failure } from "./batch.ts";
import type { Counts, Progress } from "./progress.ts";

/** Is told that `count` calls of a batch, from `call` on, have outcomes. */
type CallsSettled = (batch: Batch, call: number, count: number) => void;

/** What the sink of a map needs. */
export interface CallsInit {
  /** The function. */
  readonly fn: AnyFunction;
  /** How many arguments each call has. */
  readonly arity: number;
  /** How the calls are to be made. */
  readonly options: CallOptions;
  /** The executor. */
  readonly entrance: Entrance;
  /** Counts the calls of the map. */
  readonly progress: Progress;
  /** Is told of outcomes. */
  readonly settled: CallsSettled;
}

/** The sink of one map; attempted_calls.ts has that of calls that have a clock, or may be tried again. */
export class MapCalls implements Sink<Batch> {
  readonly tally: Tally;
  readonly options: CallOptions;
  readonly context: AsyncContext;
  readonly arity: number;
  readonly #fn: AnyFunction;
  readonly #progress: Progress;
  readonly #counts: Counts;
  /** Whether the user wants to be told of each change; asked once, as most do not. */
  readonly #isTold: boolean;
  readonly #settled: CallsSettled;
  /** Batches with calls that have no outcome. */
  readonly #open = new Set<Batch>();
  #inFlight = 0;
  /** How many calls there were. */
  #count = 0;
  #abandoned = false;

  constructor({ fn, arity, options, entrance, progress, settled }: CallsInit) {
    this.tally = entrance.tally;
    this.options = options;
    this.context = progress.context;
    this.arity = arity;
    this.#fn = fn;
    this.#progress = progress;
    this.#counts = progress.counts;
    this.#isTold = progress.isTold;
    this.#settled = settled;
  }

  /** How many calls have no outcome. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether nobody wants an outcome any more. */
  protected get abandoned(): boolean {
    return this.#abandoned;
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
    const { count } = batch;
    this.#open.add(batch);
    this.#inFlight += count;
    this.#count += count;
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
    const what = error instanceof CancelledError ? "cancelled" : "failed";
    this.hear(batch, 0, 1, what);
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
    const batches = [...this.#open];
    this.#open.clear();
    for (const batch of batches) {
      // By index, as listeners that are told of a call may cause a job to be split.
      for (let i = 0; i < batch.jobs.length; i++) {
        this.abandonJob(batch.jobs[i]!, reason);
      }
    }
  }

  settled(_job: Job<Batch>): boolean {
    return this.#abandoned;
  }

  start(_job: Job<Batch>): boolean {
    return !this.#abandoned;
  }

  resolve(
    job: Job<Batch>,
    value: unknown,
    call: number = this.firstOpen(job),
  ): void {
    this.settle(job, value, "finished", call);
  }

  resolveAll(
    job: Job<Batch>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    if (this.tally.watched) {
      // Listeners are told of each call.
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
    this.hear(batch, first, to - from, "finished");
  }

  reject(
    job: Job<Batch>,
    error: unknown,
    call: number = this.firstOpen(job),
  ): boolean {
    return this.settle(job, new Failure(error), "failed", call);
  }

  cancelRunning(
    job: Job<Batch>,
    error: CancelledError,
    call: number,
  ): boolean {
    return this.settle(job, new Failure(error), "cancelled", call);
  }

  report(job: Job<Batch>, value: unknown, call: number): void {
    const { target: { first }, from } = job;
    // The calls of a map that is over are not open either.
    if (this.isOpen(job, call)) hearReport(job, value, first + from + call);
  }

  cancel(job: Job<Batch>): void {
    for (let call = 0; call < job.count; call++) {
      const error = new CancelledError("The task was cancelled");
      this.settle(job, new Failure(error), "cancelled", call);
    }
  }

  attempt(_job: Job<Batch>): number {
    return 1;
  }

  split(job: Job<Batch>, rest: Job<Batch>): void {
    job.target.jobs.push(rest);
  }

  /** Whether a call has no outcome, and is to have that of this job. */
  protected isOpen({ target, from }: Job<Batch>, call: number): boolean {
    return target.isOpen(from + call);
  }

  /** The first call of a job that is open; as many as it holds if none is. */
  protected firstOpen(job: Job<Batch>): number {
    let call = 0;
    while (call < job.count && !this.isOpen(job, call)) call++;
    return call;
  }

  /** A call has an outcome; false if it had one. */
  protected settle(
    job: Job<Batch>,
    outcome: unknown,
    what: TaskOutcome,
    call: number,
  ): boolean {
    if (this.#abandoned || call >= job.count || !this.isOpen(job, call)) {
      return false;
    }
    const { target: batch, from } = job;
    batch.settle(from + call, outcome);
    job.ended(what, call);
    if (job.timed) job.tell(what, errorOf(outcome), call);
    this.hear(batch, from + call, 1, what);
    return true;
  }

  /** Calls have outcomes now. */
  protected hear(
    batch: Batch,
    call: number,
    count: number,
    what: TaskOutcome,
  ): void {
    // A listener that was told of the call may have abandoned the map.
    if (this.#abandoned) return;
    this.#inFlight -= count;
    if (batch.complete) this.#open.delete(batch);
    if (what !== "cancelled") this.#counts.done += count;
    if (what === "failed") this.#counts.failed += count;
    if (this.#isTold) this.#progress.changed();
    this.#settled(batch, call, count);
  }

  /** Ends a job whose outcomes nobody will read. */
  protected abandonJob(
    job: Job<Batch>,
    reason: CancelledError | undefined,
  ): void {
    const { target: batch, from, count } = job;
    let firstOpen = Infinity;
    for (let call = 0; call < count; call++) {
      if (!this.isOpen(job, call)) continue;
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
}

function errorOf(outcome: unknown): unknown {
  return outcome instanceof Failure ? outcome.error : undefined;
}

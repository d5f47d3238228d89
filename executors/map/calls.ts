/**
 * The sink of a `map()`: knows which of its calls are on their way through the
 * executor, and stops them when nobody wants their outcomes any more.
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import { Job, type Sink } from "../job/job.ts";
import type { CallOptions } from "../job/options.ts";
import { Overtimes } from "../job/overtime.ts";
import type { AsyncContext } from "../runtime/async_context.ts";
import type { Tally, TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { Batch, Failure } from "./batch.ts";
import type { Progress } from "./progress.ts";

/** Is told that `count` calls of a batch, from `call` on, have outcomes. */
type CallsSettled = (batch: Batch, call: number, count: number) => void;

/** The sink of one map. */
export class MapCalls implements Sink<Batch> {
  readonly tally: Tally;
  readonly options: CallOptions;
  readonly context: AsyncContext;
  readonly arity: number;
  readonly #fn: AnyFunction;
  readonly #progress: Progress;
  readonly #settled: CallsSettled;
  readonly #overtimes = new Overtimes<Job<Batch>>();
  /** Batches with calls that have no outcome. */
  readonly #open = new Set<Batch>();
  #inFlight = 0;
  #abandoned = false;

  /**
   * Makes the sink of a map that calls a function.
   *
   * @param fn The function.
   * @param arity How many arguments each call has.
   * @param options How the calls are to be made.
   * @param tally Counts the calls of the executor.
   * @param progress Counts the calls of the map, and has their context.
   * @param settled Is told of outcomes.
   */
  constructor(
    fn: AnyFunction,
    arity: number,
    options: CallOptions,
    tally: Tally,
    progress: Progress,
    settled: CallsSettled,
  ) {
    this.tally = tally;
    this.options = options;
    this.context = progress.context;
    this.arity = arity;
    this.#fn = fn;
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
    const batch = new Batch(args, this.arity);
    this.#open.add(batch);
    this.#inFlight += batch.count;
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
    const batches = [...this.#open];
    this.#open.clear();
    for (const batch of batches) {
      // By index, as listeners that are told of a call may cause a job to be split.
      for (let i = 0; i < batch.jobs.length; i++) {
        const job = batch.jobs[i]!;
        if (reason !== undefined) this.#overtimes.stop(job);
        abandonJob(job, reason);
      }
    }
  }

  settled(): boolean {
    return this.#abandoned;
  }

  start(job: Job<Batch>): boolean {
    if (this.#abandoned) return false;
    this.#overtimes.start(job, job);
    return true;
  }

  resolve(
    job: Job<Batch>,
    value: unknown,
    call = job.target.firstOpen(job.from) - job.from,
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
    if (this.tally.watched || this.options.timeout < Infinity) {
      // Listeners are told of each call, and each has a clock.
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
    call = job.target.firstOpen(job.from) - job.from,
  ): boolean {
    return this.#settle(job, new Failure(error), "failed", call);
  }

  cancelRunning(
    job: Job<Batch>,
    error: CancelledError,
    call: number,
  ): boolean {
    return this.#settle(job, new Failure(error), "cancelled", call);
  }

  cancel(job: Job<Batch>): void {
    for (let call = 0; call < job.count; call++) {
      const error = new CancelledError("The task was cancelled");
      this.#settle(job, new Failure(error), "cancelled", call);
    }
  }

  attempt(): number {
    return 1;
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
    if (call >= job.count || !isOpen(job, call)) return false;
    const { target: batch, from } = job;
    batch.settle(from + call, outcome);
    job.ended(what, call);
    const error = outcome instanceof Failure ? outcome.error : undefined;
    job.tell(what, error, call);
    this.#hear(batch, from + call, 1, what);
    return true;
  }

  #hear(batch: Batch, call: number, count: number, what: TaskOutcome): void {
    // A listener that was told of the call may have abandoned the map.
    if (this.#abandoned) return;
    this.#inFlight -= count;
    if (batch.complete) this.#open.delete(batch);
    if (what !== "cancelled") this.#progress.ended(count, what === "failed");
    this.#settled(batch, call, count);
  }
}

/** Ends a job whose outcomes nobody will read. */
function abandonJob(job: Job<Batch>, reason: CancelledError | undefined): void {
  const { target: batch, from, count } = job;
  let firstOpen = Infinity;
  for (let call = 0; call < count; call++) {
    if (!isOpen(job, call)) continue;
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

function isOpen({ target, from }: Job<Batch>, call: number): boolean {
  return target.isOpen(from + call);
}

/**
 * Makes the calls of one batch in the executor of this node: its jobs are those
 * of the client, so that a map is not a future for each of its calls here, and
 * is stopped as a whole.
 *
 * ```text
 * submit() ──► Group ── jobs ──► the executor
 *                ▲                  │
 *   returned(), threw(), lost() ◄───┘
 * ```
 *
 * @module
 */

import {
  BrokenExecutorError,
  CancelledError,
  WorkerCrashedError,
} from "../../errors.ts";
import { entranceTo, type Executor } from "../../executor.ts";
import { type Entrance, Job, type Sink } from "../../job/job.ts";
import { type CallOptions, NO_OPTIONS } from "../../job/options.ts";
import { enqueueTimed, Overtimes } from "../../job/overtime.ts";
import { PromisePoolExecutor } from "../../promise_pool.ts";
import type { CallTiming, Tally, TaskOutcome } from "../../stats.ts";
import type { AnyFunction } from "../../task.ts";
import { nameOf } from "../../text.ts";

/** Hears of calls, each once, and of none that was stopped or taken back. */
export interface CallListener {
  /** Calls that follow one another, from `call` on, have returned values. */
  returned(
    call: number,
    values: readonly unknown[],
    timing: CallTiming | undefined,
  ): void;
  /** A call has thrown something. */
  threw(call: number, error: unknown, timing: CallTiming | undefined): void;
  /** A call that has not ended reports a value. */
  reported(call: number, value: unknown): void;
  /** The executor will not make calls, for a reason of its own, or will not end them: then they may have `begun`. */
  lost(calls: readonly number[], begun: boolean, error: unknown): void;
  /** No call goes on that was stopped. */
  rested(): void;
}

/** How the calls of a batch are made. */
export interface LocalOptions {
  /** How many arguments each has. */
  readonly arity: number;
  /** How long each may run, in milliseconds. */
  readonly timeout?: number;
  /** Whether somebody wants to know when. */
  readonly timed: boolean;
  /** Which attempt at its calls this is. */
  readonly attempt?: number;
  /** Whether nobody wants to know what they return. */
  readonly quiet?: true;
  /** Whether somebody wants to hear what they report, and how many bytes each report may have. */
  readonly reports?: true;
  readonly maxReportBytes: number;
  /** The spans that they have where they were submitted, as traceparents. */
  readonly traces?: readonly string[];
}

/** Calls that are wanted or not as a whole. */
class Group {
  /** The number in the batch of the first. */
  readonly first: number;
  /** The jobs that they travel in. */
  readonly jobs: Job<Group>[] = [];
  /** How many have no outcome. */
  open: number;

  constructor(first: number, count: number) {
    this.first = first;
    this.open = count;
  }
}

/** The calls of one batch that have been submitted, and those of them that have not ended. */
export class LocalCalls implements Sink<Group> {
  readonly options: CallOptions;
  /** Who submitted the calls is elsewhere. */
  readonly context = undefined;
  readonly arity: number;
  readonly tally: Tally;
  readonly #entrance: Entrance;
  readonly #listener: CallListener;
  readonly #timed: boolean;
  readonly #attempt: number;
  readonly #traces: readonly string[] | undefined;
  /** The group of each call that has no outcome, by its number. */
  readonly #open: (Group | undefined)[] = [];
  /** The clocks of calls that run, by their numbers. */
  readonly #overtimes = new Overtimes<number>();
  /**
   * Whether a call that was stopped keeps its place for as long as it likes, and
   * is heard of as it ends. Workers are closed, if need be, after a while.
   */
  readonly #keepsPlaces: boolean;
  /** Calls that were stopped, and go on. */
  readonly #goingOn = new Set<number>();

  constructor(
    executor: Executor,
    options: LocalOptions,
    listener: CallListener,
  ) {
    const { arity, timeout = Infinity, timed, attempt = 1 } = options;
    const { quiet = false, reports, maxReportBytes, traces } = options;
    this.#entrance = entranceTo(executor);
    this.#listener = listener;
    this.#timed = timed;
    this.#attempt = attempt;
    this.#traces = traces;
    this.options = {
      ...NO_OPTIONS,
      timeout,
      quiet,
      onReport: reports && heardElsewhere,
      maxReportBytes,
    };
    this.arity = arity;
    this.tally = this.#entrance.tally;
    this.#keepsPlaces = executor instanceof PromisePoolExecutor;
    if (timed) this.#entrance.watch();
  }

  /** Whether a call goes on that was stopped. */
  get areGoingOn(): boolean {
    return this.#goingOn.size > 0;
  }

  /**
   * Submits calls that follow one another, and are wanted or not as a whole.
   *
   * @param first The number of the first.
   * @param fn The function.
   * @param args Their arguments, one after another.
   * @param count How many there are.
   */
  submit(
    first: number,
    fn: AnyFunction,
    args: readonly unknown[],
    count: number,
  ): void {
    try {
      this.#entrance.checkTask(fn);
    } catch (error) {
      for (let i = 0; i < count; i++) {
        this.#listener.threw(first + i, error, undefined);
      }
      return;
    }
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      return this.#listener.lost(numbers(first, count), false, refusal.error);
    }
    const group = new Group(first, count);
    for (let i = 0; i < count; i++) this.#open[first + i] = group;
    const job = new Job<Group>(
      this,
      group,
      fn,
      args,
      this.tally.add(count),
      undefined,
      0,
      count,
    );
    group.jobs.push(job);
    enqueueTimed(job, (job) => this.#entrance.enqueue(job));
  }

  /** Stops calls, whether they run or not; nothing more is heard of them. Of a group, all have to be stopped to stop one. */
  stop(calls: Iterable<number>): void {
    const groups = new Set<Group>();
    for (const call of calls) {
      const group = this.#open[call];
      if (group === undefined) continue;
      groups.add(group);
      this.#noteIfEntered(group, call);
      this.#close(call, "cancelled");
    }
    for (const group of groups) if (group.open === 0) stopGroup(group);
  }

  /**
   * Takes calls back; of a group, all are to be taken back that have no outcome.
   *
   * @param calls Some without an outcome, perhaps not submitted yet.
   * @returns Those that are not entered, and will not be.
   */
  takeBack(calls: Iterable<number>): number[] {
    const taken: number[] = [];
    const groups = new Set<Group>();
    for (const call of calls) {
      const group = this.#open[call];
      if (group !== undefined) groups.add(group);
      else taken.push(call);
    }
    for (const group of groups) {
      // By index, as a job may be split while it is taken back.
      for (let i = 0; i < group.jobs.length; i++) {
        const job = group.jobs[i]!;
        if (this.settled(job)) continue;
        const back = job.holder === undefined ? job : job.holder.revoke(job);
        if (back === undefined) continue;
        for (const call of this.#openOf(back as Job<Group>)) {
          this.#close(call, "cancelled");
          taken.push(call);
        }
      }
    }
    return taken.sort((a, b) => a - b);
  }

  settled(job: Job<Group>): boolean {
    return this.#firstOpen(job) === undefined;
  }

  start(job: Job<Group>): boolean {
    if (this.settled(job)) return false;
    this.#overtimes.start(firstOf(job), job);
    return true;
  }

  resolve(job: Job<Group>, value: unknown, call?: number): void {
    const { timing } = job;
    const at = this.#place(job, call);
    if (at === undefined) return;
    this.#close(at, "finished");
    const values = [this.options.quiet ? undefined : value];
    this.#listener.returned(at, values, this.#timed ? timing : undefined);
  }

  resolveAll(
    job: Job<Group>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    const first = firstOf(job) + call;
    const count = to - from;
    let isWhole = !this.tally.watched;
    for (let i = 0; i < count; i++) {
      isWhole &&= this.#open[first + i] !== undefined;
    }
    for (let i = 0; i < count; i++) {
      if (isWhole) this.#close(first + i, "finished");
      else this.resolve(job, values[from + i], call + i);
    }
    if (isWhole) {
      this.#listener.returned(first, values.slice(from, to), undefined);
    }
  }

  reject(job: Job<Group>, error: unknown, call?: number): boolean {
    const at = this.#place(job, call);
    if (at === undefined) return false;
    // It is out of time, unless it has ended.
    this.#noteIfEntered(job.target, at);
    const { timing } = job;
    this.#close(at, "failed");
    const isLost = error instanceof BrokenExecutorError &&
      !(error instanceof WorkerCrashedError) && this.#refusal() !== undefined;
    if (isLost) this.#listener.lost([at], true, error);
    else this.#listener.threw(at, error, this.#timed ? timing : undefined);
    return true;
  }

  cancelRunning(job: Job<Group>, error: CancelledError, call: number): boolean {
    const at = this.#place(job, call);
    if (at === undefined) return false;
    this.#noteIfEntered(job.target, at);
    this.#close(at, "cancelled");
    this.#listener.lost([at], true, error);
    return true;
  }

  report(job: Job<Group>, value: unknown, call: number): void {
    const at = this.#place(job, call);
    if (at !== undefined) this.#listener.reported(at, value);
  }

  cancel(job: Job<Group>): void {
    const calls = this.#openOf(job);
    for (const call of calls) this.#close(call, "cancelled");
    // The executor was shut down, and has cancelled what had not begun.
    const error = this.#refusal()?.error ??
      new CancelledError(`Task ${nameOf(job.fn)} was cancelled on its node`);
    if (calls.length > 0) this.#listener.lost(calls, false, error);
  }

  attempt(): number {
    return this.#attempt;
  }

  tracesElsewhere(job: Job<Group>): readonly string[] | undefined {
    const first = firstOf(job);
    return this.#traces?.slice(first, first + job.count);
  }

  split({ target }: Job<Group>, rest: Job<Group>): void {
    target.jobs.push(rest);
  }

  /** The number in the batch of a call that has ended, or of the first of the job that is open; nothing if the call has an outcome. */
  #place(job: Job<Group>, call?: number): number | undefined {
    if (call === undefined) return this.#firstOpen(job);
    const at = firstOf(job) + call;
    if (this.#open[at] !== undefined) return at;
    if (this.#goingOn.delete(at) && this.#goingOn.size === 0) {
      this.#listener.rested();
    }
  }

  /** A call is to be stopped: if it runs, it may go on. */
  #noteIfEntered(group: Group, at: number): void {
    if (!this.#keepsPlaces) return;
    const job = jobOf(group, at);
    if (job.holder?.entered(job, at - firstOf(job))) this.#goingOn.add(at);
  }

  #firstOpen(job: Job<Group>): number | undefined {
    const first = firstOf(job);
    for (let at = first; at < first + job.count; at++) {
      if (this.#open[at] !== undefined) return at;
    }
  }

  #openOf(job: Job<Group>): number[] {
    return numbers(firstOf(job), job.count)
      .filter((at) => this.#open[at] !== undefined);
  }

  /** A call that was open has an outcome, or needs none. */
  #close(at: number, outcome: TaskOutcome): void {
    const group = this.#open[at]!;
    group.open--;
    this.#open[at] = undefined;
    this.#overtimes.stop(at);
    if (!this.tally.watched) return this.tally.ended(outcome);
    const job = jobOf(group, at);
    const call = at - firstOf(job);
    job.ended(outcome, call);
    job.tell(outcome, undefined, call);
  }

  /** Why the executor takes no calls, if that is so. */
  #refusal(): { readonly error: unknown } | undefined {
    try {
      this.#entrance.assertOpen();
    } catch (error) {
      return { error };
    }
  }
}

/** Stands for who listens where the calls were submitted. */
function heardElsewhere(): void {}

/** Ends the jobs of a group, of which nobody wants an outcome. */
function stopGroup({ jobs }: Group): void {
  // By index, as a job may be split while it is taken back.
  for (let i = 0; i < jobs.length; i++) {
    const job = jobs[i]!;
    const reason = new CancelledError(
      `Task ${nameOf(job.fn)} was stopped by its submitter`,
    );
    job.holder?.revoke(job);
    job.holder?.stop(job, reason);
  }
}

/** The job that a call of a group travels in. */
function jobOf({ jobs }: Group, at: number): Job<Group> {
  return jobs.find((job) =>
    at >= firstOf(job) && at < firstOf(job) + job.count
  )!;
}

/** The number in the batch of the first call of a job. */
function firstOf({ target, from }: Job<Group>): number {
  return target.first + from;
}

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

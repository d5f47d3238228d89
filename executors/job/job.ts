/**
 * A job: calls of one function, with their options and their sink, on their way
 * through an executor.
 *
 * ```text
 * submit() ──► job of one call, for a future ─┐
 *                                             ├─► JobQueue ──► holder: a worker, or this isolate
 * map() ────► job of many calls, for a map ───┘      ▲                        │
 *                                                    └── put back, split off ─┤
 *                                                                             │
 * sink ◄── resolve(value, call), reject(error, call) ◄────────────────────────┘
 * ```
 *
 * There is one class of jobs. Sinks have what differs between a future and a
 * map, and what all calls of a sink have in common. A submitted call costs a
 * future and a job, so a job has no field that most jobs do without.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "../errors.ts";
import {
  type AsyncContext,
  isCurrentContext,
  runIn,
} from "../runtime/async_context.ts";
import { wallTime } from "../runtime/clock.ts";
import type { CallTiming, Tally, TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { functionName } from "../text.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import type { CallOptions } from "./options.ts";
import { isTraced, runTraced } from "./trace.ts";
import type { Upcoming } from "./upcoming.ts";

/** The place that a job has been sent to: a worker, or a promise pool that runs its calls. */
export interface JobHolder {
  /** The name of the worker. */
  readonly name: string;
  /** Whether a call of the job, counted from 0, has been entered. */
  entered(job: Job, call: number): boolean;
  /** Takes back the calls that have not been entered; returns a job of them, if there are any. */
  revoke(job: Job): Job | undefined;
  /** Tells the function why it is to stop, as the job has settled before the function has ended. */
  stop(job: Job, reason: CancelledError | TimeoutError): void;
}

/**
 * Hears of the outcomes of jobs: one for all futures of an executor, or one for
 * each map. A sink takes the first outcome of each call, counts it, and ignores
 * later ones.
 *
 * @typeParam Target What hears of the outcomes of one job: a future, or a batch
 * of a map.
 */
export interface Sink<Target> {
  /** How the calls of its jobs are to be made. */
  readonly options: CallOptions;
  /** The async context of who submitted the calls. */
  readonly context: AsyncContext;
  /**
   * How many arguments each call has; `undefined` if each job has one call,
   * with as many as were submitted.
   */
  readonly arity: number | undefined;
  /** Counts the calls, and tells whoever watches of them. */
  readonly tally: Tally;
  /** The spans of calls which are those of an executor elsewhere, as traceparents, if they have any. */
  tracesElsewhere?(job: Job<Target>): readonly string[] | undefined;
  /** Whether nobody wants an outcome of the job any more. */
  settled(job: Job<Target>): boolean;
  /** A call is about to be entered; false if it must not be. */
  start(job: Job<Target>): boolean;
  /** A call returned a value; `undefined` means the first call without an outcome. */
  resolve(job: Job<Target>, value: unknown, call: number | undefined): void;
  /** Calls, of which `call` was the first, returned the values from one index up to another. */
  resolveAll(
    job: Job<Target>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void;
  /** A call threw an error, took too long, or could not be made; false if it had an outcome. */
  reject(job: Job<Target>, error: unknown, call: number | undefined): boolean;
  /** A call that runs has reported a value; dropped if it has an outcome, or nobody wants it. */
  report(job: Job<Target>, value: unknown, call: number): void;
  /** No call of the job has been entered, and none will be. */
  cancel(job: Job<Target>): void;
  /** A call that runs is cancelled; false if it had an outcome. */
  cancelRunning(
    job: Job<Target>,
    error: CancelledError,
    call: number,
  ): boolean;
  /** Which attempt at the calls of the job this is, counted from 1; a job of a later one has one call. */
  attempt(job: Job<Target>): number;
  /** From now on, `rest` has the last calls of the job. */
  split(job: Job<Target>, rest: Job<Target>): void;
}

/** The way into an executor for jobs that its `submit()` has not made: those of maps, of later attempts, and of clients of a node. */
export interface Entrance {
  readonly tally: Tally;
  /** What will bring more jobs after a shutdown. */
  readonly upcoming: Upcoming;
  /** Whether what `transfer()` marks is moved, and gone for a second attempt. */
  readonly moves: boolean;
  /** Throws unless the executor can run `fn` at all. */
  checkTask(fn: AnyFunction): void;
  /** Throws unless the executor takes jobs. */
  assertOpen(): void;
  /** Takes a job; `assertOpen()` has been called. */
  enqueue(job: Job): void;
  /** From now on, jobs are given their `timing`. */
  watch(): void;
}

/**
 * Calls of one function.
 *
 * Whoever writes an executor gets jobs in `enqueue()`. An executor takes off as
 * many calls as it wants with `split()`, asks `start()` as a function is about
 * to be entered, calls the function with `invoke()` if it runs in this isolate,
 * and gives the outcome of each call to `resolve()` or `reject()`. An outcome
 * that comes too late does nothing. Calls are counted from 0 in each job.
 *
 * @typeParam Target What hears of the outcomes: a future, or a batch of a map.
 */
export class Job<Target = unknown> {
  /** The function to call. */
  readonly fn: AnyFunction;
  /**
   * Hears of the outcomes.
   *
   * @internal
   */
  readonly sink: Sink<Target>;
  /**
   * The future or the batch for which the sink hears of them.
   *
   * @internal
   */
  target: Target;
  /** The place that the job was sent to; `undefined` while the job waits in a queue. */
  holder: JobHolder | undefined = undefined;
  /** The position of the job in its holder, which sets it. */
  position = 0;
  /**
   * Which worker ran the call, and when; to be set before an outcome is given,
   * if the job is `timed`.
   */
  timing: CallTiming | undefined = undefined;
  /** Whether an argument is to be moved, so that the job can be sent only once. */
  readonly transfers: boolean;
  /** How many calls of the target come before those of the job. */
  readonly from: number;
  /** How many calls were submitted to the executor before the target's. */
  readonly #index: number;
  readonly #submitted: number | undefined;
  /** The arguments of all calls of the target, one after another. */
  readonly #args: readonly unknown[];
  #count: number;

  /**
   * Makes a job that has not been sent anywhere.
   *
   * @param sink Hears of the outcomes.
   * @param target The future or the batch for which it does.
   * @param fn The function to call.
   * @param args The arguments of all calls of the target.
   * @param index How many calls were submitted before the target's.
   * @param submitted When they were submitted, in milliseconds since 1970, if
   * anybody watches.
   * @param from How many calls of the target come before these.
   * @param count How many calls the job holds.
   */
  constructor(
    sink: Sink<Target>,
    target: Target,
    fn: AnyFunction,
    args: readonly unknown[],
    index: number,
    submitted: number | undefined = sink.tally.watched ? wallTime() : undefined,
    from = 0,
    count = 1,
  ) {
    this.fn = fn;
    this.sink = sink;
    this.target = target;
    this.from = from;
    this.#index = index;
    this.#submitted = submitted;
    this.#args = args;
    this.#count = count;
    // A call of a map that moves something is a job of its own from the start.
    this.transfers = count === 1 && this.#movesSomething();
  }

  /** How the calls are to be made. */
  get options(): CallOptions {
    return this.sink.options;
  }

  /**
   * The async context of who submitted the calls.
   *
   * @internal
   */
  get context(): AsyncContext {
    return this.sink.context;
  }

  /** How many calls the job holds. */
  get count(): number {
    return this.#count;
  }

  /** The arguments of all calls of the job, one after another. */
  get args(): readonly unknown[] {
    return this.#argsOf(0, this.#count);
  }

  /** Which attempt at its calls the job is, counted from 1. */
  get attempt(): number {
    return this.sink.attempt(this);
  }

  /**
   * The spans of the calls, as traceparents, or "" for a call that nobody wants;
   * `undefined` if nobody collects spans. They begin, unless they have before.
   *
   * @internal
   */
  get traces(): readonly string[] | undefined {
    const elsewhere = this.sink.tracesElsewhere?.(this);
    if (elsewhere !== undefined) return elsewhere;
    const { tracing } = this.sink.tally;
    if (tracing === undefined) return undefined;
    const { settled, fn, context } = this;
    return Array.from(
      { length: this.#count },
      (_, call) =>
        settled ? "" : tracing.begin(this.indexOf(call), fn, context),
    );
  }

  /** Whether nobody wants an outcome of the job any more. */
  get settled(): boolean {
    return this.sink.settled(this);
  }

  /** Whether somebody wants to know who runs the calls, and when. */
  get timed(): boolean {
    return this.sink.tally.watched;
  }

  /** A call is about to be entered; false if it must not be. */
  start(): boolean {
    return this.sink.start(this);
  }

  /**
   * Makes a call in this isolate, in the async context of who submitted it.
   *
   * @param call The number of the call.
   * @returns What the function returns.
   */
  invoke(call: number): unknown {
    return this.invokeIn(this.context, call);
  }

  /**
   * Makes a call in this isolate, in an async context.
   *
   * @internal
   */
  invokeIn(context: AsyncContext, call: number): unknown {
    // To make a closure takes longer than a trivial call.
    if (!isTraced && isCurrentContext(context)) return this.#invoke(call);
    return runIn(
      context,
      () => isTraced ? this.#invokeTraced(call) : this.#invoke(call),
    );
  }

  /**
   * A call returned a value.
   *
   * @param value What the call returned.
   * @param call The number of the call; by default the first without an outcome.
   */
  resolve(value: unknown, call?: number): void {
    this.sink.resolve(this, value, call);
  }

  /**
   * Calls that follow one another, none of which has an outcome, returned values.
   *
   * @param values Has the values, from one index up to another.
   * @param from The index of the first value.
   * @param to The index after the last value.
   * @param call The number of the first call.
   */
  resolveAll(
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    this.sink.resolveAll(this, values, from, to, call);
  }

  /**
   * A call failed.
   *
   * @param error What the call threw, or why it could not be made.
   * @param call The number of the call; by default the first without an outcome.
   * @returns False, and nothing happens, if the call had an outcome.
   */
  reject(error: unknown, call?: number): boolean {
    return this.sink.reject(this, error, call);
  }

  /**
   * Calls cannot be made, or have no outcome; each gets an error of its own.
   *
   * @param error Makes the error of a call.
   * @param from The number of the first such call; all that follow are, too.
   */
  rejectAll(error: () => unknown, from = 0): void {
    for (let call = from; call < this.#count; call++) {
      this.reject(error(), call);
    }
  }

  /**
   * A call that runs has reported a value.
   *
   * @param value A copy of what the task has reported.
   * @param call The number of the call.
   */
  report(value: unknown, call: number): void {
    this.sink.report(this, value, call);
  }

  /** Cancels the job, of which no call has been entered. */
  cancel(): void {
    this.sink.cancel(this);
  }

  /**
   * Cancels a call that runs.
   *
   * @param error Why.
   * @param call The number of the call.
   * @returns False, and nothing happens, if the call had an outcome.
   */
  cancelRunning(error: CancelledError, call: number): boolean {
    return this.sink.cancelRunning(this, error, call);
  }

  /**
   * Splits the job, which keeps its first calls.
   *
   * @param count How many calls to keep: at least 1, and less than the job holds.
   * @returns A job that holds the others.
   */
  split(count: number): Job<Target> {
    const rest = new Job(
      this.sink,
      this.target,
      this.fn,
      this.#args,
      this.#index,
      this.#submitted,
      this.from + count,
      this.#count - count,
    );
    this.#count = count;
    this.sink.split(this, rest);
    return rest;
  }

  /** A job of one of the calls, for another attempt. */
  again(call: number): Job<Target> {
    return new Job(
      this.sink,
      this.target,
      this.fn,
      this.#args,
      this.#index,
      this.#submitted,
      this.from + call,
    );
  }

  /** Whether a call of the job, by default its first, has been entered. */
  entered(call = 0): boolean {
    return this.holder?.entered(this, call) ?? false;
  }

  /** Takes the whole job back from its holder; false if a call has been entered. */
  revoke(): boolean {
    return this.holder === undefined || this.holder.revoke(this) === this;
  }

  /**
   * Counts a call that has an outcome now; runs no code of a user.
   *
   * @param outcome What became of the call.
   * @param call Which one.
   */
  ended(outcome: TaskOutcome, call = 0): void {
    // Nobody has said when a call ran that was stopped, or lost with its worker.
    if (this.timed && this.timing === undefined && this.entered(call)) {
      this.timing = { worker: this.holder!.name };
    }
    this.sink.tally.ended(outcome);
  }

  /**
   * Tells whoever watches the executor of a call that has ended.
   *
   * @param outcome What became of the call.
   * @param error Why, unless the call has finished.
   * @param call The number of the call.
   */
  tell(outcome: TaskOutcome, error: unknown, call = 0): void {
    if (!this.timed) return;
    const { timing } = this;
    // The next call of the job has another timing.
    this.timing = undefined;
    const { tally } = this.sink;
    const told = {
      task: functionName(this.fn),
      index: this.indexOf(call),
      outcome,
      error,
      attempts: this.attempt,
      submitted: this.#submitted,
      timing,
    };
    if (this.sink.tracesElsewhere?.(this) === undefined) {
      tally.tracing?.end(told, this.fn, this.context);
    }
    tally.tell(told);
  }

  /** How many calls were submitted to the executor before one of the job. */
  indexOf(call: number): number {
    return this.#index + this.from + call;
  }

  /** Makes a call in its span. */
  #invokeTraced(call: number): unknown {
    const invoke = () => this.#invoke(call);
    const elsewhere = this.sink.tracesElsewhere?.(this);
    if (elsewhere !== undefined) return runTraced(elsewhere[call]!, invoke);
    const { tracing } = this.sink.tally;
    return tracing!.run(this.indexOf(call), this.fn, this.context, invoke);
  }

  /** Makes a call. */
  #invoke(call: number): unknown {
    const { fn } = this;
    if (this.transfers) return fn(...this.args.map(unwrapTransfer));
    return this.#arity === 1
      ? fn(this.#args[this.from + call])
      : fn(...this.#argsOf(call, call + 1));
  }

  /** How many arguments each call of the job has. */
  get #arity(): number {
    return this.sink.arity ?? this.#args.length;
  }

  /** The arguments of the calls from one number up to another. */
  #argsOf(call: number, end: number): readonly unknown[] {
    const arity = this.#arity;
    const from = (this.from + call) * arity;
    const to = (this.from + end) * arity;
    return from === 0 && to === this.#args.length
      ? this.#args
      : this.#args.slice(from, to);
  }

  /** Whether an argument of the only call is marked by `transfer()`. */
  #movesSomething(): boolean {
    const arity = this.#arity;
    const end = (this.from + 1) * arity;
    for (let i = end - arity; i < end; i++) {
      if (isTransfer(this.#args[i])) return true;
    }
    return false;
  }
}

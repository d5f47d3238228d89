/**
 * What is submitted: calls of one function, with their options and their sink,
 * on their way through an executor.
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
 * There is one class of jobs. What is different for a future and for a map is in
 * their sinks, and what all calls of a sink have in common as well: a job is what
 * each call costs, and has no field that most jobs do without.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "../errors.ts";
import { wallTime } from "../runtime/clock.ts";
import type { CallTiming, Tally, TaskOutcome } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { functionName } from "../text.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import type { CallOptions } from "./options.ts";

/** The place that a job has been sent to: a worker, or a promise pool that runs its calls. */
export interface JobHolder {
  /** The name of the worker. */
  readonly name: string;
  /** Whether a call of the job has been entered. */
  entered(job: Job): boolean;
  /** Takes back and returns the part of the job that has not been entered. */
  revoke(job: Job): Job | undefined;
  /** The job has settled without its function having ended: tells the function why. */
  stop(job: Job, reason: CancelledError | TimeoutError): void;
}

/**
 * Who hears of the outcomes of jobs: the futures of an executor, or one map. A
 * sink takes the first outcome of each call, counts it, and leaves others alone.
 *
 * @typeParam Target What a job is for: a future, or a batch of a map.
 */
export interface Sink<Target> {
  /** How the calls of its jobs are to be made. */
  readonly options: CallOptions;
  /** How many arguments each call has; `undefined` if jobs have one call, and may differ. */
  readonly arity: number | undefined;
  /** Where calls are counted, and whoever watches is told of them. */
  readonly tally: Tally;
  /** Whether nobody wants an outcome of the job any more. */
  settled(job: Job<Target>): boolean;
  /** A call is about to be entered; false if the call must not be. */
  start(job: Job<Target>): boolean;
  /** A call returned a value; without a number, the first call that has no outcome. */
  resolve(job: Job<Target>, value: unknown, call: number | undefined): void;
  /** Calls returned values from one index up to another; `call` was the first. */
  resolveAll(
    job: Job<Target>,
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void;
  /** A call threw an error, or could not be made because of the error. */
  reject(job: Job<Target>, error: unknown, call: number | undefined): void;
  /** No call of the job has been entered, and none is to be. */
  cancel(job: Job<Target>): void;
  /** The second part of a job is on its own from now on. */
  split(job: Job<Target>, rest: Job<Target>): void;
}

/**
 * Calls of one function.
 *
 * Whoever writes an executor gets jobs in `enqueue()`. An executor takes off as
 * many calls as it wants with `split()`, asks `start()` as a function is about
 * to be entered, calls the function with `invoke()` if that is to be here, and
 * gives the outcome of each call to `resolve()` or `reject()`. What comes too
 * late does nothing. Calls are counted from 0 in each job.
 *
 * @typeParam Target What the sink keeps with the job.
 */
export class Job<Target = unknown> {
  /** What to call. */
  readonly fn: AnyFunction;
  /**
   * Who hears of the outcomes.
   *
   * @internal
   */
  readonly sink: Sink<Target>;
  /**
   * What the outcomes are for.
   *
   * @internal
   */
  target: Target;
  /** Where the job is; `undefined` while the job waits in a queue. */
  holder: JobHolder | undefined = undefined;
  /** For the holder's use: where in the holder the job is. */
  position = 0;
  /** Set before an outcome is given, if `timed`: who ran the call, and when. */
  timing: CallTiming | undefined = undefined;
  /** Whether some argument is to be moved, so that the job can be sent only once. */
  readonly transfers: boolean;
  /** How many calls of the target come before its own. */
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
   * @param sink Who hears of the outcomes.
   * @param target What the outcomes are for.
   * @param fn What to call.
   * @param args The arguments of all calls of the target.
   * @param index How many calls were submitted before the target's.
   * @param submitted When they were submitted, if anybody watches.
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

  /** How many calls the job holds. */
  get count(): number {
    return this.#count;
  }

  /** The arguments of all its calls, one after another. */
  get args(): readonly unknown[] {
    return this.#argsOf(0, this.#count);
  }

  /** Whether there is nothing left to do for the job. */
  get settled(): boolean {
    return this.sink.settled(this);
  }

  /** Whether somebody wants to know who runs the calls, and when. */
  get timed(): boolean {
    return this.sink.tally.watched;
  }

  /** A call is about to be entered; false if the call must not be. */
  start(): boolean {
    return this.sink.start(this);
  }

  /**
   * Makes a call in this isolate.
   *
   * @param call Which one.
   * @returns What the function returns.
   */
  invoke(call: number): unknown {
    const { fn } = this;
    if (this.transfers) return fn(...this.args.map(unwrapTransfer));
    return this.#arity === 1
      ? fn(this.#args[this.from + call])
      : fn(...this.#argsOf(call, call + 1));
  }

  /**
   * A call returned a value.
   *
   * @param value What the call returned.
   * @param call Which one; by default the first without an outcome.
   */
  resolve(value: unknown, call?: number): void {
    this.sink.resolve(this, value, call);
  }

  /**
   * Calls returned `values` from one index up to another.
   *
   * @param values What calls returned.
   * @param from The index of the first that is meant.
   * @param to The index after the last.
   * @param call Which call was the first.
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
   * A call threw this, or could not be made because of this.
   *
   * @param error What the call threw.
   * @param call Which one; by default the first without an outcome.
   */
  reject(error: unknown, call?: number): void {
    this.sink.reject(this, error, call);
  }

  /**
   * No outcome comes of calls; each gets an error of its own.
   *
   * @param error Makes the error of a call.
   * @param from The first of them.
   */
  rejectAll(error: () => unknown, from = 0): void {
    for (let call = from; call < this.#count; call++) {
      this.reject(error(), call);
    }
  }

  /** The executor cancels what has not been entered. */
  cancel(): void {
    this.sink.cancel(this);
  }

  /**
   * Keeps the first `count` calls.
   *
   * @param count At least 1, and less than it holds.
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

  /** Whether its function has been entered. */
  entered(): boolean {
    return this.holder?.entered(this) ?? false;
  }

  /** Takes the whole job back from wherever it is; false if the job has been entered. */
  revoke(): boolean {
    return this.holder === undefined || this.holder.revoke(this) === this;
  }

  /**
   * Counts a call that has an outcome now; calls no code of a user.
   *
   * @param outcome What became of the call.
   */
  ended(outcome: TaskOutcome): void {
    // The call was stopped, or lost with its worker.
    if (this.timed && this.timing === undefined && this.entered()) {
      this.timing = { worker: this.holder!.name };
    }
    this.sink.tally.ended(outcome);
  }

  /**
   * Tells whoever watches the executor of a call that has ended.
   *
   * @param outcome What became of the call.
   * @param call Which one.
   */
  tell(outcome: TaskOutcome, call = 0): void {
    if (!this.timed) return;
    const { timing } = this;
    // That of the next call is another one.
    this.timing = undefined;
    this.sink.tally.tell({
      task: functionName(this.fn),
      index: this.#index + this.from + call,
      outcome,
      submitted: this.#submitted,
      timing,
    });
  }

  /** How many arguments each of its calls has. */
  get #arity(): number {
    return this.sink.arity ?? this.#args.length;
  }

  /** The arguments of its calls from one up to another. */
  #argsOf(call: number, end: number): readonly unknown[] {
    const arity = this.#arity;
    const from = (this.from + call) * arity;
    const to = (this.from + end) * arity;
    return from === 0 && to === this.#args.length
      ? this.#args
      : this.#args.slice(from, to);
  }

  /** Whether an argument of its one call is marked by `transfer()`. */
  #movesSomething(): boolean {
    const arity = this.#arity;
    const end = (this.from + 1) * arity;
    for (let i = end - arity; i < end; i++) {
      if (isTransfer(this.#args[i])) return true;
    }
    return false;
  }
}

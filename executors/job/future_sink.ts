/**
 * The sink of the jobs that `submit()` makes: each job has one call, and its
 * target is the future that hears of the outcome.
 *
 * @module
 */

import type { CancelledError } from "../errors.ts";
import { control, type Future, type FutureOrigin } from "../future.ts";
import type { AsyncContext } from "../runtime/async_context.ts";
import type { Tally } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { StopGuard } from "./guard.ts";
import { Job, type Sink } from "./job.ts";
import { type CallOptions, NO_OPTIONS } from "./options.ts";
import { hearReport } from "./reports.ts";

/**
 * The sink of all futures of one executor; a call with options, and one that was
 * submitted in another async context than the program's, has a sink of its own.
 */
export class FutureSink implements Sink<Future<unknown>> {
  readonly tally: Tally;
  readonly options: CallOptions;
  readonly context: AsyncContext;
  readonly arity = undefined;
  /** Ends the call early; only if there are options. */
  protected guard: StopGuard | undefined;

  /**
   * Makes a sink.
   *
   * @param tally Where calls are counted.
   * @param options How the only call of the sink is to be made, if there are
   * options.
   * @param context The async context of who submits to the sink.
   */
  constructor(
    tally: Tally,
    options: CallOptions = NO_OPTIONS,
    context?: AsyncContext,
  ) {
    this.tally = tally;
    this.options = options;
    this.context = context;
  }

  /**
   * Makes a job for a new future, which is its target.
   *
   * @param fn What to call.
   * @param args What to call it with.
   */
  job(fn: AnyFunction, args: readonly unknown[]): Job<Future<unknown>> {
    const job = new Job<Future<unknown>>(
      this,
      // The future is made with the job, which it asks for exact states: the job comes first.
      undefined!,
      fn,
      args,
      this.tally.add(1),
    );
    job.target = control.create(this.origin(job));
    if (this.options !== NO_OPTIONS) this.guard = new StopGuard(job);
    return job;
  }

  /** Whom the future asks for exact states. */
  protected origin(job: Job<Future<unknown>>): FutureOrigin {
    return job;
  }

  settled({ target }: Job<Future<unknown>>): boolean {
    return target.done();
  }

  start(job: Job<Future<unknown>>): boolean {
    if (!control.start(job.target)) return false;
    this.guard?.start(job);
    return true;
  }

  resolve({ target }: Job<Future<unknown>>, value: unknown): void {
    control.resolve(target, value);
  }

  resolveAll(
    { target }: Job<Future<unknown>>,
    values: readonly unknown[],
    from: number,
  ): void {
    control.resolve(target, values[from]);
  }

  reject({ target }: Job<Future<unknown>>, error: unknown): boolean {
    return control.reject(target, error);
  }

  report(job: Job<Future<unknown>>, value: unknown): void {
    if (!this.settled(job)) hearReport(job, value);
  }

  cancel({ target }: Job<Future<unknown>>): void {
    target.cancel();
  }

  cancelRunning(
    { target }: Job<Future<unknown>>,
    error: CancelledError,
  ): boolean {
    return control.stop(target, error);
  }

  attempt(): number {
    return 1;
  }

  split(): void {
    throw new RangeError("One call cannot be split");
  }
}

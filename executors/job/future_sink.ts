/**
 * The sink of what `submit()` makes: each job has one call, and its target is
 * the future that hears of the outcome.
 *
 * @module
 */

import { control, type Future } from "../future.ts";
import type { Tally } from "../stats.ts";
import type { AnyFunction } from "../task.ts";
import { StopGuard } from "./guard.ts";
import { Job, type Sink } from "./job.ts";
import { type CallOptions, NO_OPTIONS } from "./options.ts";

/** The futures of one executor. */
export class FutureSink implements Sink<Future<unknown>> {
  readonly tally: Tally;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /**
   * A job for a new future, which is its target.
   *
   * @param fn What to call.
   * @param args What to call it with.
   * @param options How to call it.
   */
  job(
    fn: AnyFunction,
    args: readonly unknown[],
    options: CallOptions = NO_OPTIONS,
  ): Job<Future<unknown>> {
    const job = new Job<Future<unknown>>(
      this,
      // The future asks the job for exact states, so that the job comes first.
      undefined!,
      fn,
      args,
      options,
      this.tally.add(1),
    );
    job.target = control.create(job);
    if (options !== NO_OPTIONS) job.guard = StopGuard.of(job);
    return job;
  }

  settled({ target }: Job<Future<unknown>>): boolean {
    return target.done();
  }

  start({ target }: Job<Future<unknown>>): boolean {
    return control.start(target);
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

  reject({ target }: Job<Future<unknown>>, error: unknown): void {
    control.reject(target, error);
  }

  cancel({ target }: Job<Future<unknown>>): void {
    target.cancel();
  }

  split(): void {
    throw new RangeError("One call cannot be split");
  }
}

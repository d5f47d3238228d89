/**
 * Later attempts at calls of a map: each is a job of one call, whatever the call
 * has travelled with before.
 *
 * ```text
 * job of many calls ── reject(error, call) ──► may another attempt pass? ─ yes ─► job of that call
 *                                                       └─ no: the last error      │ after a wait
 *                                                                                  ▼
 *                                                                        enqueue, reject, …
 * ```
 *
 * @module
 */

import type { Entrance, Job } from "../job/job.ts";
import { waitFor } from "../job/next_attempt.ts";
import { type Retry, waitAfter } from "../job/retry.ts";
import type { Batch } from "./batch.ts";

/** An attempt that is not the first. */
interface Attempt {
  readonly number: number;
  /** Why the one before has failed. */
  readonly error: unknown;
  /** Ends the wait for it. */
  readonly stopWaiting: () => void;
}

/** The attempts of one map. */
export class Attempts {
  readonly #entrance: Entrance;
  readonly #retry: Retry;
  /** The later attempts that have no outcome, by their jobs. */
  readonly #attempts = new Map<Job<Batch>, Attempt>();
  /** The jobs of them, by the number of the call in its batch. */
  readonly #jobs = new Map<Batch, Map<number, Job<Batch>>>();

  /**
   * Makes it; there has been one attempt at each call.
   *
   * @param entrance By which attempts get into the executor.
   * @param retry How calls are tried again.
   */
  constructor(entrance: Entrance, retry: Retry) {
    this.#entrance = entrance;
    this.#retry = retry;
  }

  /** Which attempt a job is, counted from 1. */
  numberOf(job: Job<Batch>): number {
    return this.#attempts.get(job)?.number ?? 1;
  }

  /** Whether there has been no attempt at a call of a job after the job. */
  isCurrent(job: Job<Batch>, call: number): boolean {
    const later = this.#jobs.get(job.target)?.get(job.from + call);
    return later === undefined || later === job;
  }

  /** Tries a call again, after a wait. */
  tryAgain(job: Job<Batch>, error: unknown, call: number): void {
    const { tally } = this.#entrance;
    const number = this.numberOf(job);
    const wait = waitAfter(this.#retry, number);
    const next = job.again(call);
    const { jobs: known } = job.target;
    // There may be any number of attempts, and each is the only one.
    if (job.count === 1) known[known.indexOf(job)] = next;
    else known.push(next);
    const enqueue = () => {
      if (this.#attempts.has(next)) this.#entrance.enqueue(next);
    };
    const stopWaiting = waitFor(wait, enqueue);
    this.ended(job);
    this.#attempts.set(next, { number: number + 1, error, stopWaiting });
    const jobs = this.#jobs.get(next.target);
    if (jobs !== undefined) jobs.set(next.from, next);
    else this.#jobs.set(next.target, new Map([[next.from, next]]));
    tally.between.add(next);
    tally.triedAgain(job, number, error, wait, call);
  }

  /** A call is about to be entered. */
  started(job: Job<Batch>): void {
    this.#entrance.tally.between.delete(job);
  }

  /** An attempt has an outcome, or needs none; a job that is a first one has nothing to end. */
  ended(job: Job<Batch>): void {
    const attempt = this.#attempts.get(job);
    if (attempt === undefined) return;
    attempt.stopWaiting();
    this.#attempts.delete(job);
    this.#entrance.tally.between.delete(job);
    const jobs = this.#jobs.get(job.target)!;
    jobs.delete(job.from);
    if (jobs.size === 0) this.#jobs.delete(job.target);
  }

  /** A call has its outcome. */
  settled(batch: Batch, call: number): void {
    const job = this.#jobs.get(batch)?.get(call);
    if (job !== undefined) this.ended(job);
  }

  /** Why the attempt before has failed, if there was one. */
  errorBefore(job: Job<Batch>): { readonly error: unknown } | undefined {
    return this.#attempts.get(job);
  }

  /** The jobs of later attempts that have not been entered. */
  waiting(): Job<Batch>[] {
    return [...this.#attempts.keys()].filter((job) => !job.entered());
  }
}

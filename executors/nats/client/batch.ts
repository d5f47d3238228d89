/**
 * Calls that travel in one message, as the client sees them: which have no
 * outcome yet, and who has them.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "../../errors.ts";
import type { Job, JobHolder } from "../../job/job.ts";

// The life of a batch. States only move forward.
//
//   SENT   published, or about to be: nobody has begun a call
//   TAKEN  a node has a ticket for it, and may have begun its calls
//   LOST   that node does not have it any more, as far as one can know: its
//          calls are batches of their own by now, but outcomes still count
//   OVER   no call is left
//
//   SENT -> TAKEN        the node has asked, and was told to go
//   SENT -> OVER         nobody wants a call any more, or all went back to the queue
//   TAKEN -> LOST        the node is gone or silent, or says that it has nothing
//   TAKEN, LOST -> OVER  each call has an outcome, was given back, or is not wanted
export const SENT = 0;
export const TAKEN = 1;
export const LOST = 2;
export const OVER = 3;
type State = typeof SENT | typeof TAKEN | typeof LOST | typeof OVER;

/** Who has the calls of a batch, and by which right. */
export interface Ticket {
  readonly node: string;
  readonly ticket: string;
}

/** Hears what becomes of calls that nobody wants any more. */
export interface BatchOwner {
  /** Nobody wants outcomes of a job; with a reason, calls that run are to stop. */
  unwanted(
    batch: Batch,
    job: Job,
    reason?: CancelledError | TimeoutError,
  ): void;
  /** Nobody has been told to begin the calls of a job: takes it back, unless it may have been begun before. */
  withdraw(batch: Batch, job: Job): Job | undefined;
  /** Whether a job may have been begun before it was sent in this batch. */
  mayHaveBegun(job: Job): boolean;
  /** What a node is called where people read it. */
  nameOf(node: string): string;
}

/** Some calls of a batch that follow one another, and belong to one job. */
export interface Piece {
  readonly job: Job;
  /** The number of the first in its job. */
  readonly call: number;
  readonly count: number;
}

/** Calls of one function in one message; they are counted from 0, across all jobs. */
export class Batch implements JobHolder {
  /** Its part of the subjects, which is like no other of its client. */
  readonly id: string;
  /** How many calls there were. */
  readonly count: number;
  state: State = SENT;
  holder: Ticket | undefined = undefined;
  /** How many calls have no outcome. */
  left: number;
  /** How many reports of its calls have been heard. */
  reports = 0;
  readonly #owner: BatchOwner;
  /** The job of each call that has no outcome. */
  readonly #jobs: (Job | undefined)[] = [];

  /** Makes a batch of jobs, which it holds from now on. */
  constructor(id: string, jobs: readonly Job[], owner: BatchOwner) {
    this.id = id;
    this.#owner = owner;
    for (const job of jobs) {
      job.holder = this;
      job.position = this.#jobs.length;
      for (let call = 0; call < job.count; call++) this.#jobs.push(job);
    }
    this.count = this.left = this.#jobs.length;
  }

  /** The name of the node, which stands for the worker that may have run a call. */
  get name(): string {
    return this.holder === undefined
      ? ""
      : this.#owner.nameOf(this.holder.node);
  }

  /** From when a node was told to begin the calls on, each may have been entered. */
  entered(job: Job): boolean {
    return this.state > SENT || this.#owner.mayHaveBegun(job);
  }

  revoke(job: Job): Job | undefined {
    if (!job.settled) return this.#owner.withdraw(this, job);
    this.#owner.unwanted(this, job);
  }

  stop(job: Job, reason: CancelledError | TimeoutError): void {
    this.#owner.unwanted(this, job, reason);
  }

  /** The job of a call that has no outcome. */
  job(call: number): Job | undefined {
    return this.#jobs[call];
  }

  /** The calls that have no outcome. */
  get open(): number[] {
    return this.callsOf(() => true);
  }

  /** The calls without an outcome that belong to such jobs. */
  callsOf(belongs: (job: Job) => boolean): number[] {
    const calls: number[] = [];
    for (const [call, job] of this.#jobs.entries()) {
      if (job !== undefined && belongs(job)) calls.push(call);
    }
    return calls;
  }

  /** The first calls from one number up to another that have no outcome, and belong to one job. */
  piece(from: number, to: number): (Piece & { at: number }) | undefined {
    let at = from;
    while (at < to && this.#jobs[at] === undefined) at++;
    const job = this.#jobs[at];
    if (at >= to || job === undefined) return undefined;
    let end = at + 1;
    while (end < to && this.#jobs[end] === job) end++;
    // A call that was lost is a job by itself, with a position elsewhere.
    const call = job.count === 1 ? 0 : at - job.position;
    return { job, call, count: end - at, at };
  }

  /** Calls have an outcome now, or are not wanted, or are elsewhere. */
  clear(call: number, count = 1): void {
    for (let at = call; at < call + count; at++) {
      if (this.#jobs[at] === undefined) continue;
      this.#jobs[at] = undefined;
      this.left--;
    }
  }

  /**
   * Parts a call from others of its job.
   *
   * @returns The job of that call alone.
   */
  single(call: number): Job {
    return this.#cut(call, call + 1);
  }

  /** Takes calls that have no outcome out of the batch, as jobs. */
  extract(calls: readonly number[]): Job[] {
    const jobs: Job[] = [];
    for (let i = 0; i < calls.length;) {
      const from = calls[i]!;
      const job = this.#jobs[from];
      if (job === undefined) {
        i++;
        continue;
      }
      let to = from;
      while (calls[i] === to && this.#jobs[to] === job) {
        i++;
        to++;
      }
      jobs.push(this.#cut(from, to));
      this.clear(from, to - from);
    }
    return jobs;
  }

  /** Splits a job so that one has the calls from one number up to another. */
  #cut(from: number, to: number): Job {
    let job = this.#jobs[from]!;
    if (job.count === 1) return job;
    if (job.position < from) job = this.#split(job, from);
    if (job.position + job.count > to) this.#split(job, to);
    return job;
  }

  /** Splits a job before a call; returns the job that begins with it. */
  #split(job: Job, call: number): Job {
    const rest = job.split(call - job.position);
    rest.holder = this;
    rest.position = call;
    for (let at = call; at < call + rest.count; at++) {
      if (this.#jobs[at] === job) this.#jobs[at] = rest;
    }
    return rest;
  }
}

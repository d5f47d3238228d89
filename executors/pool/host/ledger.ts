/**
 * Everything a host knows of the jobs that it has sent to one worker: how many
 * calls of each job have not ended, how far the worker has come with the job,
 * and whether the job is to stop.
 *
 * ```text
 * reserve() ──► add() ──► ended() ──► a report is past the job: its place is free
 *    │           │  │
 *    │           │  └──► revoke(), keep(): the calls that were not entered are nobody's
 *    │           └─────► withdraw(): the newest job could not be cloned
 *    └─────────────────► release(): the calls are not sent after all
 * ```
 *
 * Each job has a place with the same position as its slot. The places are
 * arrays side by side: an object for each job would add a tenth to the garbage
 * that a tiny task makes.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import type { HostSlots } from "../channel.ts";
import { type Entered, SLOT_COUNT } from "../wire/slots.ts";
import type { PoolFunction } from "./functions.ts";

const MASK = SLOT_COUNT - 1;

/** A job, and how many of its calls have not ended. */
export type Running = readonly [job: Job, left: number];

/** A job that is to stop, for this reason. */
export interface Stop {
  readonly reason: CancelledError | TimeoutError;
  /** Ends the time that the job still has, once the worker has been told. */
  endGrace?: () => void;
  /** Ends the worker unless the job has ended, once the worker has said what it has entered behind the job. */
  decide?: () => void;
}

/** The accounts of one worker; positions count the jobs that the worker was sent, from 0. */
export class Ledger {
  /** How many more calls the worker may be sent. */
  quota: number;
  /** How many calls the worker has, those included that are about to be sent. */
  count = 0;
  /** How long these calls are expected to take, in milliseconds. */
  load = 0;
  /** The first position that the worker has not reported; the position of the next job to be sent. */
  head = 0;
  tail = 0;
  /** How many calls the worker has reported, and how long they took. */
  reported = 0;
  busyMs = 0;
  /** Whether the worker was told to say when calls began and ended. */
  watched = false;
  /** Jobs that were revoked since the worker is silent, and may run elsewhere by now: suspects, if the worker is ended for its silence. */
  parted: Job[] = [];
  /** The jobs that are to stop, by position: rarely any. */
  readonly stops: Map<number, Stop> = new Map();
  /** The functions that the worker has been told of. */
  readonly #defined = new Set<number>();
  readonly #slots: HostSlots;
  /** Empty where a job has ended or was revoked. */
  readonly #jobs: (Job | undefined)[] = new Array(SLOT_COUNT);
  readonly #functions: PoolFunction[] = new Array(SLOT_COUNT);
  /** How long each call is expected to take, in milliseconds. */
  readonly #costs = new Float64Array(SLOT_COUNT);
  /** How many calls have not ended. */
  readonly #left = new Int32Array(SLOT_COUNT);

  constructor(slots: HostSlots, quota: number) {
    this.#slots = slots;
    this.quota = quota;
  }

  /** How many places are in use, or cannot be used again yet. */
  get places(): number {
    return this.tail - this.head;
  }

  /** How many functions the worker has been told of. */
  get functions(): number {
    return this.#defined.size;
  }

  /** The worker is about to be told of a function; false if the worker knows it. */
  define(fn: PoolFunction): boolean {
    if (this.#defined.has(fn.id)) return false;
    this.#defined.add(fn.id);
    return true;
  }

  /** Calls are about to be sent. */
  reserve(calls: number, cost: number): void {
    this.quota -= calls;
    this.count += calls;
    this.load += calls * cost;
  }

  /** Calls that were about to be sent are not sent after all. */
  release(calls: number, cost: number): void {
    this.quota += calls;
    this.#subtract(calls, cost);
  }

  /** A job whose calls were reserved gets the next position: its message leaves next. */
  add(job: Job, fn: PoolFunction, cost: number): void {
    if (this.places >= SLOT_COUNT) {
      throw new RangeError(`There is no place at ${this.tail}`);
    }
    const position = this.tail++;
    const index = position & MASK;
    job.position = position;
    this.#jobs[index] = job;
    this.#functions[index] = fn;
    this.#costs[index] = cost;
    this.#left[index] = job.count;
    this.#slots.send(position, job.options.timeout !== Infinity);
  }

  /** The newest job could not be sent. */
  withdraw(): void {
    const position = --this.tail;
    // No call is left if a getter that throws has cancelled the job before.
    const left = this.left(position);
    this.quota += left;
    this.ended(position, left);
    this.forgetStop(position);
  }

  /** The job at a position, unless it has ended or was revoked. */
  job(position: number): Job | undefined {
    // Once a report is past a job, another job may have its place.
    return position < this.head ? undefined : this.#jobs[position & MASK];
  }

  /** Whether a job has its place here. */
  has(job: Job): boolean {
    return this.job(job.position) === job;
  }

  /** The function of the job at a position. */
  fn(position: number): PoolFunction {
    return this.#functions[position & MASK]!;
  }

  /** How many calls of the job at a position have not ended. */
  left(position: number): number {
    return this.#left[position & MASK]!;
  }

  /** Some calls of the job at a position have ended. */
  ended(position: number, calls: number): void {
    const index = position & MASK;
    this.#subtract(calls, this.#costs[index]!);
    if ((this.#left[index]! -= calls) === 0) this.#jobs[index] = undefined;
  }

  /** Whether a call of the job at a position has been entered, by default its first: as far as the host can know. */
  entered(position: number, call = 0): Entered {
    return this.#slots.entered(position, call);
  }

  /** Whether the worker is past a position: a later job has been entered. */
  isPast(position: number): boolean {
    if (position < this.head) return true;
    for (let later = position + 1; later < this.tail; later++) {
      if (this.entered(later) === "yes") return true;
    }
    return false;
  }

  /** Whether the worker is known to have entered something that it has not reported. */
  get isAtWork(): boolean {
    for (let position = this.head; position < this.tail; position++) {
      if (this.entered(position) === "yes") return true;
    }
    return false;
  }

  /** How many calls run, or may run. */
  get running(): number {
    let running = 0;
    for (let position = this.head; position < this.tail; position++) {
      const job = this.job(position);
      // A job that was stopped and goes on has ended for whoever submitted it.
      if (job === undefined || job.settled) continue;
      let call = job.count - this.left(position);
      while (call < job.count && this.entered(position, call) !== "no") {
        call++;
        running++;
      }
    }
    return running;
  }

  /** Has the worker say what it has entered of the jobs from one position up to another, and revoke the rest; false if no answer will come. */
  askToRevoke(from: number, to: number = this.tail): boolean {
    return from < to && this.#slots.askToRevoke(from, to);
  }

  /** Revokes the calls of a job that surely have not been entered; returns a job of those calls, which are nobody's now. */
  revoke(job: Job): Job | undefined {
    const kept = this.#slots.revoke(job.position);
    return kept === undefined ? undefined : this.keep(job, kept);
  }

  /**
   * Revokes the calls of all jobs that surely have not been entered, and asks
   * the worker about the others. A job that has moved its arguments is not
   * `sendable` again.
   */
  revokeAll(what: "all" | "sendable"): Job[] {
    const { head, tail } = this;
    // A job that has moved something stays; it was sent to an idle worker, so no job before it is left.
    let from = head;
    while (from < tail && this.left(from) === 0) from++;
    this.askToRevoke(this.job(from)?.transfers ? from + 1 : from);
    const revoked: Job[] = [];
    for (let position = head; position < tail; position++) {
      const job = this.job(position);
      if (job === undefined || what === "sendable" && job.transfers) continue;
      const rest = this.revoke(job);
      if (rest !== undefined) revoked.push(rest);
    }
    return revoked;
  }

  /** The worker keeps the first calls of a job, and does not enter the others; returns a job of the others. */
  keep(job: Job, calls: number): Job | undefined {
    const { position, count } = job;
    // A call that has ended was entered, whatever a task has made of the slots.
    const kept = Math.max(calls, count - this.left(position));
    if (kept >= count) return undefined;
    this.quota += count - kept;
    this.ended(position, count - kept);
    if (kept === 0) {
      if (!this.stops.get(position)?.endGrace) this.stops.delete(position);
      job.holder = undefined;
      return job;
    }
    const rest = job.split(kept);
    rest.position = position;
    return rest;
  }

  /** The job at a position is not to stop any more, or has stopped. */
  forgetStop(position: number): void {
    this.stops.get(position)?.endGrace?.();
    this.stops.delete(position);
  }

  /** Empties every place; returns the jobs that were there. */
  takeAll(): Running[] {
    const running: Running[] = [];
    for (let position = this.head; position < this.tail; position++) {
      const job = this.job(position);
      if (job !== undefined) running.push([job, this.left(position)]);
      this.#left[position & MASK] = 0;
      this.#jobs[position & MASK] = undefined;
    }
    this.count = this.load = 0;
    return running;
  }

  #subtract(calls: number, cost: number): void {
    this.count -= calls;
    // Without calls, the load is set, not computed: rounding errors would add up.
    this.load = this.count === 0 ? 0 : this.load - calls * cost;
  }
}

/**
 * The queue of an executor: jobs wait in the order of their priority, and in that
 * in which they were submitted; those that come back from a worker are next.
 *
 * @module
 */

import { startTimer } from "../runtime/timer.ts";
import type { Job } from "./job.ts";
import { Lines } from "./lines.ts";
import { type Rate, RateGate } from "./rate.ts";

/** How a queue lets go of calls. */
export interface QueueOptions {
  /** How many within a span of time; without, as fast as they are taken. */
  rate?: Rate | undefined;
  /** Called when calls may be taken again that had to wait for that. */
  onReady?: () => void;
  /** Called when fewer calls wait than before. */
  onLess?: (() => void) | undefined;
}

/** The jobs of one executor that no worker holds. */
export class JobQueue {
  readonly #jobs = new Lines();
  readonly #gate: RateGate | undefined;
  readonly #onReady: () => void;
  readonly #onLess: (() => void) | undefined;
  /** Ends the wait for the gate. */
  #stopWaiting: (() => void) | undefined;
  #calls = 0;
  /** How many calls of the first job have been entered. */
  #entered = 0;
  #call = 0;
  /** Ends jobs that come back, once those that waited were ended. */
  #end: ((job: Job) => void) | undefined;

  /**
   * Makes an empty queue.
   *
   * @param options How it lets go of calls.
   */
  constructor({ rate, onReady, onLess }: QueueOptions = {}) {
    this.#gate = rate && new RateGate(rate);
    this.#onReady = onReady ?? (() => {});
    this.#onLess = onLess;
  }

  /** How many calls wait, those included whose outcome nobody wants any more. */
  get calls(): number {
    return this.#calls;
  }

  /** How many of them may be taken now. */
  get available(): number {
    if (this.#calls === 0 || !this.#mayGo()) return 0;
    return Math.min(this.#calls, this.#gate?.left ?? Infinity);
  }

  /** How many jobs wait. */
  get length(): number {
    return this.#jobs.length;
  }

  /** Whether no job waits of which somebody wants an outcome. */
  get isEmpty(): boolean {
    this.#dropSettled();
    return this.#jobs.length === 0;
  }

  /** Which call of its job {@linkcode JobQueue.enter} has started last. */
  get call(): number {
    return this.#call;
  }

  /** Adds a job that is submitted. */
  push(job: Job): void {
    if (this.#end !== undefined) return this.#end(job);
    if (this.#entered > 0 && this.#jobs.isFirst(job)) this.#splitEntered();
    this.#jobs.push(job);
    this.#calls += job.count;
  }

  /**
   * The next job, which stays; drops those before it that have settled. Nothing
   * while no call may be taken.
   */
  peek(): Job | undefined {
    this.#dropSettled();
    const job = this.#jobs.peek();
    return job === undefined || this.#mayGo() ? job : undefined;
  }

  /** Takes the first job, without the calls of it that have been entered, and those that may not be taken yet. */
  shift(): Job | undefined {
    this.#splitEntered();
    const job = this.#jobs.peek();
    if (job === undefined || !this.#mayGo()) return undefined;
    const left = this.#gate?.left ?? Infinity;
    this.#drop();
    if (job.count > left) this.#unshift(job.split(left));
    this.#gate?.take(job.count);
    return job;
  }

  /** Adds jobs that have come back from a worker, in front and in this order. */
  putBack(jobs: readonly Job[]): void {
    if (this.#end !== undefined) return jobs.forEach(this.#end);
    this.#splitEntered();
    for (const job of jobs.toReversed()) this.#unshift(job);
  }

  /** Adds jobs, or their last calls, that were just taken and not sent: nothing was let go of. */
  unshift(jobs: readonly Job[]): void {
    this.#gate?.giveBack(jobs.reduce((sum, { count }) => sum + count, 0));
    this.putBack(jobs);
  }

  /**
   * Starts the next call; {@linkcode JobQueue.call} says which one of its job that
   * is. The job stays in front until its last call is entered, as splitting off
   * each would cost a job.
   *
   * @returns The job of the call; nothing if no call waits, or none may be taken.
   */
  enter(): Job | undefined {
    if (this.#gate !== undefined) this.#dropSettled();
    for (let job = this.#jobs.peek(); job; job = this.#jobs.peek()) {
      if (this.#gate !== undefined && !this.#mayGo()) return undefined;
      const enters = job.start();
      const call = this.#entered;
      if (!enters || call + 1 === job.count) this.#drop();
      else {
        this.#entered++;
        this.#calls--;
        this.#onLess?.();
      }
      if (enters) {
        this.#gate?.take(1);
        this.#call = call;
        return job;
      }
    }
  }

  /** Takes the calls of a job that have not been entered, if some have; returns a job of them, if there are any. */
  takeRest(job: Job): Job | undefined {
    if (this.#entered === 0 || this.#jobs.peek() !== job) return undefined;
    this.#splitEntered();
    return this.#drop();
  }

  /** Takes all calls that have not been entered. */
  takeAll(): Job[] {
    this.#splitEntered();
    this.#calls = 0;
    const jobs = this.#jobs.takeAll();
    this.#lessWait();
    return jobs;
  }

  /**
   * Ends all jobs that wait, and from now on those that come back.
   *
   * @param how Ends a job: by cancelling, or by an error.
   */
  end(how: (job: Job) => void): void {
    // Set first: to end a job may run code that puts others back.
    this.#end = how;
    this.takeAll().forEach(how);
  }

  #dropSettled(): void {
    while (this.#jobs.peek()?.settled) this.#drop();
  }

  /** Whether a call may be taken now; if not, the owner is told when one may. */
  #mayGo(): boolean {
    const gate = this.#gate;
    if (gate === undefined || gate.left > 0) return true;
    this.#stopWaiting ??= startTimer(Math.max(1, gate.wait), () => {
      this.#stopWaiting = undefined;
      this.#onReady();
    });
    return false;
  }

  #unshift(job: Job): void {
    this.#jobs.unshift(job);
    this.#calls += job.count;
  }

  /** Takes the first job, which has no call left to be entered, or none that has been. */
  #drop(): Job | undefined {
    const job = this.#jobs.shift();
    if (job === undefined) return undefined;
    this.#calls -= job.count - this.#entered;
    this.#entered = 0;
    this.#lessWait();
    return job;
  }

  #lessWait(): void {
    this.#onLess?.();
    if (this.#calls > 0) return;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  /** Parts the first job from the calls of it that have been entered. */
  #splitEntered(): void {
    if (this.#entered === 0) return;
    const rest = this.#jobs.shift()!.split(this.#entered);
    this.#entered = 0;
    this.#jobs.unshift(rest);
  }
}

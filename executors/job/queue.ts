/**
 * The queue of an executor: jobs wait in the order in which they were submitted;
 * those that come back from a worker are next.
 *
 * @module
 */

import { Deque } from "../runtime/deque.ts";
import type { Job } from "./job.ts";

/** The jobs of one executor that no worker holds. */
export class JobQueue {
  readonly #jobs = new Deque<Job>();
  #calls = 0;
  /** How many calls of the first job have been entered. */
  #entered = 0;
  #call = 0;
  /** Ends jobs that come back, once those that waited were ended. */
  #end: ((job: Job) => void) | undefined;

  /** How many calls wait, those included whose outcome nobody wants any more. */
  get calls(): number {
    return this.#calls;
  }

  /** How many jobs wait. */
  get length(): number {
    return this.#jobs.length;
  }

  /** Which call of its job {@linkcode JobQueue.enter} has started last. */
  get call(): number {
    return this.#call;
  }

  /** Adds a job that is submitted. */
  push(job: Job): void {
    if (this.#end !== undefined) return this.#end(job);
    this.#jobs.push(job);
    this.#calls += job.count;
  }

  /** The next job, which stays; drops those before it that have settled. */
  peek(): Job | undefined {
    let job = this.#jobs.peek();
    while (job?.settled) {
      this.#drop();
      job = this.#jobs.peek();
    }
    return job;
  }

  /** Takes the first job, without the calls of it that have been entered. */
  shift(): Job | undefined {
    this.#splitEntered();
    return this.#drop();
  }

  /** Adds jobs that have come back from a worker, in front and in this order. */
  putBack(jobs: readonly Job[]): void {
    if (this.#end !== undefined) return jobs.forEach(this.#end);
    this.#splitEntered();
    for (const job of jobs.toReversed()) {
      this.#jobs.unshift(job);
      this.#calls += job.count;
    }
  }

  /**
   * Starts the next call; {@linkcode JobQueue.call} says which one of its job that
   * is. The job stays in front until its last call is entered, as splitting off
   * each would cost a job.
   *
   * @returns The job of the call; nothing if no call waits.
   */
  enter(): Job | undefined {
    for (let job = this.#jobs.peek(); job; job = this.#jobs.peek()) {
      const enters = job.start();
      const call = this.#entered;
      if (!enters || call + 1 === job.count) this.#drop();
      else {
        this.#entered++;
        this.#calls--;
      }
      if (enters) {
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
    const jobs = [...this.#jobs];
    this.#jobs.clear();
    this.#calls = 0;
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

  /** Takes the first job, which has no call left to be entered, or none that has been. */
  #drop(): Job | undefined {
    const job = this.#jobs.shift();
    if (job === undefined) return undefined;
    this.#calls -= job.count - this.#entered;
    this.#entered = 0;
    return job;
  }

  /** Parts the first job from the calls of it that have been entered. */
  #splitEntered(): void {
    if (this.#entered === 0) return;
    const rest = this.#jobs.shift()!.split(this.#entered);
    this.#entered = 0;
    this.#jobs.unshift(rest);
  }
}

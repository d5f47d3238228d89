/**
 * What waits for its turn in an executor, in the order in which it was
 * submitted; what comes back from a worker is in front.
 *
 * @module
 */

import { Deque } from "../runtime/deque.ts";
import type { Job } from "./job.ts";

/** The jobs of one executor that nobody holds. */
export class JobQueue {
  readonly #jobs = new Deque<Job>();
  #calls = 0;
  /** How many calls of the first job have been entered. */
  #entered = 0;
  /** See {@linkcode JobQueue.enter}. */
  call = 0;
  /** Ends what comes back, once all that waits was ended. */
  #end: ((job: Job) => void) | undefined;

  /** How many calls wait, those included that nobody wants any more. */
  get calls(): number {
    return this.#calls;
  }

  /** How many jobs wait. */
  get length(): number {
    return this.#jobs.length;
  }

  /** A job is submitted. */
  push(job: Job): void {
    this.#jobs.push(job);
    this.#calls += job.count;
  }

  /** The job that is next; forgets those before that have settled. */
  peek(): Job | undefined {
    let job = this.#jobs.peek();
    while (job?.settled) {
      this.shift();
      job = this.#jobs.peek();
    }
    return job;
  }

  /** Takes the first job, of which no call has been entered. */
  shift(): Job | undefined {
    const job = this.#jobs.shift();
    if (job === undefined) return undefined;
    this.#calls -= job.count - this.#entered;
    this.#entered = 0;
    return job;
  }

  /** Jobs were not run where they were sent, and are next, in this order. */
  putBack(jobs: readonly Job[]): void {
    if (this.#end !== undefined) return jobs.forEach(this.#end);
    for (const job of jobs.toReversed()) {
      this.#jobs.unshift(job);
      this.#calls += job.count;
    }
  }

  /**
   * Starts the call that is next; `call` says which one of its job that is.
   * The job stays in front until its last call, so that none is split off.
   *
   * @returns The job; nothing if no call waits.
   */
  enter(): Job | undefined {
    for (let job = this.#jobs.peek(); job; job = this.#jobs.peek()) {
      const enters = job.start();
      const call = this.#entered;
      if (!enters || call + 1 === job.count) this.shift();
      else {
        this.#entered++;
        this.#calls--;
      }
      if (enters) {
        this.call = call;
        return job;
      }
    }
  }

  /** Takes everything. */
  takeAll(): Job[] {
    if (this.#entered > 0) {
      const entered = this.#entered;
      const rest = this.shift()!.split(entered);
      this.putBack([rest]);
    }
    const jobs = [...this.#jobs];
    this.#jobs.clear();
    this.#calls = 0;
    return jobs;
  }

  /**
   * Ends everything that waits, and from now on whatever comes back.
   *
   * @param how Ends a job: by cancelling, or by an error.
   */
  end(how: (job: Job) => void): void {
    // How a job ends may run code that puts others back.
    this.#end = how;
    this.takeAll().forEach(how);
  }
}

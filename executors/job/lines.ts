/**
 * Jobs in the order of their priority; first in, first out within one.
 *
 * @module
 */

import { Deque } from "../runtime/deque.ts";
import type { Job } from "./job.ts";

/** Jobs of one priority. */
interface Line {
  readonly priority: number;
  readonly jobs: Deque<Job>;
}

/**
 * One line of jobs for each priority. Nearly all jobs have the same, so that a
 * queue is one line, and others cost a look at a few numbers.
 */
export class Lines {
  /** The line that is next: of those with jobs, the one of the highest priority. */
  #first: Line = { priority: 0, jobs: new Deque() };
  /** Other lines with jobs, the one of the highest priority first. */
  readonly #others: Line[] = [];
  #length = 0;

  /** How many jobs there are. */
  get length(): number {
    return this.#length;
  }

  /** Whether a job comes before all that are there. */
  isFirst({ options: { priority } }: Job): boolean {
    return this.#length === 0 || priority > this.#first.priority;
  }

  /** Adds a job behind those of its priority. */
  push(job: Job): void {
    this.#lineOf(job).jobs.push(job);
    this.#length++;
  }

  /** Adds a job before those of its priority. */
  unshift(job: Job): void {
    this.#lineOf(job).jobs.unshift(job);
    this.#length++;
  }

  /** The next job, which stays. */
  peek(): Job | undefined {
    return this.#first.jobs.peek();
  }

  /** Takes the next job. */
  shift(): Job | undefined {
    const job = this.#first.jobs.shift();
    if (job === undefined) return undefined;
    this.#length--;
    if (this.#first.jobs.length === 0 && this.#others.length > 0) {
      this.#first = this.#others.shift()!;
    }
    return job;
  }

  /** Takes all jobs, in order. */
  takeAll(): Job[] {
    const lines = [this.#first, ...this.#others];
    const all = lines.flatMap(({ jobs }) => [...jobs]);
    this.#first.jobs.clear();
    this.#others.length = 0;
    this.#length = 0;
    return all;
  }

  #lineOf({ options: { priority } }: Job): Line {
    const first = this.#first;
    if (priority === first.priority) return first;
    if (this.#length === 0) {
      return this.#first = { priority, jobs: first.jobs };
    }
    if (priority > first.priority) {
      this.#others.unshift(first);
      return this.#first = { priority, jobs: new Deque() };
    }
    const at = this.#others.findIndex((line) => line.priority <= priority);
    const found = this.#others[at];
    if (found?.priority === priority) return found;
    const line = { priority, jobs: new Deque<Job>() };
    this.#others.splice(at < 0 ? this.#others.length : at, 0, line);
    return line;
  }
}

/**
 * Calls that were with a worker as it died with nothing to do: one of them may
 * be the reason, as a value that cannot be read there. From then on each of them
 * goes to a worker that is ready and free, and travels alone, so that it fails
 * alone if it is the reason, and the others run.
 *
 * A worker that ran something as it died most likely died of that. But the
 * worker is the one who says what it has entered, so a call that it is said to
 * have left out is a suspect too. So is a call that was with a silent worker
 * which had to be ended. So every death ends a call, or counts against one that
 * travels alone from then on; none is sent for ever.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import type { PoolWorker } from "./worker.ts";

/** A call that so many workers have died with would most likely end more of them. */
const MAX_DEATHS = 3;

/** The suspects of one pool; costs nothing as long as there are none. */
export class Suspects {
  /** How many workers have died with a job. */
  readonly #deaths = new WeakMap<Job, number>();
  /** Workers that were sent a suspect last. */
  readonly #hosts = new WeakSet<PoolWorker>();
  /** Whether there has ever been a suspect. */
  #any = false;

  /** Whether a job is a suspect. */
  has(job: Job): boolean {
    return this.#any && this.#deaths.has(job);
  }

  /** Whether a worker has a suspect, which would not travel alone if something else were sent there as well. */
  areWith(worker: PoolWorker): boolean {
    return this.#any && worker.ledger.count > 0 && this.#hosts.has(worker);
  }

  /** A job travels alone from now on. */
  add(job: Job): void {
    this.#deaths.set(job, this.#deaths.get(job) ?? 0);
    this.#any = true;
  }

  /** One more worker has died with a job; true if the job is not to be sent again. */
  accuse(job: Job): boolean {
    this.add(job);
    const deaths = this.#deaths.get(job)! + 1;
    this.#deaths.set(job, deaths);
    return deaths >= MAX_DEATHS;
  }

  /** A worker is sent a call; a suspect is the only one that it has. */
  sent(worker: PoolWorker, suspect: boolean): void {
    if (suspect) this.#hosts.add(worker);
    else if (this.#any) this.#hosts.delete(worker);
  }

  /** What is split off from a suspect is a suspect as well. */
  share(job: Job, rest: Job): void {
    this.#deaths.set(rest, this.#deaths.get(job)!);
  }
}

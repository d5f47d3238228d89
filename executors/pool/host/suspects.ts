/**
 * Calls that were with a worker as it died, and had entered none: one of the
 * calls may be the reason, as an argument that cannot be read there. From then
 * on each suspect goes to a worker that is ready and free, and travels alone,
 * so that the suspect fails alone if it is the reason, and the other calls run.
 *
 * A worker that ran a call as it died most likely died of that call. But the
 * worker is the one who says which calls it has entered, so a call that it
 * seems to have passed over is a suspect too. So is a call that was with a
 * silent worker which had to be ended. So every death ends a call, or counts
 * against a call that travels alone from then on; no call is sent for ever.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import type { PoolWorker } from "./worker.ts";

/** A call that so many workers have died with would most likely end more workers. */
const MAX_DEATHS = 3;

/** The suspects of one pool; costs nothing as long as there are none. */
export class Suspects {
  /** How many workers have died with a job. */
  readonly #deaths = new WeakMap<Job, number>();
  /** Workers that were sent a suspect last. */
  readonly #holders = new WeakSet<PoolWorker>();
  /** Whether there has ever been a suspect. */
  #any = false;

  /** Whether a job is a suspect. */
  has(job: Job): boolean {
    return this.#any && this.#deaths.has(job);
  }

  /** Whether a worker has a suspect, which would not travel alone if another call were sent there as well. */
  areWith(worker: PoolWorker): boolean {
    return this.#any && worker.ledger.count > 0 && this.#holders.has(worker);
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

  /** A worker is sent a call, which is the only one that the worker has if it is a `suspect`. */
  sent(worker: PoolWorker, suspect: boolean): void {
    if (suspect) this.#holders.add(worker);
    else if (this.#any) this.#holders.delete(worker);
  }

  /** A job that is split off from a suspect is a suspect as well. */
  share(job: Job, rest: Job): void {
    this.#deaths.set(rest, this.#deaths.get(job)!);
  }
}

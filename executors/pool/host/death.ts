/**
 * What becomes of the jobs of a worker that has died: a call that ran is lost, a
 * call that surely did not run goes elsewhere, unless it may be the reason for
 * the death.
 *
 * @module
 */

import { WorkerCrashedError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { because, nameOf } from "../../text.ts";
import type { Running } from "./ledger.ts";

/** How a worker went. */
export interface WorkerDeath {
  readonly cause: unknown;
  /** The jobs that are to run elsewhere. */
  readonly unentered: Job[];
  /** Whether the worker was ready, even if that has not been heard. */
  readonly ready: boolean;
  /** Whether the worker neither ran nor loaded anything that can have been the reason. */
  readonly idle: boolean;
  /** See {@linkcode ChannelListener.died}. */
  readonly interrupted: boolean;
}

/** What is known of a worker as it dies. */
interface Remains {
  /** The jobs that were revoked from the worker, as they were not entered. */
  readonly revoked: readonly Job[];
  /** The other jobs that the worker was sent. */
  readonly running: readonly Running[];
  /** The job whose module the worker was loading. */
  readonly loading: Job | undefined;
  readonly ready: boolean;
  readonly interrupted: boolean;
  /** Notes that a worker has died, perhaps because of a job that it seems not to have entered; true if the job is not to be sent again. */
  readonly accuse: (job: Job) => boolean;
}

/** Calls that are lost with their worker. */
interface Loss {
  readonly job: Job;
  /** How many calls are lost: the last ones of the job. */
  readonly calls: number;
  readonly when: string;
}

/** What follows for each job of a worker that has died. */
export class Autopsy {
  readonly ready: boolean;
  readonly idle: boolean;
  readonly unentered: Job[];
  readonly #losses: Loss[] = [];

  constructor(remains: Remains) {
    const { running, loading, interrupted, accuse } = remains;
    // Of a job whose other calls were revoked, none may be left.
    const busy = running.filter(([, left]) => left > 0);
    // A worker that ran something was ready, even if that has not been heard.
    this.ready = remains.ready || busy.length > 0;
    this.idle = loading === undefined && busy.length === 0;
    // A Ctrl-C as the worker starts is no job's doing.
    const suspicious = this.idle && !(interrupted && !this.ready);
    // A job before one that was entered must have been entered as well.
    const entered = Math.max(-1, ...busy.map(([{ position }]) => position));
    this.unentered = remains.revoked.filter((job) => {
      let when: string | undefined;
      // A module that kills the worker which loads it would do so again elsewhere.
      if (job.fn === loading?.fn) when = "while it loaded the module of";
      // Arguments that have been moved cannot be sent again.
      else if (job.transfers) when = "before it entered";
      else if ((suspicious || job.position < entered) && accuse(job)) {
        when = "as others did before it entered";
      }
      if (when === undefined) return true;
      this.#losses.push({ job, calls: job.count, when });
      return false;
    });
    for (const [job, calls] of busy) {
      this.#losses.push({ job, calls, when: "while it ran" });
    }
  }

  /** Fails the calls that are lost. To be called last, as done callbacks may do anything. */
  failLosses(worker: string, cause: unknown): void {
    for (const { job, calls, when } of this.#losses) {
      const error = () =>
        new WorkerCrashedError(
          `Worker '${worker}' died ${when} task ${nameOf(job.fn)}${
            because(cause)
          }`,
          cause === undefined ? undefined : { cause },
        );
      job.rejectAll(error, job.count - calls);
    }
  }
}

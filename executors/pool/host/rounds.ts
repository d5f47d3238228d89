/**
 * What a scheduler looks after from time to time: workers that stall, that are
 * silent, and that have nothing to do. There is a timer only as long as there
 * is something to look after, as a timer keeps the program from ending.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import { startDeadline, startTimer } from "../../runtime/timer.ts";
import type { Job } from "../../job/job.ts";
import type { Crew } from "./crew.ts";
import { LOOK_MS } from "./silence.ts";
import type { Suspects } from "./suspects.ts";
import type { PoolWorker } from "./worker.ts";

/**
 * How long a busy worker may report nothing before its calls are offered to
 * others: long enough that tiny calls rarely come to this, short against the
 * calls for which balance matters.
 */
const STALL_MS = 2;

/** The scheduler, as far as its rounds go. */
export interface RoundsOwner {
  /** Whether jobs wait for a worker. */
  readonly hasWaiting: boolean;
  /** Whether workers are to stay, however long they have nothing to do. */
  readonly keepsIdle: boolean;
  /** These jobs were revoked from a worker. */
  putBack(jobs: readonly Job[]): void;
  /** A round is over: jobs may have been put back. */
  deal(): void;
  /** A worker is to go. */
  dismiss(worker: PoolWorker): void;
}

/** The options of a pool that rounds follow. */
interface RoundsSettings {
  readonly maxWorkers: number;
  readonly idleTimeout: number;
}

/** The rounds of one scheduler. */
export class Rounds {
  readonly #owner: RoundsOwner;
  readonly #crew: Crew;
  readonly #suspects: Suspects;
  readonly #settings: RoundsSettings;
  #stopStalls: (() => void) | undefined;
  #stopSilence: (() => void) | undefined;
  #stopIdle: (() => void) | undefined;

  constructor(
    owner: RoundsOwner,
    crew: Crew,
    suspects: Suspects,
    settings: RoundsSettings,
  ) {
    this.#owner = owner;
    this.#crew = crew;
    this.#suspects = suspects;
    this.#settings = settings;
  }

  /** Sets the timers for what there is to look after. */
  begin(): void {
    this.#lookForStalls();
    this.#lookForSilence();
    this.#lookForIdle();
  }

  /** There is nothing to look after any more. */
  end(): void {
    this.#stopStalls?.();
    this.#stopSilence?.();
    this.#stopIdle?.();
    this.#stopStalls = this.#stopSilence = this.#stopIdle = undefined;
  }

  /** Offers to other workers the calls that a stalled one has not entered. */
  #lookForStalls(): void {
    if (this.#stopStalls !== undefined || this.#settings.maxWorkers === 1) {
      return;
    }
    const waiting = this.#owner.hasWaiting;
    const watched = [...this.#crew].some((worker) =>
      worker.ledger.count > 1 || waiting && worker.room.brisk
    );
    if (!watched) return;
    this.#stopStalls = startTimer(STALL_MS, () => {
      this.#stopStalls = undefined;
      for (const worker of this.#crew) {
        if (worker.hasStalled() && worker.ledger.count > 1) {
          this.#owner.putBack(worker.revokeAll("sendable"));
        }
      }
      this.#owner.deal();
    });
  }

  /**
   * Looks at workers that owe something; a silent worker may have been stopped,
   * or run what an earlier task has left behind. The calls that it has not
   * entered are offered to others first, then the worker is ended. A suspect
   * may be the reason for the silence, and stays with the worker until then.
   */
  #lookForSilence(): void {
    if (this.#stopSilence !== undefined) return;
    let owing = false;
    for (const worker of this.#crew) owing ||= worker.ledger.places > 0;
    if (!owing) return;
    this.#stopSilence = startDeadline(LOOK_MS, () => {
      this.#stopSilence = undefined;
      for (const worker of this.#crew) {
        if (worker.look() === "long" && this.#mayReplace(worker)) {
          this.#owner.putBack(worker.revokeAll("sendable"));
        }
      }
      this.#owner.deal();
    });
  }

  /** Whether another worker could take the calls of this one, none of which is a suspect that is to stay. */
  #mayReplace(worker: PoolWorker): boolean {
    if (this.#suspects.areWith(worker)) return false;
    if (this.#crew.size < this.#settings.maxWorkers) return true;
    for (const other of this.#crew) if (!other.silent) return true;
    return false;
  }

  /** Dismisses workers that have had nothing to do for `idleTimeout`. */
  #lookForIdle(): void {
    const { idleTimeout } = this.#settings;
    if (
      this.#stopIdle !== undefined || this.#owner.keepsIdle ||
      idleTimeout === Infinity
    ) return;
    const idle = [...this.#crew].filter(isIdle);
    if (idle.length === 0) return;
    const since = Math.min(...idle.map((worker) => worker.idleSince));
    const left = Math.max(0, since + idleTimeout - monotonicTime());
    this.#stopIdle = startTimer(left, () => {
      this.#stopIdle = undefined;
      if (this.#owner.keepsIdle) return;
      const before = monotonicTime() - idleTimeout;
      for (const worker of this.#crew) {
        if (isIdle(worker) && worker.idleSince <= before) {
          this.#owner.dismiss(worker);
        }
      }
      this.#lookForIdle();
    });
  }
}

function isIdle(worker: PoolWorker): boolean {
  return worker.ready && worker.ledger.count === 0;
}

/**
 * Telling jobs of one worker to stop, and ending the worker if a job does not.
 *
 * ```text
 *   wanted ──the job is known to run──► told ──its grace is over──► asked ──► the worker is ended
 *      │                                  │                           │
 *      └─ the job is revoked, or reported ┴───────────────────────────┘
 * ```
 *
 * Ending a worker ends the call that runs in it, which must be the one that was
 * told to stop. So the calls behind that one are revoked first; if one of them
 * has been entered, the worker is past the call that was told, and lives.
 *
 * @module
 */

import { type CancelledError, TimeoutError } from "../../errors.ts";
import { startDeadline } from "../../runtime/timer.ts";
import type { Channel } from "../channel.ts";
import { encodeError } from "../wire/codec.ts";
import type { Ledger, Stop } from "./ledger.ts";

/** How long to wait for an answer: the main thread of a worker process answers at once, unless the process has been halted. */
const ANSWER_MS = 250;

/** The worker, as far as stopping its jobs goes. */
interface StopSettings {
  /** How long a job that was told to stop may go on, in milliseconds. */
  readonly gracePeriod: number;
  /** Revokes the jobs behind the running one. */
  readonly revokeRest: () => void;
  /** Ends the worker. */
  readonly kill: (reason: CancelledError | TimeoutError) => void;
}

/** The stops of one worker; its ledger has the jobs that are to stop. */
export class Stops {
  readonly #channel: Channel;
  readonly #ledger: Ledger;
  readonly #settings: StopSettings;

  constructor(channel: Channel, ledger: Ledger, settings: StopSettings) {
    this.#channel = channel;
    this.#ledger = ledger;
    this.#settings = settings;
  }

  /** Stops the job at a position as soon as it is known to run. */
  stop(position: number, reason: CancelledError | TimeoutError): void {
    const ledger = this.#ledger;
    // The job has ended, even if its report has not arrived.
    if (ledger.isPast(position)) return;
    if (ledger.entered(position) !== "yes") {
      // Either the job is revoked, or the worker is about to say that it was entered.
      ledger.stops.set(position, { reason });
      ledger.askToRevoke(position, position + 1);
      return;
    }
    this.#tell(position, reason);
    // The reason may have getters, which may close the worker.
    if (ledger.job(position) === undefined) return;
    // The jobs before this one have ended, or it would not run.
    this.reported(position + 1);
    const stop: Stop = { reason };
    ledger.stops.set(position, stop);
    stop.endGrace = startDeadline(
      this.#settings.gracePeriod,
      () => this.#end(position, stop),
    );
  }

  /** The worker has entered the job at a position. */
  entered(position: number): void {
    const stop = this.#ledger.stops.get(position);
    if (stop === undefined || stop.endGrace !== undefined) return;
    this.#ledger.forgetStop(position);
    // A job that has ended meanwhile needs no stop.
    if (this.#ledger.job(position) !== undefined) {
      this.stop(position, stop.reason);
    }
  }

  /** The worker has said what it keeps of the jobs from a position on. */
  answered(from: number): void {
    for (const [position, { decide }] of this.#ledger.stops) {
      if (from <= position + 1) decide?.();
    }
  }

  /** All jobs before a position have ended. */
  reported(position: number): void {
    for (const told of this.#ledger.stops.keys()) {
      if (told < position) this.#ledger.forgetStop(told);
    }
  }

  /** The worker is closed: nobody waits for jobs that were told to stop. */
  close(): void {
    this.reported(Infinity);
  }

  #tell(position: number, reason: CancelledError | TimeoutError): void {
    const kind = reason instanceof TimeoutError ? "timed out" : "cancelled";
    this.#channel.slots.stop(position, kind);
    const encoded = encodeError(
      reason,
      undefined,
      (value) => this.#channel.carries(value),
    );
    this.#channel.send(["stop", position, encoded], []);
  }

  /**
   * Ends the worker if the job at a position still runs. The worker might come
   * to the next job just then, which would be lost with the worker; so the jobs
   * behind are revoked first.
   */
  #end(position: number, stop: Stop): void {
    if (this.#ledger.isPast(position)) return;
    const kill = () => {
      if (!this.#ledger.isPast(position)) this.#settings.kill(stop.reason);
    };
    if (!this.#ledger.askToRevoke(position + 1)) {
      this.#settings.revokeRest();
      return kill();
    }
    const stopTimer = startDeadline(ANSWER_MS, () => stop.decide?.());
    stop.endGrace = stopTimer;
    stop.decide = () => {
      stopTimer();
      delete stop.decide;
      kill();
    };
  }
}

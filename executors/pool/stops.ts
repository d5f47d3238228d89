/**
 * Telling tasks in one worker to stop, and ending the worker that does not.
 *
 * @module
 */

import { type CancelledError, TimeoutError } from "../errors.ts";
import { startDeadline } from "../timer.ts";
import type { Channel } from "./channel.ts";
import { encodeError } from "./codec.ts";
import type { InFlight } from "./in_flight.ts";

/** The stops of one worker. */
export class Stops {
  readonly #channel: Channel;
  readonly #tasks: InFlight;
  /** How long a task that was told to stop may go on, in milliseconds. */
  readonly #gracePeriod: number;
  /** What is to stop if it turns out to have been entered, by position. */
  readonly #wanted = new Map<number, CancelledError | TimeoutError>();
  /** The task that was told to stop, and the time it still has. */
  #told: { position: number; endGrace: () => void } | undefined;

  constructor(channel: Channel, tasks: InFlight, gracePeriod: number) {
    this.#channel = channel;
    this.#tasks = tasks;
    this.#gracePeriod = gracePeriod;
  }

  /** Stops the item at a position as soon as it is known to run. */
  stop(position: number, reason: CancelledError | TimeoutError): void {
    // Of a task that has ended, only the report may not have arrived.
    if (this.#isPast(position)) return;
    const { slots } = this.#channel;
    if (!slots.surelyEntered(position)) {
      // Either it comes back, or it is about to be heard that it was entered.
      this.#wanted.set(position, reason);
      slots.recall(position, position + 1);
      return;
    }
    const kind = reason instanceof TimeoutError ? "timed out" : "cancelled";
    slots.stop(position, kind);
    const encoded = encodeError(
      reason,
      undefined,
      (value) => this.#channel.carries(value),
    );
    this.#channel.send(["stop", position, encoded], []);
    // An earlier task has ended, or this one would not run.
    this.#told?.endGrace();
    const endGrace = startDeadline(this.#gracePeriod, () => {
      if (!this.#isPast(position)) this.#channel.kill(reason);
    });
    this.#told = { position, endGrace };
  }

  /** The worker has entered the item at a position. */
  entered(position: number): void {
    const reason = this.#wanted.get(position);
    this.#wanted.delete(position);
    // What has ended meanwhile needs no stop.
    if (reason === undefined || !this.#tasks.item(position)) return;
    this.stop(position, reason);
  }

  /** The item at a position was taken back. */
  takenBack(position: number): void {
    this.#wanted.delete(position);
  }

  /** All items before a position have ended. */
  reported(position: number): void {
    if (this.#told === undefined || this.#told.position >= position) return;
    this.#told.endGrace();
    this.#told = undefined;
  }

  /** The worker is closed: nobody waits for what was told to stop. */
  close(): void {
    this.#told?.endGrace();
  }

  /** Whether a later task has been entered, so that this one has ended. */
  #isPast(position: number): boolean {
    for (let later = position + 1; later < this.#tasks.tail; later++) {
      if (this.#channel.slots.heard(later) > 0) return true;
    }
    return false;
  }
}

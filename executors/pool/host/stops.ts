/**
 * Telling tasks in one worker to stop, and ending the worker that does not.
 *
 * @module
 */

import { type CancelledError, TimeoutError } from "../../errors.ts";
import { startDeadline } from "../../runtime/timer.ts";
import type { Channel } from "../channel.ts";
import { encodeError } from "../wire/codec.ts";
import type { InFlight } from "./in_flight.ts";

/** The main thread of a worker process answers at once; one that does not has been halted. */
const ANSWER_MS = 250;

/** The stops of one worker. */
export class Stops {
  readonly #channel: Channel;
  readonly #tasks: InFlight;
  /** How long a task that was told to stop may go on, in milliseconds. */
  readonly #gracePeriod: number;
  /** What is to stop if it turns out to have been entered, by position. */
  readonly #wanted = new Map<number, CancelledError | TimeoutError>();
  /** Takes back what is behind the running task. */
  readonly #takeBack: () => void;
  /** The task that was told to stop, and the time it still has. */
  #told: { position: number; endGrace: () => void } | undefined;
  /** What to do when the worker has said what it has entered, from a position on. */
  #question: { from: number; decide: () => void } | undefined;

  constructor(
    channel: Channel,
    tasks: InFlight,
    gracePeriod: number,
    takeBack: () => void,
  ) {
    this.#channel = channel;
    this.#tasks = tasks;
    this.#gracePeriod = gracePeriod;
    this.#takeBack = takeBack;
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
    const told = {
      position,
      endGrace: startDeadline(this.#gracePeriod, () => {
        told.endGrace = this.#end(position, reason);
      }),
    };
    this.#told = told;
  }

  /**
   * Ends the worker if the task at a position still runs. The worker might come
   * to the next task just then, which would be lost with it; so first what is
   * behind is taken back. Returns what stops this.
   */
  #end(position: number, reason: CancelledError | TimeoutError): () => void {
    const kill = () => {
      if (!this.#isPast(position)) this.#channel.kill(reason);
    };
    if (this.#isPast(position)) return () => {};
    const from = position + 1;
    if (!this.#channel.slots.recall(from, this.#tasks.tail)) {
      this.#takeBack();
      kill();
      return () => {};
    }
    const stopTimer = startDeadline(ANSWER_MS, kill);
    const forget = () => {
      stopTimer();
      this.#question = undefined;
    };
    const decide = () => {
      forget();
      kill();
    };
    this.#question = { from, decide };
    return forget;
  }

  /** The worker has said what it has entered of the items from a position on. */
  answered(from: number): void {
    if (this.#question !== undefined && from <= this.#question.from) {
      this.#question.decide();
    }
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

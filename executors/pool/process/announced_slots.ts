/**
 * What a host knows of a worker that it shares no memory with: what the worker
 * has said so far. As long as the worker lives, a call that was sent may have
 * been entered a moment ago, so it counts as running, as it does in Python;
 * once the worker is past it, or gone, what was not announced was not entered.
 *
 * An announcement takes as long as a tiny task, so there is none for a call that
 * is alone in a worker which has nothing else to do: that one is entered as soon
 * as it arrives.
 *
 * @module
 */

import { Deque } from "../../runtime/deque.ts";
import type { HostSlots } from "../channel.ts";
import type { ToHost } from "../wire/protocol.ts";
import { type Entered, SLOT_COUNT } from "../wire/slots.ts";

const MASK = SLOT_COUNT - 1;

type Question = readonly [from: number, to: number];
const NOTHING: Question = [0, 0];

/** The host's view; the worker has its own. */
export class AnnouncedSlots implements HostSlots {
  readonly #entered = new Int32Array(SLOT_COUNT);
  /** Whether one of the jobs since the last message has to be announced. */
  #announced = false;
  #ready = false;
  /** The position of the next job, and of the first that has not been reported. */
  #tail = 0;
  #head = 0;
  /** The first position that no message has left for. */
  #unsent = 0;
  /** The last position that was announced as entered. */
  #last = -1;
  #leaving = false;
  #workerGone = false;
  readonly #ask: (from: number, to: number) => boolean;
  /** The positions of which the worker has been asked what it keeps, and has not answered. */
  readonly #questions = new Deque<Question>();
  /** The last of those questions. */
  #asked: Question = NOTHING;

  /** `ask` sends a "revoke" message; false if it does not, as the worker is about to be gone. */
  constructor(ask: (from: number, to: number) => boolean) {
    this.#ask = ask;
  }

  send(position: number, announced: boolean): void {
    this.#entered[position & MASK] = 0;
    this.#announced ||= announced;
    this.#tail = position + 1;
  }

  /** Whether the jobs since the last message, which hold so many calls, have to be announced. */
  isToAnnounce(calls: number): boolean {
    const alone = this.#ready && calls === 1 && this.#tail - this.#head === 1;
    return this.#announced || !alone;
  }

  /** The jobs since the last message are on their way; returns whether they have to be announced. */
  sent(calls: number): boolean {
    const announced = this.isToAnnounce(calls);
    if (!announced && !this.#leaving) {
      this.#entered[(this.#tail - 1) & MASK] = 1;
    }
    this.#announced = false;
    this.#unsent = this.#tail;
    return announced;
  }

  hear(message: ToHost): void {
    switch (message[0]) {
      case "ready":
        this.#ready = true;
        break;
      case "entered":
        this.#announce(message[1], message[2]);
        break;
      case "revoked":
        this.#questions.shift();
        for (const [i, calls] of message[2].entries()) {
          // A call that is alone in its worker was not announced.
          if (calls > 0) this.#announce(message[1] + i, calls);
        }
        break;
      case "done":
        this.#head = message[1];
        break;
    }
  }

  /** The worker has said how many calls of a job it has entered. */
  #announce(position: number, calls: number): void {
    // Another job may have its place by now.
    if (position < this.#head) return;
    this.#entered[position & MASK] = calls;
    this.#last = position;
  }

  /** The worker enters no job from this position on; by default, none that follow. */
  leaves(position: number = this.#tail): void {
    this.#leaving = true;
    // A call that was alone was taken for entered when it was sent; what was announced was entered.
    position = Math.max(position, this.#head, this.#last + 1);
    for (; position < this.#tail; position++) {
      this.#entered[position & MASK] = 0;
    }
  }

  /** From now on, what was not announced was not entered. */
  workerGone(): void {
    this.#workerGone = true;
  }

  entered(position: number, call: number): Entered {
    if (this.#workerGone) return call < this.#known(position) ? "yes" : "no";
    // Its main thread can still revoke a job that is alone and was not announced.
    return position <= this.#last && call < this.#known(position)
      ? "yes"
      : "maybe";
  }

  revoke(position: number): number | undefined {
    return this.#workerGone ? this.#known(position) : undefined;
  }

  /** How many calls of a job the worker is taken to have entered. */
  #known(position: number): number {
    return this.#entered[position & MASK]!;
  }

  /** Jobs whose message has not left are not asked for: the question would be there before them. */
  askToRevoke(from: number, to: number): boolean {
    if (this.#workerGone) return false;
    to = Math.min(to, this.#unsent);
    if (from >= to) return false;
    const pending = this.#questions.length > 0 ? this.#asked : NOTHING;
    // The answer to come tells of these too.
    if (from >= pending[0] && to <= pending[1]) return true;
    if (!this.#ask(from, to)) return false;
    this.#questions.push(this.#asked = [from, to]);
    return true;
  }

  get question(): Question | undefined {
    return this.#questions.peek();
  }

  /** A process that could not read a message does not know whether it is to tell of the calls in it. */
  mayTell(): boolean {
    return true;
  }

  /** The main thread of the process does this as it gets the message. */
  stop(): void {}
}

/**
 * What a host knows of a worker that it shares no memory with: what the worker
 * has said so far. As long as the worker lives, a task that was sent may have
 * been entered a moment ago, so it counts as running, as it does in Python;
 * once the worker is past it, or gone, what was not announced was not entered.
 *
 * An announcement takes as long as a tiny task, so there is none for a task
 * that is alone in a worker which has nothing else to do: that one is entered
 * as soon as it arrives.
 *
 * @module
 */

import type { HostSlots } from "./channel.ts";
import { SLOT_COUNT } from "./slots.ts";

const MASK = SLOT_COUNT - 1;

/** The host's view; the worker has its own. */
export class AnnouncedSlots implements HostSlots {
  readonly #entered = new Int32Array(SLOT_COUNT);
  /** Whether the items since the last message have to be announced. */
  #announced = false;
  #ready = false;
  /** The position of the next item, and of the first that has not been reported. */
  #tail = 0;
  #head = 0;
  /** The first position that no message has left for. */
  #unsent = 0;
  /** The last position that was announced as entered. */
  #last = -1;
  #leaving = false;
  #workerGone = false;
  readonly #ask: (from: number, to: number) => void;

  /** `ask` sends a "revoke" message. */
  constructor(ask: (from: number, to: number) => void) {
    this.#ask = ask;
  }

  send(position: number, announced: boolean): void {
    this.#entered[position & MASK] = 0;
    this.#announced ||= announced;
    this.#tail = position + 1;
  }

  /** The items since the last message are on their way: whether they have to be announced. */
  sent(calls: number): boolean {
    const alone = this.#ready && calls === 1 && this.#tail - this.#head === 1;
    const announced = this.#announced || !alone;
    if (!announced && !this.#leaving) {
      this.#entered[(this.#tail - 1) & MASK] = 1;
    }
    this.#announced = false;
    this.#unsent = this.#tail;
    return announced;
  }

  /** The worker has been initialized. */
  workerReady(): void {
    this.#ready = true;
  }

  /** The worker has said how many calls of an item it has entered. */
  announce(position: number, calls: number): void {
    // Another item may have its place by now.
    if (position < this.#head) return;
    this.#entered[position & MASK] = calls;
    this.#last = position;
  }

  /** The worker is past all items before this one. */
  reported(position: number): void {
    this.#head = position;
  }

  /** The worker enters no item from this one on; by default, none that follow. */
  leaves(position: number = this.#tail): void {
    this.#leaving = true;
    // What was alone was taken for entered when it was sent; what was announced was entered.
    position = Math.max(position, this.#head, this.#last + 1);
    for (; position < this.#tail; position++) {
      this.#entered[position & MASK] = 0;
    }
  }

  /** From now on, what was not announced was not entered. */
  workerGone(): void {
    this.#workerGone = true;
  }

  entered(position: number): number {
    return this.#workerGone ? this.heard(position) : Infinity;
  }

  heard(position: number): number {
    return this.#entered[position & MASK]!;
  }

  /** One that is alone may still be taken back before it is entered. */
  surelyEntered(position: number): boolean {
    return position <= this.#last;
  }

  revoke(position: number): number {
    return this.entered(position);
  }

  /** The question must not be there before what it is about. */
  recall(from: number, to: number): boolean {
    to = Math.min(to, this.#unsent);
    if (from >= to) return false;
    this.#ask(from, to);
    return true;
  }

  /** The worker's side does this as it gets the message. */
  stop(): void {}
}

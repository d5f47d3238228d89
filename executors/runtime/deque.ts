/**
 * The queue behind everything that waits its turn.
 *
 * @module
 */

import { OwnArray } from "./builtins.ts";

/** Two more than nothing is not worth a second buffer. */
const SMALLEST_CAPACITY = 16;

/**
 * A queue with two ends in a ring that grows by doubling.
 *
 * `Array.prototype.shift()` moves every element once an array is large, which
 * makes draining a million tasks quadratic.
 */
export class Deque<T> {
  #ring: (T | undefined)[] = new OwnArray(SMALLEST_CAPACITY);
  #head = 0;
  #length = 0;

  /** How many elements wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds at the end. */
  push(element: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = element;
    this.#length++;
  }

  /** Adds before the first. */
  unshift(element: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = element;
    this.#length++;
  }

  /** The first, which stays. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  /** Takes the first away; the ring keeps no reference to it. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const element = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    // An emptied queue gives back what a burst made it take.
    if (--this.#length === 0 && this.#ring.length > 4096) {
      this.#ring = new OwnArray(SMALLEST_CAPACITY);
      this.#head = 0;
    }
    return element;
  }

  /** Takes everything away. */
  clear(): void {
    this.#ring = new OwnArray(SMALLEST_CAPACITY);
    this.#head = 0;
    this.#length = 0;
  }

  /** From the first to the last, without taking them. */
  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#length; i++) {
      yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T;
    }
  }

  #resize(capacity: number): void {
    // Allocated whole: one that grows by its length may become a hash table.
    const ring = new OwnArray<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) {
      ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#head = 0;
  }
}

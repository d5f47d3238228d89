/**
 * The queue behind all that waits for its turn.
 *
 * @module
 */

import { OwnArray } from "./builtins.ts";

/** The capacity of an empty ring, a power of two: a smaller ring would soon have to grow. */
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

  /** Adds an element at the end. */
  push(element: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = element;
    this.#length++;
  }

  /** Adds an element before the first. */
  unshift(element: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = element;
    this.#length++;
  }

  /** The first element, which stays. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  /** Takes the first element; the ring keeps no reference to it. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const element = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    // An empty queue gives back the memory that a burst made it take.
    if (--this.#length === 0 && this.#ring.length > 4096) {
      this.#ring = new OwnArray(SMALLEST_CAPACITY);
      this.#head = 0;
    }
    return element;
  }

  /** Removes all elements. */
  clear(): void {
    this.#ring = new OwnArray(SMALLEST_CAPACITY);
    this.#head = 0;
    this.#length = 0;
  }

  /** Yields the elements from the first to the last, which stay. */
  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#length; i++) {
      yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T;
    }
  }

  #resize(capacity: number): void {
    // Allocated whole: an array that grows by its length may become a hash table.
    const ring = new OwnArray<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) {
      ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#head = 0;
  }
}

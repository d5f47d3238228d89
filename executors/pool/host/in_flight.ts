/**
 * What one worker has been given and has not ended.
 *
 * Each item has a place with the same position as its slot. The places are
 * arrays side by side: an object for each item would add a tenth to the garbage
 * that a tiny task makes.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import type { PoolFunction } from "./functions.ts";
import { SLOT_COUNT } from "../wire/slots.ts";

const MASK = SLOT_COUNT - 1;

/** An item, and how many of its calls have not ended. */
export type Running = readonly [item: Job, left: number];

/** The accounts of one worker; positions count the items that it was sent, from 0. */
export class InFlight {
  /** How many calls it has, those included that are about to be sent. */
  count = 0;
  /** How long those are expected to take, in milliseconds. */
  load = 0;
  /** The first position that has not been reported; the next to be sent. */
  head = 0;
  tail = 0;
  /** Empty where an item has ended or was taken back. */
  readonly #items: (Job | undefined)[] = new Array(SLOT_COUNT);
  readonly #functions: PoolFunction[] = new Array(SLOT_COUNT);
  /** What each call is expected to take, in milliseconds. */
  readonly #costs = new Float64Array(SLOT_COUNT);
  /** How many calls have not ended. */
  readonly #left = new Int32Array(SLOT_COUNT);

  /** How many places are in use, or cannot be used again yet. */
  get places(): number {
    return this.tail - this.head;
  }

  /** Calls are about to be sent. */
  add(calls: number, cost: number): void {
    this.count += calls;
    this.load += calls * cost;
  }

  /** They have ended, or are not sent after all. */
  remove(calls: number, cost: number): void {
    this.count -= calls;
    // Set, not computed: what rounding leaves behind would add up.
    this.load = this.count === 0 ? 0 : this.load - calls * cost;
  }

  /** An item whose calls were added gets the next position. */
  push(item: Job, fn: PoolFunction, cost: number): void {
    if (this.places >= SLOT_COUNT) {
      throw new RangeError(`There is no place at ${this.tail}`);
    }
    item.position = this.tail++;
    const index = item.position & MASK;
    this.#items[index] = item;
    this.#functions[index] = fn;
    this.#costs[index] = cost;
    this.#left[index] = item.count;
  }

  /** The newest item could not be sent; returns how many of its calls were left. */
  pop(): number {
    const position = --this.tail;
    const left = this.left(position);
    this.end(position, left);
    this.clear(position);
    return left;
  }

  /** The item at a position, unless it has ended or was taken back. */
  item(position: number): Job | undefined {
    return this.#items[position & MASK];
  }

  /** The function of the item at a position. */
  fn(position: number): PoolFunction {
    return this.#functions[position & MASK]!;
  }

  /** How many of its calls have not ended. */
  left(position: number): number {
    return this.#left[position & MASK]!;
  }

  /** Some of its calls have ended, or were taken back. */
  end(position: number, calls: number): void {
    const index = position & MASK;
    this.#left[index]! -= calls;
    this.remove(calls, this.#costs[index]!);
  }

  /** The item at a position has ended, or was taken back. */
  clear(position: number): void {
    this.#items[position & MASK] = undefined;
  }

  /** Empties every place; returns what was there. */
  takeAll(): Running[] {
    const running: Running[] = [];
    for (let position = this.head; position < this.tail; position++) {
      const item = this.item(position);
      if (item !== undefined) running.push([item, this.left(position)]);
      this.#left[position & MASK] = 0;
      this.clear(position);
    }
    this.count = this.load = 0;
    return running;
  }
}

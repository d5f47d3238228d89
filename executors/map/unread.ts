/**
 * The outcomes of a `map()` that nobody has read yet, in the order in which they
 * are to be read.
 *
 * @module
 */

import { Deque } from "../runtime/deque.ts";
import { type Batch, Failure } from "./batch.ts";

/** Takes outcomes as they come, and gives them in their order. */
export interface Unread {
  /** The calls of a batch were submitted. */
  add(batch: Batch): void;
  /**
   * `count` calls of a batch, from `call` on, have outcomes; true if one can be
   * read that could not be before.
   */
  settled(batch: Batch, call: number, count: number): boolean;
  /** Whether the next outcome is there. */
  readonly readable: boolean;
  /** The next outcome; no reference to it is kept. */
  read(): unknown;
  /** Adds values that are next to a list, up to a failure; returns how many. */
  readInto(values: unknown[]): number;
  /** Drops all outcomes. */
  clear(): void;
}

/** In the order of the inputs. */
export class InputOrder implements Unread {
  /** The first batch that has not been read to its end, which links to the others; and the last. */
  #first: Batch | undefined;
  #last: Batch | undefined;

  add(batch: Batch): void {
    if (this.#last !== undefined) this.#last.next = batch;
    this.#last = batch;
    this.#first ??= batch;
  }

  settled(batch: Batch): boolean {
    return batch === this.#first;
  }

  get readable(): boolean {
    while (this.#first?.exhausted) this.#first = this.#first.next;
    if (this.#first !== undefined) return this.#first.readable;
    this.#last = undefined;
    return false;
  }

  read(): unknown {
    return this.#first!.read();
  }

  readInto(values: unknown[]): number {
    const before = values.length;
    while (this.readable && this.#first!.readInto(values));
    return values.length - before;
  }

  clear(): void {
    this.#first = this.#last = undefined;
  }
}

/** In the order in which calls end. */
export class CompletionOrder implements Unread {
  readonly #outcomes = new Deque<unknown>();

  add(): void {}

  settled(batch: Batch, call: number, count: number): boolean {
    for (let i = 0; i < count; i++) this.#outcomes.push(batch.take(call + i));
    return true;
  }

  get readable(): boolean {
    return this.#outcomes.length > 0;
  }

  read(): unknown {
    return this.#outcomes.shift();
  }

  readInto(values: unknown[]): number {
    const before = values.length;
    while (this.readable && !(this.#outcomes.peek() instanceof Failure)) {
      values.push(this.read());
    }
    return values.length - before;
  }

  clear(): void {
    this.#outcomes.clear();
  }
}

/**
 * The calls of a `map()` whose inputs were pulled together, and their outcomes
 * until somebody reads them.
 *
 * @module
 */

import type { Job } from "../job/job.ts";

/** Stands for the outcome of a call that has none yet. */
const NONE: unique symbol = Symbol("none");

/** The outcome of a call that threw. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Calls that were pulled together; they are counted from 0, whatever jobs they travel in. */
export class Batch {
  /** How many calls of the map were pulled before. */
  readonly first: number;
  /** The jobs that the calls travel in: one, until an executor splits it; none while arguments are awaited. */
  readonly jobs: Job<Batch>[] = [];
  /** The batch that was pulled after this one. */
  next: Batch | undefined = undefined;
  readonly #args: unknown[];
  readonly #arity: number;
  readonly #outcomes: unknown[];
  /** How many calls have no outcome. */
  #open: number;
  /** How many outcomes have been read. */
  #read = 0;

  /**
   * Makes a batch without outcomes.
   *
   * @param args The arguments of all calls; the batch removes those of calls that
   * have ended.
   * @param arity How many arguments each call has.
   * @param first How many calls of the map were pulled before.
   */
  constructor(args: unknown[], arity: number, first: number) {
    this.first = first;
    this.#args = args;
    this.#arity = arity;
    this.#open = args.length / arity;
    this.#outcomes = new Array(this.#open).fill(NONE);
  }

  /** How many calls there are. */
  get count(): number {
    return this.#outcomes.length;
  }

  /** Whether every call has an outcome. */
  get complete(): boolean {
    return this.#open === 0;
  }

  /** Whether every outcome has been read. */
  get exhausted(): boolean {
    return this.#read === this.#outcomes.length;
  }

  /** Whether the next outcome is there. */
  get readable(): boolean {
    return !this.exhausted && this.#outcomes[this.#read] !== NONE;
  }

  /** The next outcome. */
  read(): unknown {
    return this.take(this.#read++);
  }

  /** Adds values that are next to a list, up to a failure; false if there is none. */
  readInto(values: unknown[]): boolean {
    const outcomes = this.#outcomes;
    const first = this.#read;
    let at = first;
    for (; at < outcomes.length; at++) {
      const outcome = outcomes[at];
      if (outcome === NONE || outcome instanceof Failure) break;
      values.push(outcome);
      outcomes[at] = undefined;
    }
    this.#read = at;
    return at > first;
  }

  /** The outcome of a call; the batch keeps no reference to it. */
  take(call: number): unknown {
    const outcome = this.#outcomes[call];
    this.#outcomes[call] = undefined;
    return outcome;
  }

  /** Whether a call has no outcome. */
  isOpen(call: number): boolean {
    return this.#outcomes[call] === NONE;
  }

  /** A call that was open has an outcome, which may be a {@linkcode Failure}. */
  settle(call: number, outcome: unknown): void {
    this.#outcomes[call] = outcome;
    this.#open--;
    this.#dropArgs(call, 1);
  }

  /** Calls that were open, from `call` on, have the values from one index up to another. */
  settleAll(
    call: number,
    values: readonly unknown[],
    from: number,
    to: number,
  ): void {
    const count = to - from;
    for (let i = 0; i < count; i++) this.#outcomes[call + i] = values[from + i];
    this.#open -= count;
    this.#dropArgs(call, count);
  }

  /** Removes the arguments of calls that have ended, so that they are not kept in memory. */
  #dropArgs(call: number, count: number): void {
    const from = call * this.#arity;
    const to = from + count * this.#arity;
    for (let i = from; i < to; i++) this.#args[i] = undefined;
  }
}

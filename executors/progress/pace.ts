/**
 * How fast something goes, by what it did of late: what is slow now, or has
 * become quick, is known after a while, whatever came before.
 *
 * @module
 */

/** How far something is. */
export interface Progress {
  /** How many have ended, and how many of them have failed. */
  readonly done: number;
  readonly failed: number;
  /** How many there are; `undefined` if nobody knows. */
  readonly total: number | undefined;
  /** Which part of all is done, from 0 to 1; `undefined` if nobody knows. */
  readonly part: number | undefined;
}

/** What is known of the speed. */
export interface Speed {
  /** For how many seconds it has gone on. */
  readonly seconds: number;
  /** How many end in a second. */
  readonly rate: number;
  /** How many seconds the rest will take; `undefined` while nobody knows. */
  readonly left: number | undefined;
}

/** How far back it looks, in milliseconds. */
const WINDOW_MS = 15_000;

/** It looks back at so many steps at least: slow calls are further apart than the window. */
const MIN_STEPS = 10;

/** Steps that are closer, in milliseconds, are one: that bounds the memory. */
const STEP_MS = 50;

/** How long it waits until it tells how much time is left, in milliseconds: the speed at the beginning says nothing yet. */
const TRUST_MS = 1000;

/** How far it was at some time. */
interface Step {
  readonly at: number;
  readonly done: number;
  readonly part: number;
}

/** The pace of one thing. */
export class Pace {
  readonly #start: number;
  /** The oldest first; there is always one. */
  #steps: Step[];
  #now: Step;

  /**
   * Begins to look.
   *
   * @param start When it began, in milliseconds.
   */
  constructor(start: number) {
    this.#start = start;
    this.#now = { at: start, done: 0, part: 0 };
    this.#steps = [this.#now];
  }

  /**
   * Takes note of how far it is.
   *
   * @param progress How far.
   * @param at When, in milliseconds.
   */
  note({ done, part = 0 }: Progress, at: number): void {
    const { done: before } = this.#now;
    this.#now = { at, done, part };
    // What is there before the first has ended was done before, in no time.
    if (done === 0 && part > this.#steps[0]!.part) this.#steps = [this.#now];
    const last = this.#steps.at(-1)!;
    if (done === before || at - last.at < STEP_MS) return;
    this.#steps.push(this.#now);
    while (
      this.#steps.length > MIN_STEPS && this.#steps[1]!.at < at - WINDOW_MS
    ) this.#steps.shift();
  }

  /**
   * Tells how fast it goes.
   *
   * @param now The time, in milliseconds.
   */
  at(now: number): Speed {
    const from = this.#steps[0]!;
    const { done, part } = this.#now;
    const ms = now - from.at;
    const isKnown = ms >= TRUST_MS && part > from.part;
    return {
      seconds: (now - this.#start) / 1000,
      rate: ms > 0 ? (done - from.done) / ms * 1000 : 0,
      left: isKnown ? ms * (1 - part) / (part - from.part) / 1000 : undefined,
    };
  }
}

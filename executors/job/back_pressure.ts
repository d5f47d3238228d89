/**
 * Tells whoever submits when to go on: `highWaterMark` and `ready`, as a
 * `WritableStreamDefaultWriter` has them.
 *
 * @module
 */

import { queueMicrotask } from "../runtime/clock.ts";
import { startTimer } from "../runtime/timer.ts";

/**
 * A worker does not tell its host that it has entered a call that was sent ahead,
 * so that is looked at: after a millisecond, and then less and less often.
 */
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 20;

/** What is asked of an executor. */
export interface Load {
  /** How many calls have no outcome. */
  open(): number;
  /** How many of them have not been entered, which takes longer to find out. */
  pending(): number;
}

/** The promise of one executor. */
export class BackPressure {
  readonly #highWaterMark: number;
  readonly #load: Load;
  /** Resolves whoever waits; none while there is room. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #isLifted = false;
  #isLooking = false;
  #stopLooking = () => {};

  /**
   * Makes it.
   *
   * @param highWaterMark How many calls may be pending before submitters should
   * wait.
   * @param load Knows how many are.
   */
  constructor(highWaterMark: number, load: Load) {
    this.#highWaterMark = highWaterMark;
    this.#load = load;
  }

  /** Whether somebody may ever have to wait. */
  get isOn(): boolean {
    return this.#highWaterMark < Infinity;
  }

  /** Resolved while fewer calls are pending; the same promise until that changes. */
  get ready(): Promise<void> {
    if (!this.#isFull) {
      this.#resolve();
      return Promise.resolve();
    }
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers();
      this.#lookAfter(FIRST_LOOK_MS);
    }
    return this.#waiting.promise;
  }

  /** Fewer calls may be pending: something was sent, or has ended. */
  less(): void {
    if (this.#waiting === undefined || this.#isLooking) return;
    this.#isLooking = true;
    // Calls end many at a time, and the next are sent only after that.
    queueMicrotask(() => {
      this.#isLooking = false;
      if (this.#waiting === undefined) return;
      if (!this.#isFull) return this.#resolve();
      this.#stopLooking();
      this.#lookAfter(FIRST_LOOK_MS);
    });
  }

  /** From now on, nobody is to wait. */
  lift(): void {
    this.#isLifted = true;
    this.#resolve();
  }

  get #isFull(): boolean {
    return !this.#isLifted && this.#load.open() >= this.#highWaterMark &&
      this.#load.pending() >= this.#highWaterMark;
  }

  #lookAfter(ms: number): void {
    this.#stopLooking = startTimer(ms, () => {
      if (this.#isFull) this.#lookAfter(Math.min(2 * ms, LAST_LOOK_MS));
      else this.#resolve();
    });
  }

  #resolve(): void {
    this.#stopLooking();
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

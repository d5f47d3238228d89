/**
 * Leaves turns of the event loop to the rest of the program while functions, or
 * the inputs of a map, compute one after another in the same thread.
 *
 * @module
 */

import { monotonicTime } from "./clock.ts";
import { startTimer } from "./timer.ts";

/**
 * For how many milliseconds calls go on before a turn is asked for, and again
 * before they wait for it. Longer, and timers and signals of the program are
 * late; shorter, and the millisecond that a turn takes counts.
 */
const PATIENCE_MS = 25;

/**
 * One of so many tiny calls looks at the clock at most, as a look takes half as
 * long as a trivial call. When calls become long, so many go on before that is
 * noticed.
 */
const MAX_STRIDE = 64;

/** Tiny calls take less than this, in milliseconds. */
const TINY_MS = 0.1;

/** A pool that was at rest for so many milliseconds has left the event loop its turns. */
const REST_MS = 1;

/** The turns that one pool, or one map, leaves to the program. */
export class Turns {
  /** How many more calls go on without a look at the clock. */
  #left = 0;
  #stride = 1;
  #looked = 0;
  #rested = -Infinity;
  /** When the event loop is known to have turned. */
  #turned = 0;
  /** Since when a turn is due, if one has been asked for. */
  #asked: number | undefined;
  #turn: PromiseWithResolvers<void> | undefined;
  #stopTimer: (() => void) | undefined;

  /** The turn that the next call has to wait for; nearly always `undefined`, for none. */
  due(): Promise<void> | undefined {
    return this.#left-- > 0 ? undefined : this.#look();
  }

  /** Calls are made from now on; `now` as of `monotonicTime()`. */
  begin(now: number): void {
    if (now - this.#rested < REST_MS) return;
    this.#turned = now;
    this.#asked = undefined;
  }

  /**
   * No call runs, and nobody waits for a turn: stops the timer, which must not
   * outlive the calls.
   */
  rest(now: number): void {
    this.#rested = now;
    this.#stopTimer?.();
    this.#turn = this.#stopTimer = undefined;
  }

  #look(): Promise<void> | undefined {
    const now = monotonicTime();
    const tiny = now - this.#looked < this.#stride * TINY_MS;
    this.#stride = tiny ? Math.min(MAX_STRIDE, this.#stride * 2) : 1;
    this.#looked = now;
    this.#left = this.#stride - 1;
    if (this.#asked === undefined) {
      if (now - this.#turned < PATIENCE_MS) return undefined;
      this.#asked = now;
      this.#ask();
    }
    if (now - this.#asked < PATIENCE_MS) return undefined;
    // Each call that follows waits too.
    this.#left = 0;
    return (this.#turn ?? this.#ask()).promise;
  }

  /** Asks for a turn by a timer, which most often fires before any call has to wait. */
  #ask(): PromiseWithResolvers<void> {
    this.#stopTimer = startTimer(0, () => this.#come());
    return this.#turn = Promise.withResolvers();
  }

  #come(): void {
    const { resolve } = this.#turn!;
    this.#turn = this.#stopTimer = this.#asked = undefined;
    this.#turned = monotonicTime();
    resolve();
  }
}

/**
 * How many inputs of a map are in flight, or finished and unread: as many as its
 * user has said, or as many as keep workers busy.
 *
 * @module
 */

import { monotonicTime } from "../runtime/clock.ts";

/** Before anything is known of the calls, and while they take their time. */
const LEAST = 1000;

/** While calls are tiny; more would cost memory, and no worker would notice. */
const MOST = 16_384;

/**
 * A buffer that is submitted anew within this, in milliseconds, is doubled: its
 * calls travel in messages that are too small. One that takes as long as
 * `SLOW_MS` is halved, as calls that wait that long are only memory.
 */
const QUICK_MS = 25;
const SLOW_MS = 100;

/** The buffer of one map. */
export class MapBuffer {
  /** How many inputs it has at most. */
  size: number;
  readonly #isFixed: boolean;
  /** How many more are submitted until the clock is read: to read it for each would take longer than the call. */
  #left: number;
  /** When it was last submitted as a whole; the first time tells nothing, as no call has ended. */
  #since = -Infinity;

  /**
   * Makes a buffer.
   *
   * @param size How many inputs; `undefined` leaves that to the buffer.
   */
  constructor(size: number | undefined) {
    this.size = this.#left = size ?? LEAST;
    this.#isFixed = size !== undefined;
  }

  /** Calls have been submitted, as results were read. */
  submitted(count: number): void {
    if (this.#isFixed || (this.#left -= count) > 0) return;
    const now = monotonicTime();
    const took = now - this.#since;
    if (took < QUICK_MS) this.size = Math.min(2 * this.size, MOST);
    else if (took > SLOW_MS) this.size = Math.max(this.size / 2, LEAST);
    this.#left = this.size;
    this.#since = now;
  }
}

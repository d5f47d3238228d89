/**
 * How many calls an executor lets go of within any span of time.
 *
 * @module
 */

import { checkCount, checkNumber } from "../arguments.ts";
import { monotonicTime } from "../runtime/clock.ts";
import { Deque } from "../runtime/deque.ts";
import { show } from "../text.ts";

/** Option `rate` of executors. */
export interface Rate {
  /** How many calls are let go of within any interval, an integer of at least 1. */
  limit: number;
  /** The interval, in milliseconds, finite and more than 0. */
  interval: number;
}

/** Calls that were let go of together, or nearly so. */
interface Departure {
  /** When the first of them went, and the last. */
  readonly from: number;
  at: number;
  count: number;
}

/** Departures that are as close as this part of the interval are remembered as one: that bounds the memory of a limit of a million. */
const RESOLUTION = 1000;

/**
 * A sliding window: it remembers when calls were let go of. Windows that are
 * fixed would let through twice the limit around their edges.
 */
export class RateGate {
  readonly #limit: number;
  readonly #interval: number;
  /** The departures of the last interval, the oldest first. */
  readonly #departures = new Deque<Departure>();
  #newest: Departure | undefined;
  /** How many calls those are. */
  #count = 0;

  constructor({ limit, interval }: Rate) {
    this.#limit = limit;
    this.#interval = interval;
  }

  /** How many calls may be let go of now. */
  get left(): number {
    const oldest = monotonicTime() - this.#interval;
    for (
      let first = this.#departures.peek();
      first !== undefined && first.at < oldest;
      first = this.#departures.peek()
    ) {
      this.#departures.shift();
      this.#count -= first.count;
    }
    return this.#limit - this.#count;
  }

  /** For how long none may be let go of, in milliseconds, if none may. */
  get wait(): number {
    const first = this.#departures.peek();
    if (first === undefined) return 0;
    return Math.max(0, first.at + this.#interval - monotonicTime());
  }

  /** Calls are let go of. */
  take(count: number): void {
    const at = monotonicTime();
    const newest = this.#newest;
    this.#count += count;
    const isNear = newest !== undefined &&
      newest.from > at - this.#interval / RESOLUTION;
    if (isNear) {
      newest.at = at;
      newest.count += count;
    } else {
      this.#newest = { from: at, at, count };
      this.#departures.push(this.#newest);
    }
  }

  /** Calls that were taken last have not been let go of after all. */
  giveBack(count: number): void {
    const newest = this.#newest;
    if (newest === undefined) return;
    const back = Math.min(count, newest.count);
    newest.count -= back;
    this.#count -= back;
  }
}

/**
 * Checks the option.
 *
 * @throws {TypeError} If it has the wrong shape.
 * @throws {RangeError} If a number is out of range.
 */
export function checkRate(rate: Rate | undefined): Rate | undefined {
  if (rate === undefined) return undefined;
  if (rate === null || typeof rate !== "object") {
    throw new TypeError(
      `'rate' must be { limit, interval }: received ${show(rate)}`,
    );
  }
  const { limit, interval } = rate;
  checkNumber("rate.limit", limit, "an integer of at least 1");
  checkNumber("rate.interval", interval, "a number of milliseconds");
  if (!(interval > 0 && interval < Infinity)) {
    throw new RangeError(
      `'rate.interval' must be finite and more than 0 milliseconds: received ${interval}`,
    );
  }
  return { limit: checkCount("rate.limit", limit, 1), interval };
}

/**
 * Turns of the event loop for the rest of the program, while functions, or the
 * inputs of a map, compute in its own thread one after another.
 *
 * @module
 */

import { monotonicTime } from "./clock.ts";
import { startTimer } from "./timer.ts";

/**
 * For how long calls go on before a turn is asked for, and for how long again
 * before they wait until it has come: what the program's timers and signals
 * may be late by, against the millisecond that a turn takes.
 */
const PATIENCE_MS = 25;

/**
 * One of so many calls looks at the clock, if they are tiny: a look takes as
 * long as half of a trivial call. When calls become long, so many go on first.
 */
const MAX_STRIDE = 64;

/** A call that takes longer is not tiny. */
const TINY_MS = 0.1;

/** A pool that was at rest for longer has left the event loop its turns. */
const REST_MS = 1;

/** The turns that one pool, or one map, leaves to the program. */
export class Turns {
  /** How many calls go on without a look at the clock. */
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

  /** What the next call has to wait for; `undefined`, nearly always, if for nothing. */
  due(): Promise<void> | undefined {
    return this.#left-- > 0 ? undefined : this.#look();
  }

  /** Calls are made from now on. */
  begin(now: number): void {
    if (now - this.#rested < REST_MS) return;
    this.#turned = now;
    this.#asked = undefined;
  }

  /** No call runs, and nobody waits: no timer outlives the calls. */
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
    // Every other call waits too.
    this.#left = 0;
    return (this.#turn ?? this.#ask()).promise;
  }

  /** Most turns come by themselves, and show here that they have. */
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

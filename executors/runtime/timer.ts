/**
 * Timers that take any duration of the contract, `Infinity` included.
 *
 * @module
 */

import { clearTimeout, monotonicTime, setTimeout } from "./clock.ts";

/** A longer `setTimeout` would overflow its 32 bits and fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** A timer that is later than this has waited for the program itself. */
const LATE_MS = 10;

/** Enough turns of the event loop for what arrived meanwhile to be handled first. */
const CATCH_UP_MS = 10;

/**
 * Calls `callback` after `ms` milliseconds, or never if that is more than 24
 * days; returns what stops the timer.
 */
export function startTimer(ms: number, callback: () => void): () => void {
  if (ms > LONGEST_DELAY_MS) return () => {};
  let stopped = false;
  const id = setTimeout(() => {
    if (!stopped) callback();
  }, ms);
  return () => {
    // Deno 2.4 still calls back if both are due in one turn of the event loop.
    stopped = true;
    clearTimeout(id);
  };
}

/**
 * A timer for what somebody else has to say within `ms` milliseconds. Deno runs
 * timers before it hands out messages, so after a long computation here all of
 * them would seem to have come too late; what has arrived is looked at first.
 */
export function startDeadline(ms: number, callback: () => void): () => void {
  const due = monotonicTime() + ms;
  let stop = startTimer(ms, () => {
    if (monotonicTime() - due <= LATE_MS) callback();
    else stop = startTimer(CATCH_UP_MS, callback);
  });
  return () => stop();
}

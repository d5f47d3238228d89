/**
 * Timers that take any duration of the contract, `Infinity` included.
 *
 * @module
 */

import { clearTimeout, monotonicTime, setTimeout } from "./clock.ts";

/** A longer delay would overflow the 32 bits of `setTimeout`, which would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * By how many milliseconds a timer may be late before a computation of the
 * program must have held it up.
 */
const LATE_MS = 10;

/**
 * How long a deadline then waits for messages that arrived in time, in
 * milliseconds: enough turns of the event loop to handle them.
 */
const CATCH_UP_MS = 10;

/**
 * Calls `callback` after `ms` milliseconds, or never if that is more than 24
 * days; returns a function that stops the timer.
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
 * Calls `callback` after `ms` milliseconds, unless a message that arrives before
 * has the timer stopped. Deno runs timers before it hands out messages: after a
 * long computation of the program, all messages would seem to have come too
 * late, so they are handled first. Returns a function that stops the timer.
 */
export function startDeadline(ms: number, callback: () => void): () => void {
  const due = monotonicTime() + ms;
  let stop = startTimer(ms, () => {
    if (monotonicTime() - due <= LATE_MS) callback();
    else stop = startTimer(CATCH_UP_MS, callback);
  });
  return () => stop();
}

/**
 * A timer that takes any duration of the contract, `Infinity` included, and
 * that does not blame others for a busy event loop.
 *
 * @module
 */

/** A longer `setTimeout` would overflow its 32 bits and fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** A timer that is later than this has waited for the program itself. */
const LATE_MS = 10;

/** Enough turns of the event loop for what arrived meanwhile to be handled first. */
const CATCH_UP_MS = 10;

/**
 * Calls `callback` after `ms` milliseconds, or never if that is more than 24
 * days; returns what stops the timer. Deno runs timers before it hands out
 * messages, so after a long computation all would seem to have come too late.
 */
export function startTimer(ms: number, callback: () => void): () => void {
  if (ms > LONGEST_DELAY_MS) return () => {};
  const due = performance.now() + ms;
  let id = setTimeout(() => {
    if (performance.now() - due <= LATE_MS) callback();
    else id = setTimeout(callback, CATCH_UP_MS);
  }, ms);
  return () => clearTimeout(id);
}

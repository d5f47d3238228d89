/**
 * A timer that takes any duration of the contract, `Infinity` included.
 *
 * @module
 */

/** A longer `setTimeout` would overflow its 32 bits and fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls `callback` after `ms` milliseconds, or never if that is more than 24
 * days; returns what stops the timer.
 */
export function startTimer(ms: number, callback: () => void): () => void {
  if (ms > LONGEST_DELAY_MS) return () => {};
  const id = setTimeout(callback, ms);
  return () => clearTimeout(id);
}

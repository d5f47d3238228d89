/**
 * Waits for an `AbortSignal` together with many others.
 *
 * @module
 */

/** Waits for a signal. */
export interface AbortWaiter {
  /** The signal was aborted. */
  signalAborted(): void;
}

/** The listener of each signal; one goes with its signal. */
const listeners = new WeakMap<AbortSignal, AbortListener>();

/**
 * The only listener of a signal, whoever waits. Deno looks through all listeners
 * for each that is added or removed: one for each of 100,000 calls took a
 * minute.
 */
class AbortListener {
  readonly #signal: AbortSignal;
  /** Those who wait, in the order in which they came. */
  readonly #waiters = new Set<AbortWaiter>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this);
  }

  add(waiter: AbortWaiter): void {
    this.#waiters.add(waiter);
  }

  remove(waiter: AbortWaiter): void {
    if (!this.#waiters.delete(waiter) || this.#waiters.size > 0) return;
    this.#signal.removeEventListener("abort", this);
    listeners.delete(this.#signal);
  }

  handleEvent(): void {
    // A waiter may add and remove others: those that were there are told, unless
    // they have been removed meanwhile.
    for (const waiter of [...this.#waiters]) {
      if (!this.#waiters.has(waiter)) continue;
      this.remove(waiter);
      try {
        waiter.signalAborted();
      } catch (error) {
        // The next waiter is still told, as with the listeners of any event.
        reportError(error);
      }
    }
  }
}

/** Has `waiter` told when the signal is aborted; it must not be yet. */
export function onAbort(signal: AbortSignal, waiter: AbortWaiter): void {
  let listener = listeners.get(signal);
  if (listener === undefined) {
    listener = new AbortListener(signal);
    listeners.set(signal, listener);
  }
  listener.add(waiter);
}

/** Has `waiter` not told any more; the signal keeps no reference to it. */
export function offAbort(signal: AbortSignal, waiter: AbortWaiter): void {
  listeners.get(signal)?.remove(waiter);
}

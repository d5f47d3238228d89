/**
 * Waiting for an `AbortSignal` that perhaps many wait for.
 *
 * @module
 */

/** Who waits for a signal. */
export interface AbortWaiter {
  /** The signal was aborted. */
  signalAborted(): void;
}

/** Those who wait, by signal; a signal that is gone takes them along. */
const listeners = new WeakMap<AbortSignal, AbortListener>();

/**
 * The one listener of a signal. Deno looks through all listeners for each that
 * is added or removed, so that one for each of 100,000 calls took a minute.
 */
class AbortListener {
  readonly #signal: AbortSignal;
  /** In the order in which they came. */
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
    // Callbacks may add and remove others: who was there before is told, unless
    // it has been removed meanwhile.
    for (const waiter of [...this.#waiters]) {
      if (!this.#waiters.has(waiter)) continue;
      this.remove(waiter);
      try {
        waiter.signalAborted();
      } catch (error) {
        // As with the listeners of any event, the next is still told.
        reportError(error);
      }
    }
  }
}

/** Has `waiter` told when the signal is aborted, which it is not yet. */
export function onAbort(signal: AbortSignal, waiter: AbortWaiter): void {
  let listener = listeners.get(signal);
  if (listener === undefined) {
    listener = new AbortListener(signal);
    listeners.set(signal, listener);
  }
  listener.add(waiter);
}

/** Has `waiter` not told any more; a long-lived signal keeps nothing of it. */
export function offAbort(signal: AbortSignal, waiter: AbortWaiter): void {
  listeners.get(signal)?.remove(waiter);
}

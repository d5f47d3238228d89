/**
 * Time that passes when a test says so: whatever starts a timer meanwhile, or
 * asks what time it is, asks this clock.
 *
 * @module
 */

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** In place of the program's own clock until it is disposed of. */
export class FakeClock implements Disposable {
  readonly #timers = new Map<number, Timer>();
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: performance.now,
  };
  #now = 0;
  #started = 0;

  constructor() {
    const fake = {
      setTimeout: (callback: () => void, ms = 0) => {
        const id = ++this.#started;
        this.#timers.set(id, { at: this.#now + ms, callback });
        return id;
      },
      clearTimeout: (id: number) => this.#timers.delete(id),
    };
    Object.assign(globalThis, fake);
    performance.now = () => this.#now;
  }

  /** How many timers have been started, and neither fired nor stopped. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass up to the next timer, but no more than `ms`; fires it if it is due then. */
  pass(ms: number): void {
    const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
    const at = Math.min(this.#now + ms, next?.[1].at ?? Infinity);
    this.#now = at;
    if (next === undefined || next[1].at > at) return;
    this.#timers.delete(next[0]);
    next[1].callback();
  }

  [Symbol.dispose](): void {
    const { setTimeout, clearTimeout, now } = this.#real;
    Object.assign(globalThis, { setTimeout, clearTimeout });
    performance.now = now;
  }
}

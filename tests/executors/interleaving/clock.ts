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

/** As functions of nobody: up to Deno 2.8 timers refuse to be called on an object. */
const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  now: performance.now.bind(performance),
};

/** The clock that is asked; none if it is the program's own. */
let current: FakeClock | undefined;

// The package takes the time from whoever is there when it is loaded, so this
// module is to be imported before it.
Object.assign(globalThis, {
  setTimeout: (callback: () => void, ms?: number, ...args: []) =>
    current?.setTimeout(callback, ms) ??
      (0, real.setTimeout)(callback, ms, ...args),
  clearTimeout: (id: number) =>
    current === undefined
      ? (0, real.clearTimeout)(id)
      : current.clearTimeout(id),
});
performance.now = () => current?.now ?? real.now();

/** In place of the program's own clock until it is disposed of. */
export class FakeClock implements Disposable {
  readonly #timers = new Map<number, Timer>();
  #started = 0;
  /** What time it is. */
  now = 0;

  constructor() {
    current = this;
  }

  /** How many timers have been started, and neither fired nor stopped. */
  get pending(): number {
    return this.#timers.size;
  }

  /** As the global function of this name. */
  setTimeout(callback: () => void, ms = 0): number {
    const id = ++this.#started;
    this.#timers.set(id, { at: this.now + ms, callback });
    return id;
  }

  /** As the global function of this name. */
  clearTimeout(id: number): void {
    this.#timers.delete(id);
  }

  /** Lets time pass up to the next timer, but no more than `ms`; fires it if it is due then. */
  pass(ms: number): void {
    const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
    const at = Math.min(this.now + ms, next?.[1].at ?? Infinity);
    this.now = at;
    if (next === undefined || next[1].at > at) return;
    this.#timers.delete(next[0]);
    next[1].callback();
  }

  [Symbol.dispose](): void {
    current = undefined;
  }
}

/**
 * Clock, timers and microtasks as they were when this package was loaded. What
 * a test or a task puts in their place later is meant for its own code: under
 * fake timers no shutdown would end, and by a clock that stands still no
 * time-out would come.
 *
 * @module
 */

/** As the global function of this name was. */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;

/** As the global function of this name was. */
export const clearTimeout: typeof globalThis.clearTimeout =
  globalThis.clearTimeout;

/** As the global function of this name was. */
export const queueMicrotask: typeof globalThis.queueMicrotask =
  globalThis.queueMicrotask;

/** Milliseconds since this thread began, with fractions; never goes back. */
export const monotonicTime: () => number = performance.now.bind(performance);

/** When that began, in milliseconds since 1970. */
export const TIME_ORIGIN: number = performance.timeOrigin;

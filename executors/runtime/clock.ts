/**
 * Clock, timers and microtasks as they were when this package was loaded. A test
 * or a task that replaces them later means its own code: under fake timers no
 * shutdown would end, and by a clock that stands still no time-out would come.
 *
 * @module
 */

const { apply } = Reflect;

/** Milliseconds since this thread began, with fractions; never goes back. */
export const monotonicTime: () => number = performance.now.bind(performance);

/** When this thread began, in milliseconds since 1970. */
const TIME_ORIGIN: number = performance.timeOrigin;

/** Milliseconds since 1970, with fractions: a clock that all threads and processes share. */
export function wallTime(): number {
  return TIME_ORIGIN + monotonicTime();
}

/** As the global function of this name was. */
export const queueMicrotask: typeof globalThis.queueMicrotask =
  globalThis.queueMicrotask;

const timeout = original("setTimeout");
const noTimeout = original("clearTimeout");

/** As the global function of this name was. */
export function setTimeout(callback: () => void, ms: number): number {
  return timeout()(callback, ms) as unknown as number;
}

/** As the global function of this name was. */
export function clearTimeout(id: number | undefined): void {
  noTimeout()(id);
}

/**
 * Finds a global function as it is now, but reads it when it is needed: Deno 2.9
 * makes timers when a program first reads their names, which takes a worker 3 to
 * 5 ms.
 */
function original<Name extends "setTimeout" | "clearTimeout">(
  name: Name,
): () => typeof globalThis[Name] {
  const { value, get } = Object.getOwnPropertyDescriptor(globalThis, name)!;
  let found: typeof globalThis[Name] | undefined = value;
  return () => found ??= apply(get!, globalThis, []);
}

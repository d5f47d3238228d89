/**
 * What all copies of this package in one isolate have in common: a bundle that a
 * worker loads has a copy of its own, and a task in it asks that copy for
 * `currentTask()`, or marks values by its `transfer()`.
 *
 * @module
 */

/**
 * The object of this name, made by the copy that was loaded first.
 *
 * @param name The name, with a number that changes with what the object can do:
 * copies of several versions may meet.
 * @param make Makes the object.
 */
export function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`@concurrent/futures/${name}`);
  const copies = globalThis as unknown as Record<symbol, T | undefined>;
  const found = copies[key];
  if (found !== undefined) return found;
  const value = make();
  // Tasks of the same worker cannot replace it. Where the global object is
  // frozen, each copy has its own.
  Reflect.defineProperty(globalThis, key, { value });
  return value;
}

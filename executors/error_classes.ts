/**
 * Knows the error classes of all copies of this package in one isolate by their
 * names, so that `instanceof` and the way to another isolate do, too.
 *
 * @module
 */

import { getPrototypeOf, OwnWeakMap } from "./runtime/builtins.ts";
import { shared } from "./runtime/shared.ts";

/** The names of the classes, by their prototypes. */
const names = shared("errors/1", () => new OwnWeakMap<object, string>());

/** The name of the class of this package with this prototype, if there is one. */
export function errorNameOf(prototype: object): string | undefined {
  return names.get(prototype);
}

/**
 * Names a class of this package. The name is on the prototype, as the errors of
 * the language have it: an own property would be one more field to print, to
 * clone and to compare. Defined, as a frozen `Error.prototype` forbids to assign
 * the name.
 */
export function setErrorName(
  { prototype }: { readonly prototype: Error },
  name: string,
): void {
  names.set(prototype, name);
  Object.defineProperty(prototype, "name", {
    value: name,
    configurable: true,
    writable: true,
  });
}

/** Whether a value is of the class with this prototype, or of that class in another copy. */
export function isInstance(value: unknown, prototype: object): boolean {
  if (
    value === null || typeof value !== "object" && typeof value !== "function"
  ) return false;
  const name = names.get(prototype);
  let ancestor = getPrototypeOf(value);
  while (ancestor !== null) {
    if (ancestor === prototype) return true;
    // A class that somebody derives from these has no name here.
    if (name !== undefined && names.get(ancestor) === name) return true;
    ancestor = getPrototypeOf(ancestor);
  }
  return false;
}

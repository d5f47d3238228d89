/**
 * Copies small plain values, so that many calls can travel in one message.
 * Structured clone keeps identities within a message, and clones when the
 * message is sent: without copies, calls would share objects, and see them as
 * they are later. A value that is not copied here travels in its own message.
 *
 * @module
 */

import { isProxy } from "node:util/types";
import {
  ARRAY_PROTOTYPE,
  getPrototypeOf,
  includes,
  OBJECT_PROTOTYPE,
  objectKeys,
} from "../../runtime/builtins.ts";

/**
 * Most objects and arrays in a value, and most elements of an array; beside a
 * larger value, the cost of its own message is small.
 */
const MAX_PARTS = 64;

/** {@linkcode copyPlain} returns this for a value that it does not copy. */
export const NOT_PLAIN: unique symbol = Symbol("not plain");

/** The objects of the value that is being copied; kept between calls to spare an array for each. */
const parts: object[] = [];

/**
 * Copies a value as structured clone would.
 *
 * @param value Any value.
 * @returns The copy; {@linkcode NOT_PLAIN} if the value holds more than
 * primitives and a few plain objects and arrays, or one of those twice.
 */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return copyPart(value);
  try {
    return copyPart(value);
  } catch {
    // A getter has thrown: cloning will say so.
    return NOT_PLAIN;
  } finally {
    parts.length = 0;
  }
}

function copyPart(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    return NOT_PLAIN;
  }
  if (typeof value !== "object" || value === null) return value;
  // A proxy looks plain, but structured clone refuses it.
  if (parts.length === MAX_PARTS || includes(parts, value) || isProxy(value)) {
    return NOT_PLAIN;
  }
  parts[parts.length] = value;
  const prototype = getPrototypeOf(value);
  if (prototype === OBJECT_PROTOTYPE) {
    return copyObject(value as Record<string, unknown>);
  }
  return prototype === ARRAY_PROTOTYPE
    ? copyArray(value as unknown[])
    : NOT_PLAIN;
}

function copyObject(value: Record<string, unknown>): unknown {
  const copy: Record<string, unknown> = {};
  const keys = objectKeys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const part = copyPart(value[key]);
    // An assignment to "__proto__" would make no field.
    if (part === NOT_PLAIN || key === "__proto__") return NOT_PLAIN;
    copy[key] = part;
  }
  return copy;
}

function copyArray(value: readonly unknown[]): unknown {
  // Holes, and fields that are no elements, are left to structured clone.
  if (value.length > MAX_PARTS || objectKeys(value).length !== value.length) {
    return NOT_PLAIN;
  }
  const copy: unknown[] = [];
  for (let i = 0; i < value.length; i++) {
    const part = copyPart(value[i]);
    if (part === NOT_PLAIN) return NOT_PLAIN;
    copy[i] = part;
  }
  return copy;
}

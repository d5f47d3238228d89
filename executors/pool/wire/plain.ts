/**
 * Copies of small plain values. Calls that travel in one message would share
 * what their arguments, or their results, have in common: structured clone
 * keeps identities within a message, and clones when the message is sent. So
 * what is not copied here travels in a message of its own.
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

/** Most objects and arrays in a value, and most elements of an array; with more, its own message is cheap. */
const MAX_PARTS = 64;

/** {@linkcode copyPlain} returns this for what it does not copy. */
export const NOT_PLAIN: unique symbol = Symbol("not plain");

/** The objects of the value that is being copied; kept between calls to spare an array for each. */
const parts: object[] = [];

/**
 * What structured clone would make of a value that holds nothing but primitives
 * and a few plain objects and arrays, none of them twice; else
 * {@linkcode NOT_PLAIN}.
 */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return copyPart(value);
  try {
    return copyPart(value);
  } catch {
    // A getter that throws: cloning will say so.
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
    // Assigned, "__proto__" would be no field.
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

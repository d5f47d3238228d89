/**
 * `DOMException`s in a message: V8's own serializer writes them as other errors,
 * without their class, name and message, and so does the structured clone of
 * Deno 2.4.
 *
 * @module
 */

import { structuredClone } from "../../runtime/builtins.ts";

/** One of them as V8 has read it, and what that has lost. */
export type LostException = readonly [
  copy: object,
  message: string,
  name: string,
];

/** What is to be written after the message; V8 remembers which objects were in it. */
export function describeExceptions(
  exceptions: readonly DOMException[],
): LostException[] {
  return exceptions.map((it) => [it, it.message, it.name]);
}

/** Found out when one is sent: it takes a worker half a millisecond, of the ten in which it starts. */
let kept: boolean | undefined;

/** Whether structured clone keeps them. */
export function exceptionsAreKept(): boolean {
  return kept ??= structuredClone(new DOMException()) instanceof DOMException;
}

/** A copy of a value in which these are. */
export function cloneReviving(
  value: unknown,
  exceptions: readonly DOMException[],
): unknown {
  if (exceptions.length === 0 || exceptionsAreKept()) {
    return structuredClone(value);
  }
  const [copy, lost] = structuredClone(
    [[value], describeExceptions(exceptions)] as const,
  );
  reviveExceptions(copy, lost);
  return copy[0];
}

/** Puts them back, everywhere in a message that nobody has seen yet. */
export function reviveExceptions(
  message: unknown,
  lost: readonly LostException[],
): void {
  const revived = new Map<unknown, unknown>();
  for (const [copy, text, name] of lost) {
    const exception = new DOMException(text, name);
    const { stack } = copy as Error;
    Object.defineProperty(exception, "stack", {
      value: stack,
      configurable: true,
      writable: true,
    });
    revived.set(copy, exception);
  }
  const seen = new Set<unknown>();
  const values = [message];
  while (values.length > 0) {
    const value = values.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) {
      continue;
    }
    seen.add(value);
    for (const part of replaceParts(value, revived)) values.push(part);
  }
}

/** Replaces parts of an object, in their order; returns those that it has now. */
function replaceParts(
  object: object,
  replaced: ReadonlyMap<unknown, unknown>,
): unknown[] {
  const now = (part: unknown) => replaced.has(part) ? replaced.get(part) : part;
  if (object instanceof Map) {
    const entries = [...object].map((entry) => entry.map(now));
    object.clear();
    for (const [key, value] of entries) object.set(key, value);
    return entries.flat();
  }
  if (object instanceof Set) {
    const members = [...object].map(now);
    object.clear();
    for (const member of members) object.add(member);
    return members;
  }
  // The fields of those are bytes, or characters.
  if (ArrayBuffer.isView(object) || object instanceof String) return [];
  const fields = object as Record<string, unknown>;
  const keys = object instanceof Error ? ["cause"] : Object.keys(object);
  for (const key of keys) {
    if (replaced.has(fields[key])) fields[key] = replaced.get(fields[key]);
  }
  return keys.map((key) => fields[key]);
}

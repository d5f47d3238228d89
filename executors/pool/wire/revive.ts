/**
 * Carries `DOMException`s in a message: V8's own serializer writes them as other
 * errors, without their class, name and message, and so does the structured
 * clone of Deno 2.4.
 *
 * @module
 */

import { structuredClone } from "../../runtime/builtins.ts";

/** A `DOMException` as V8 has read it, and what it has lost on the way. */
export type LostException = readonly [
  copy: object,
  message: string,
  name: string,
];

/** The list to write after the message; V8 remembers which objects were in the message. */
export function describeExceptions(
  exceptions: readonly DOMException[],
): LostException[] {
  return exceptions.map((exception) => [
    exception,
    exception.message,
    exception.name,
  ]);
}

/**
 * Found out when the first is sent: that takes half a millisecond, of the ten
 * in which a worker starts.
 */
let kept: boolean | undefined;

/** Whether structured clone keeps `DOMException`s. */
export function exceptionsAreKept(): boolean {
  return kept ??= structuredClone(new DOMException()) instanceof DOMException;
}

/** A structured clone of a value that contains these exceptions, and of which parts are moved. */
export function cloneReviving(
  value: unknown,
  exceptions: readonly DOMException[],
  moved: Transferable[] = [],
): unknown {
  if (exceptions.length === 0 || exceptionsAreKept()) {
    return structuredClone(value, { transfer: moved });
  }
  const [copy, lost] = structuredClone(
    [[value], describeExceptions(exceptions)] as const,
    { transfer: moved },
  );
  reviveExceptions(copy, lost);
  return copy[0];
}

/** Puts the exceptions back, everywhere in a message that nobody has seen yet. */
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

/** Replaces parts of an object, in their order; returns the parts that the object has now. */
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
  // Their fields are bytes, or characters.
  if (ArrayBuffer.isView(object) || object instanceof String) return [];
  const fields = object as Record<string, unknown>;
  const keys = object instanceof Error ? ["cause"] : Object.keys(object);
  for (const key of keys) {
    if (replaced.has(fields[key])) fields[key] = replaced.get(fields[key]);
  }
  return keys.map((key) => fields[key]);
}

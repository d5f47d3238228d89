/**
 * Whether something that arrives has the form of a message. A task can speak for
 * its worker, so both ends of a process and the host ask here first; whether a
 * worker could say it now is for the host: see validator.ts.
 *
 * No loop here is longer than `MAX_PARTS`, whatever length an array says that
 * it has.
 *
 * @module
 */

import { show } from "../../text.ts";
import { MAX_PARTS } from "./codec.ts";
import type { ToHost } from "./protocol.ts";

/**
 * The message, if it is one: each part is of its type, but for those that grow
 * with the calls that the message is about.
 *
 * @throws {RangeError} If it is none.
 */
export function checkShape(data: unknown): ToHost {
  if (!Array.isArray(data) || !isShape(data as unknown as ToHost)) {
    throw lie(data, "the protocol has no such message");
  }
  return data as unknown as ToHost;
}

function isShape(message: ToHost): boolean {
  const { length }: { readonly length: number } = message;
  switch (message[0]) {
    case "up":
    case "ready":
    case "loading":
    case "loaded":
    case "unreadable":
      return length === 1;
    case "unfit":
      return length === 2 && isEncoded(message[1], new Map(), message[1]);
    case "entered":
      return length === 3 && isCount(message[1]) && isCount(message[2]);
    case "revoked":
      return length === 3 && isCount(message[1]) && Array.isArray(message[2]);
    case "done":
      return length === 7 && isCount(message[1]) && isDuration(message[2]) &&
        Array.isArray(message[3]) && isList(message[4]) &&
        isList(message[5]) && isCount(message[6]);
    case "reporting":
      return length === 2 && typeof message[1] === "boolean";
    case "report":
      return length === 5 && isCount(message[1]) && isCount(message[2]) &&
        typeof message[4] === "boolean";
    case "closing": {
      const [, cause, exitCode, unentered] = message;
      return (length === 3 || length === 4) &&
        (cause === undefined || isEncoded(cause, new Map(), cause)) &&
        (exitCode === undefined || Number.isSafeInteger(exitCode)) &&
        (unentered === undefined || isCount(unentered));
    }
    default:
      message satisfies never;
      return false;
  }
}

/** Whether a value is a number of things. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** Finite, or what all workers share would be spoilt: see {@linkcode PoolFunction.learn}. */
function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0 &&
    value <= Number.MAX_SAFE_INTEGER;
}

function isList(value: unknown): boolean {
  return value === undefined || Array.isArray(value);
}

/**
 * Whether a value is an error as codec.ts encodes it: text where text belongs,
 * and no more parts than are ever encoded. The objects that an error is made of
 * are noted in `seen` as `its` own: decoding what many errors share would have
 * no bound.
 */
export function isEncoded(
  error: unknown,
  seen: Map<unknown, unknown>,
  its: unknown,
): boolean {
  const left: unknown[] = [error];
  let parts = 1;
  while (left.length > 0) {
    const encoded = left.pop();
    if (!isObject(encoded)) return false;
    if (seen.has(encoded)) {
      if (seen.get(encoded) !== its) return false;
      continue;
    }
    seen.set(encoded, its);
    if (encoded.kind === "value") continue;
    if (!isErrorItself(encoded)) return false;
    const { fields } = encoded;
    parts += fields.length;
    if (parts > MAX_PARTS) return false;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      if (!isField(field)) return false;
      left.push(field[1]);
      const list = errorsOf(field);
      if (list === undefined) continue;
      parts += list.length;
      if (parts > MAX_PARTS) return false;
      for (let j = 0; j < list.length; j++) left.push(list[j]);
    }
  }
  return true;
}

function isErrorItself(
  encoded: Record<string, unknown>,
): encoded is { fields: unknown[] } {
  return encoded.kind === "error" && typeof encoded.class === "string" &&
    typeof encoded.name === "string" && typeof encoded.message === "string" &&
    typeof encoded.stack === "string" && Array.isArray(encoded.fields);
}

type Field = readonly [key: string, value: unknown, enumerable: boolean];

function isField(field: unknown): field is Field {
  return Array.isArray(field) && field.length === 3 &&
    typeof field[0] === "string" && typeof field[2] === "boolean";
}

/** The errors of an `AggregateError`, if that is what a field has; see {@linkcode encodeError}. */
function errorsOf([key, encoded]: Field): readonly unknown[] | undefined {
  return key === "errors" && isObject(encoded) && encoded.kind === "value" &&
      Array.isArray(encoded.value)
    ? encoded.value
    : undefined;
}

/** Whether a value has properties. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The error that says what a worker has said, and why no worker does. */
export function lie(said: unknown, why: string): RangeError {
  return new RangeError(`A worker said ${describe(said)}, but ${why}`);
}

/** How many parts the longest message has. */
const MOST_PARTS = 7;

/** A message in few words: each part may be as large as it likes. */
function describe(said: unknown): string {
  if (!Array.isArray(said)) return describePart(said);
  const parts: string[] = [];
  for (let i = 0; i < Math.min(said.length, MOST_PARTS); i++) {
    parts.push(describePart(said[i]));
  }
  return `[${parts.join(", ")}${said.length > MOST_PARTS ? ", …" : ""}]`;
}

function describePart(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return isObject(value) ? "an object" : show(value);
}

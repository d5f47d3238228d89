/**
 * Encodes errors for their way between isolates, so that they arrive as they
 * were. Structured clone makes an `Error` of every subclass, loses names, own
 * fields and the errors of an `AggregateError`, and fails on values that it
 * cannot clone.
 *
 * ```text
 * thrown value ──encodeError──► EncodedError ──a message──► decodeError ──► an error of the same class
 * ```
 *
 * Errors travel with the outcomes of other calls, which must not be lost with
 * them. So every encoded error can be written and read: values are copies,
 * which no getter can change any more, and the depth of all has a bound.
 *
 * @module
 */

import {
  classTextOf,
  defineProperty,
  getOwnPropertyDescriptors,
  isArray,
  min,
  objectKeys,
  OwnError,
  OwnMap,
  OwnSet,
  sliceText,
  textOf as text,
} from "../../runtime/builtins.ts";
import { classOf, construct } from "./known_errors.ts";
import { copyPlain, NOT_PLAIN } from "./plain.ts";
import { cloneReviving } from "./revive.ts";
import { canClone, checkSendable } from "./sendable.ts";

/** A thrown value, in a form that structured clone keeps. */
export type EncodedError =
  | { readonly kind: "value"; readonly value: unknown }
  /** The call was not made, as the worker could not read its arguments. */
  | { readonly kind: "unread" }
  | {
    readonly kind: "error";
    readonly class: string;
    readonly name: string;
    readonly message: string;
    readonly stack: string;
    readonly fields: readonly (readonly [
      key: string,
      value: EncodedError,
      enumerable: boolean,
    ])[];
  };

type EncodedField = Extract<EncodedError, { kind: "error" }>["fields"][number];

/** Not copied as fields, as the class or `decode()` sets them. */
const OWN = new OwnSet(["name", "message", "stack"]);
/** Copied although they are not enumerable. */
const HIDDEN = new OwnSet(["cause", "errors", "error", "suppressed"]);

/**
 * Errors inside errors inside errors are text from this depth on, as encoding
 * and decoding recurse.
 */
const MAX_DEPTH = 100;

/**
 * How many parts of an error are encoded in all: fields, and errors of an
 * `AggregateError`. The parts that are left out are counted.
 */
const ENCODED_PARTS = 3000;

/**
 * No encoded error has more parts: those, and for each two that say how many
 * fields and errors were left out.
 */
export const MAX_PARTS: number = 3 * ENCODED_PARTS + 3;

/** How long all texts of an error may be together, in UTF-16 units; longer ones are cut. */
const MAX_TEXT = 2 ** 24;

/**
 * Values that are nested deeper are text. Structured clone reads 1700 levels or
 * more with the stack that a message finds; an encoded error inside errors has
 * three levels for each.
 */
const MAX_VALUE_DEPTH = 1000;

/**
 * Encodes a thrown value. Never throws, whatever the value is: getters that
 * throw and fields that cannot be cloned become text.
 *
 * @param error The thrown value.
 * @param place Where the value was thrown, for the end of the stack.
 * @param carries Whether a copy of a value can be sent to the other side; by
 * default, whether a thread can send it to another.
 */
export function encodeError(
  error: unknown,
  place?: string,
  carries: (value: unknown) => boolean = canClone,
): EncodedError {
  const encoded = encode(
    error,
    { carries, seen: new OwnMap(), parts: ENCODED_PARTS, text: MAX_TEXT },
    0,
  );
  if (encoded.kind !== "error" || place === undefined) return encoded;
  // Set on the object itself, as errors further down may lead back to it.
  (encoded as { stack: string }).stack += `\n    at ${place}`;
  return encoded;
}

/**
 * Decodes a thrown value: an error gets the class that it had, if both sides
 * know that class. Never throws: for a forgery that cannot be decoded, it
 * returns the error that says so.
 */
export function decodeError(encoded: EncodedError): unknown {
  try {
    return decode(encoded, new OwnMap());
  } catch (error) {
    return error;
  }
}

/** The state of encoding one error. */
interface Encoding {
  readonly carries: (value: unknown) => boolean;
  /** Errors, and values that are not plain, each of which is encoded once. */
  readonly seen: Map<unknown, EncodedError>;
  /** How many more parts there is room for, and how many more UTF-16 units of text. */
  parts: number;
  text: number;
}

function encode(
  value: unknown,
  encoding: Encoding,
  depth: number,
): EncodedError {
  if (!isError(value)) return encodeValue(value, encoding);
  const { seen } = encoding;
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (depth > MAX_DEPTH) {
    return { kind: "value", value: cut(textOf(value), encoding) };
  }
  const fields: EncodedField[] = [];
  const encoded: EncodedError = {
    kind: "error",
    class: classOf(value),
    name: cut(read(value, "name"), encoding),
    message: cut(read(value, "message"), encoding),
    stack: cut(read(value, "stack"), encoding),
    fields,
  };
  seen.set(value, encoded);
  const keys = fieldsOf(value);
  for (let i = 0; i < keys.length; i++) {
    if (encoding.parts-- <= 0) {
      const rest = `${keys.length - i} more fields were left out`;
      fields[i] = ["…", { kind: "value", value: rest }, true];
      break;
    }
    const { key, enumerable } = keys[i]!;
    let field: unknown;
    let encodedField: EncodedError | undefined;
    try {
      field = (value as unknown as Record<string, unknown>)[key];
      // isArray() throws for a revoked proxy, and the elements of a proxy may throw too.
      if (key === "errors" && isArray(field)) {
        encodedField = {
          kind: "value",
          value: encodeErrors(field, encoding, depth + 1),
        };
      }
    } catch (error) {
      field = `(threw ${textOf(error)})`;
    }
    encodedField ??= encode(field, encoding, depth + 1);
    fields[i] = [key, encodedField, enumerable];
  }
  return encoded;
}

/** Encodes the first errors, and how many more there are: an array may claim to have billions. */
function encodeErrors(
  errors: readonly unknown[],
  encoding: Encoding,
  depth: number,
): EncodedError[] {
  const encoded: EncodedError[] = [];
  const { length } = errors;
  for (let i = 0; i < length; i++) {
    if (encoding.parts-- <= 0) {
      encoded[i] = {
        kind: "error",
        class: "Error",
        name: "Error",
        message: `${length - i} more errors were left out`,
        stack: "",
        fields: [],
      };
      break;
    }
    encoded[i] = encode(errors[i], encoding, depth);
  }
  return encoded;
}

function decode(
  encoded: EncodedError,
  seen: Map<EncodedError, unknown>,
): unknown {
  if (encoded.kind === "value") return encoded.value;
  if (encoded.kind === "unread") throw new TypeError("No error was encoded");
  const known = seen.get(encoded);
  if (known !== undefined) return known;
  const error = construct(encoded.class, encoded.message, encoded.name);
  seen.set(encoded, error);
  // Defined, as an assignment to "__proto__" would make no field.
  const define = (key: string, value: unknown, enumerable: boolean) =>
    defineProperty(error, key, {
      value,
      enumerable,
      configurable: true,
      writable: true,
    });
  if (error.name !== encoded.name) define("name", encoded.name, false);
  if (error.message !== encoded.message) {
    define("message", encoded.message, false);
  }
  define("stack", encoded.stack, false);
  for (const [key, field, enumerable] of encoded.fields) {
    const value =
      key === "errors" && field.kind === "value" && Array.isArray(field.value)
        ? field.value.map((error) => decode(error, seen))
        : decode(field, seen);
    define(key, value, enumerable);
  }
  return error;
}

/** True also for errors of another realm, and those whose prototype is no error's. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof OwnError ||
      classTextOf(value) === "[object Error]";
  } catch {
    // The value is a proxy, or has a getter that throws.
    return false;
  }
}

/** The keys of own fields that are copied, and whether they are enumerable. */
function fieldsOf(error: Error): { key: string; enumerable: boolean }[] {
  const fields: { key: string; enumerable: boolean }[] = [];
  try {
    const descriptors = getOwnPropertyDescriptors(error);
    const keys = objectKeys(descriptors);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const enumerable = descriptors[key as keyof Error]!.enumerable!;
      if (!OWN.has(key) && (enumerable || HIDDEN.has(key))) {
        fields[fields.length] = { key, enumerable };
      }
    }
    return fields;
  } catch {
    return [];
  }
}

function read(error: Error, key: "name" | "message" | "stack"): string {
  try {
    return text(error[key] ?? "");
  } catch (thrown) {
    return `(threw ${textOf(thrown)})`;
  }
}

/** As much of a text as there is room for. */
function cut(whole: string, encoding: Encoding): string {
  const { length } = whole;
  const most = encoding.text;
  encoding.text -= min(length, most);
  if (length <= most) return whole;
  return `${sliceText(whole, 0, most)}… (${length - most} more characters)`;
}

/** A copy of the value if it can be sent, else its text. */
function encodeValue(
  value: unknown,
  { carries, seen }: Encoding,
): EncodedError {
  const plain = copyPlain(value);
  if (plain !== NOT_PLAIN) return { kind: "value", value: plain };
  let encoded = seen.get(value);
  if (encoded === undefined) {
    encoded = { kind: "value", value: cloneable(value, carries) };
    seen.set(value, encoded);
  }
  return encoded;
}

function cloneable(
  value: unknown,
  carries: (value: unknown) => boolean,
): unknown {
  try {
    // Asked first, as a copy has already lost what this finds.
    if (!carries(value)) return textOf(value);
    const copy = cloneReviving(value, checkSendable(value, "thread"));
    checkSendable(copy, "thread", [], MAX_VALUE_DEPTH);
    return copy;
  } catch {
    return textOf(value);
  }
}

/** The text of a value, or at least its type: reading a value may throw. */
function textOf(value: unknown): string {
  try {
    return text(value);
  } catch {
    return `(${typeof value})`;
  }
}

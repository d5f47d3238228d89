/**
 * Errors on their way between isolates. Structured clone makes an `Error` of
 * every subclass, loses names, own fields and the errors of an
 * `AggregateError`, and fails on what it cannot clone; here they come back as
 * what they were.
 *
 * @module
 */

import * as errors from "../errors.ts";

/** A thrown value, in a form that structured clone keeps. */
export type EncodedError =
  | { readonly kind: "value"; readonly value: unknown }
  | {
    readonly kind: "error";
    readonly class: string;
    readonly name: string;
    readonly message: string;
    readonly stack: string;
    readonly fields: readonly (readonly [key: string, value: EncodedError])[];
  };

/** Not copied as fields: the class, or the code below, sets them. */
const OWN = new Set(["name", "message", "stack"]);
/** Copied although they are not enumerable. */
const HIDDEN = ["cause", "errors"];

/**
 * Encodes a thrown value. Never throws, whatever the value is: getters that
 * throw and fields that cannot be cloned become text. `place` ends the stack.
 */
export function encodeError(error: unknown, place?: string): EncodedError {
  const encoded = encode(error, new Map());
  if (encoded.kind === "value" || place === undefined) return encoded;
  return { ...encoded, stack: `${encoded.stack}\n    at ${place}` };
}

/** The error again, of the class that it had if that is known on both sides. */
export function decodeError(encoded: EncodedError): unknown {
  return decode(encoded, new Map());
}

function encode(
  value: unknown,
  seen: Map<unknown, EncodedError>,
): EncodedError {
  if (!isError(value)) return { kind: "value", value: cloneable(value) };
  const known = seen.get(value);
  if (known !== undefined) return known;
  const fields: [string, EncodedError][] = [];
  const encoded: EncodedError = {
    kind: "error",
    class: classOf(value),
    name: read(value, "name"),
    message: read(value, "message"),
    stack: read(value, "stack"),
    fields,
  };
  seen.set(value, encoded);
  for (const key of fieldsOf(value)) {
    let field: unknown;
    try {
      field = (value as unknown as Record<string, unknown>)[key];
    } catch (error) {
      field = `(threw ${textOf(error)})`;
    }
    fields.push([
      key,
      key === "errors" && Array.isArray(field)
        ? { kind: "value", value: field.map((error) => encode(error, seen)) }
        : encode(field, seen),
    ]);
  }
  return encoded;
}

function decode(
  encoded: EncodedError,
  seen: Map<EncodedError, unknown>,
): unknown {
  if (encoded.kind === "value") return encoded.value;
  const known = seen.get(encoded);
  if (known !== undefined) return known;
  const error = construct(encoded.class, encoded.message, encoded.name);
  seen.set(encoded, error);
  // Defined rather than assigned: "__proto__" is a field like any other.
  const define = (key: string, value: unknown, enumerable: boolean) =>
    Object.defineProperty(error, key, {
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
  for (const [key, field] of encoded.fields) {
    const value =
      key === "errors" && field.kind === "value" && Array.isArray(field.value)
        ? field.value.map((error) => decode(error, seen))
        : decode(field, seen);
    define(key, value, !HIDDEN.includes(key));
  }
  return error;
}

/** Also errors of another realm, and those whose prototype is no error's. */
function isError(value: unknown): value is Error {
  return value instanceof Error ||
    Object.prototype.toString.call(value) === "[object Error]";
}

type ErrorClass = new (message: string) => Error;

/** The language's, Deno's and this package's own: there on both sides. */
function classNamed(name: string): ErrorClass | undefined {
  if (Object.hasOwn(errors, name)) return errors[name as keyof typeof errors];
  if (name.startsWith("Deno.errors.")) {
    const denoErrors = Deno.errors as unknown as Record<string, ErrorClass>;
    const key = name.slice("Deno.errors.".length);
    return Object.hasOwn(denoErrors, key) ? denoErrors[key] : undefined;
  }
  return BUILT_IN.find((constructor) => constructor.name === name);
}

const BUILT_IN: ErrorClass[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** The name of the nearest class that both sides know. */
function classOf(error: Error): string {
  if (error instanceof DOMException) return "DOMException";
  if (error instanceof AggregateError) return "AggregateError";
  try {
    for (
      let p = Object.getPrototypeOf(error);
      p !== null;
      p = Object.getPrototypeOf(p)
    ) {
      const constructor = Object.hasOwn(p, "constructor")
        ? p.constructor
        : undefined;
      for (
        const name of [constructor?.name, `Deno.errors.${constructor?.name}`]
      ) {
        if (typeof name === "string" && classNamed(name) === constructor) {
          return name;
        }
      }
    }
  } catch {
    // A proxy, or a getter that throws: an error it is all the same.
  }
  return "Error";
}

function construct(className: string, message: string, name: string): Error {
  if (className === "DOMException") return new DOMException(message, name);
  if (className === "AggregateError") return new AggregateError([], message);
  return new (classNamed(className) ?? Error)(message);
}

function fieldsOf(error: Error): string[] {
  try {
    const hidden = HIDDEN.filter((key) => Object.hasOwn(error, key));
    return [
      ...hidden,
      ...Object.keys(error).filter((key) =>
        !OWN.has(key) && !hidden.includes(key)
      ),
    ];
  } catch {
    return [];
  }
}

function read(error: Error, key: "name" | "message" | "stack"): string {
  try {
    return String(error[key] ?? "");
  } catch (thrown) {
    return `(threw ${textOf(thrown)})`;
  }
}

/** The value if it can be cloned, else its text. */
function cloneable(value: unknown): unknown {
  try {
    structuredClone(value);
    return value;
  } catch {
    return textOf(value);
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

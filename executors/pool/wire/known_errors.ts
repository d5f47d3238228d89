/**
 * The classes of errors that have the same name on both sides of the wire.
 *
 * @module
 */

import { errorNameOf } from "../../error_classes.ts";
import * as errors from "../../errors.ts";
import { getPrototypeOf, OwnMap } from "../../runtime/builtins.ts";

type ErrorClass = new (message: string) => Error;

/**
 * The classes that both sides know by the same name: those of the language, of
 * Deno and of this package.
 */
const CLASSES = new OwnMap<string, ErrorClass>([
  ...[
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
    AggregateError as unknown as ErrorClass,
    SuppressedError as unknown as ErrorClass,
    DOMException,
    WebAssembly.CompileError,
    WebAssembly.LinkError,
    WebAssembly.RuntimeError,
  ].map((known) => [known.name, known] as const),
  ...Object.entries(errors),
  ...Object.entries(Deno.errors).map(([name, known]) =>
    [`Deno.errors.${name}`, known as ErrorClass] as const
  ),
]);

const NAMES = new OwnMap<unknown, string>(
  [...CLASSES].map(([name, known]) => [known.prototype, name]),
);

/** The name of the nearest class of an error that both sides know. */
export function classOf(error: Error): string {
  try {
    let prototype = getPrototypeOf(error);
    while (prototype !== null) {
      const name = NAMES.get(prototype) ?? errorNameOf(prototype);
      if (name !== undefined) return name;
      prototype = getPrototypeOf(prototype);
    }
  } catch {
    // A proxy that throws is an error all the same.
  }
  return "Error";
}

/** An error of a class that was named by {@linkcode classOf}. */
export function construct(
  className: string,
  message: string,
  name: string,
): Error {
  switch (className) {
    case "DOMException":
      return new DOMException(message, name);
    case "AggregateError":
      return new AggregateError([], message);
    case "SuppressedError":
      return new SuppressedError(undefined, undefined, message);
    default:
      return new (CLASSES.get(className) ?? Error)(message);
  }
}

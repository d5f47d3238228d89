// What the stand-ins for assertThrows() and assertRejects() have in common: the
// arguments after the function, and the check of what it threw.

import { ending } from "./_message.ts";
import { AssertionError } from "./assertion_error.ts";

/** A class whose instances can be expected. */
export type ErrorClass<E extends Error> =
  // deno-lint-ignore no-explicit-any
  abstract new (...args: any[]) => E;

/** What is expected of the error, and the caller's words if it is otherwise. */
export interface Expectation {
  /** The class that the error is an instance of; without it, all will do. */
  ErrorClass?: ErrorClass<Error> | undefined;
  /** What the error's message contains. */
  msgIncludes?: string | undefined;
  /** The caller's words. */
  msg?: string | undefined;
}

/** Sorts `(msg?)` and `(ErrorClass, msgIncludes?, msg?)` out. */
export function readExpectation(
  errorClassOrMsg: ErrorClass<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): Expectation {
  return typeof errorClassOrMsg === "string"
    ? { msg: errorClassOrMsg }
    : { ErrorClass: errorClassOrMsg, msgIncludes, msg };
}

/** Asserts that what was thrown is what was expected. */
export function assertExpected(error: unknown, expected: Expectation): void {
  const { ErrorClass, msgIncludes, msg } = expected;
  if (ErrorClass === undefined) return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was thrown${ending(msg)}`);
  }
  const { message, constructor } = error;
  if (!(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${constructor.name}"${
        ending(msg)
      }`,
      { cause: error },
    );
  }
  if (msgIncludes && !message.includes(msgIncludes)) {
    throw new AssertionError(
      `Expected error message to include ${
        JSON.stringify(msgIncludes)
      }, but got ${JSON.stringify(message)}${ending(msg)}`,
      { cause: error },
    );
  }
}

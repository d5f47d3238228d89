// Stand-in for @std/assert/rejects, used only where JSR does not answer.

import { ending } from "./_message.ts";
import { assertExpected, type ErrorClass, readExpectation } from "./_thrown.ts";
import { AssertionError } from "./assertion_error.ts";

/** Asserts that a function returns a promise that rejects. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that a promise rejects with an error of a class, and its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const expected = readExpectation(errorClassOrMsg, msgIncludes, msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(
      `Function throws when expected to reject${ending(expected.msg)}`,
      { cause },
    );
  }
  // A plain value is no promise, whatever the types say.
  if (typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function throws when expected to reject${ending(expected.msg)}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    assertExpected(error, expected);
    return error;
  }
  throw new AssertionError(
    `Expected function to reject${ending(expected.msg)}`,
  );
}

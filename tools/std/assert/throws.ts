// Stand-in for @std/assert/throws, used only where JSR does not answer.

import { ending } from "./_message.ts";
import { assertExpected, type ErrorClass, readExpectation } from "./_thrown.ts";
import { AssertionError } from "./assertion_error.ts";

/** Asserts that a function throws. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that a function throws an error of a class, and its message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const expected = readExpectation(errorClassOrMsg, msgIncludes, msg);
  try {
    fn();
  } catch (error) {
    assertExpected(error, expected);
    return error;
  }
  throw new AssertionError(`Expected function to throw${ending(expected.msg)}`);
}

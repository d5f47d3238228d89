// Stand-in for @std/assert/equals, used only where JSR does not answer.

import { equal } from "./_equal.ts";
import { difference, ending } from "./_message.ts";
import { AssertionError } from "./assertion_error.ts";

/** Asserts that two values are equal by content. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${ending(msg)}\n${difference(actual, expected)}`,
  );
}

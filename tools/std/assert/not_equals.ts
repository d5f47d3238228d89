// Stand-in for @std/assert/not-equals, used only where JSR does not answer.

import { equal } from "./_equal.ts";
import { ending, format } from "./_message.ts";
import { AssertionError } from "./assertion_error.ts";

/** Asserts that two values are not equal by content. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${
      ending(msg)
    }`,
  );
}

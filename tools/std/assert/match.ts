// Stand-in for @std/assert/match, used only where JSR does not answer.

import { ending } from "./_message.ts";
import { AssertionError } from "./assertion_error.ts";

/** Asserts that a text matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${ending(msg)}`,
  );
}

// Stand-in for @std/assert/fail, used only where JSR does not answer.

import { ending } from "./_message.ts";
import { AssertionError } from "./assertion_error.ts";

/** Fails where the program should not have come. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${ending(msg)}`);
}

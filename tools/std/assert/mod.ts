// Stand-in for @std/assert, used only where JSR does not answer: the functions
// that this project uses, with the names, signatures and documented behaviour of
// the real ones. They need not be as fast, nor word their messages alike.
// ../assert_test.ts, beside the folder, holds both to the same tests.

export * from "./assert.ts";
export * from "./assertion_error.ts";
export * from "./equals.ts";
export * from "./exists.ts";
export * from "./fail.ts";
export * from "./false.ts";
export * from "./greater.ts";
export * from "./greater_or_equal.ts";
export * from "./instance_of.ts";
export * from "./less.ts";
export * from "./less_or_equal.ts";
export * from "./match.ts";
export * from "./not_equals.ts";
export * from "./rejects.ts";
export * from "./strict_equals.ts";
export * from "./string_includes.ts";
export * from "./throws.ts";

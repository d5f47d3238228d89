// Stand-in for @std/async, used only where JSR does not answer: the functions
// that this project uses, with the names, signatures and documented behaviour of
// the real ones. ../async_test.ts holds both to the same tests.

export * from "./deadline.ts";
export * from "./delay.ts";

// Stand-in for @std/cli, used only where JSR does not answer: the function that
// this project uses, with the name, signature and documented behaviour of the
// real one. ../cli_test.ts holds both to the same tests.

export * from "./parse_args.ts";

/**
 * The unstable features that Deno was started with, from the command line or
 * from deno.json. Nothing tells them directly, but a fork gets the flags of its
 * parent.
 *
 * @module
 */

import { nodeBuiltin } from "./node_builtin.ts";

/** What is used of `node:child_process`. */
interface ChildProcess {
  fork(
    module: string,
    args: readonly string[],
    options: { execPath: string; stdio: "ignore" },
  ): { spawnargs: string[]; on(event: "error", fn: () => void): void };
}

/** Once they are known. */
let flags: readonly string[] | undefined;

/** The flags, such as `--unstable-kv`; `undefined` if Deno does not tell. */
export function unstableFlags(): readonly string[] | undefined {
  const mayAsk = (["run", "env"] as const).every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  if (!mayAsk || Deno.build.standalone) return undefined;
  if (flags === undefined) {
    const { fork } = nodeBuiltin<ChildProcess>("node:child_process");
    // A folder is no program, so nothing starts.
    const child = fork("", [], { execPath: "/", stdio: "ignore" });
    child.on("error", () => {});
    flags = child.spawnargs.filter((flag) => flag.startsWith("--unstable-"));
  }
  return flags;
}

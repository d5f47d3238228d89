// `futures` as one file without Deno.

import { pathOf } from "../../executors/runtime/file_path.ts";
import { runCommand } from "./run_command.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a fresh machine may take for a first compilation, downloads included. */
export const COMPILE_TIMEOUT = 300_000;

let compiling: Promise<string> | undefined;

/** Runs `deno task compile`, once for each file of tests; gives the path of the program. */
export function compileFutures(): Promise<string> {
  return compiling ??= runCommand(Deno.execPath(), {
    args: ["task", "compile"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    timeout: COMPILE_TIMEOUT,
  }).then(() => {
    const extension = Deno.build.os === "windows" ? ".exe" : "";
    return pathOf(new URL(`dist/futures${extension}`, ROOT));
  });
}

// `futures`, the way a user has it: in a process of its own, in any folder.

import { pathOf } from "../../executors/runtime/file_path.ts";
import { type Output, runCommand } from "./run_command.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a program that works for a second has to end within. */
export const TIMEOUT = 60_000;

/** The functions for `futures map`. */
export const FUNCTIONS = pathOf(
  new URL("../cli/fixtures/line_functions.ts", import.meta.url),
);

/** Runs a command on a terminal of its own; what does that is called otherwise elsewhere. */
const SCRIPT = "/usr/bin/script";

/** Whether {@linkcode futuresOnTerminal} works here. */
export const HAS_TERMINAL = Deno.build.os === "linux" && exists(SCRIPT);

/** Options for {@linkcode futures}. */
export interface FuturesOptions {
  /** The folder it runs in; the project's if there is none. */
  cwd?: string;
  /** What it reads. */
  stdin?: string;
  /** The exit code that is expected. */
  code?: number;
}

/** Runs `futures` to its end. */
export function futures(
  args: string[],
  { cwd = ".", stdin = "", code = 0 }: FuturesOptions = {},
): Promise<Output> {
  return runCommand(Deno.execPath(), {
    args: [...program(), ...args],
    cwd,
    env: Deno.env.toObject(),
    stdin,
    code,
    timeout: TIMEOUT,
  });
}

/** Runs `futures` on a terminal, which may have colours or not, and tells what that shows. */
export async function futuresOnTerminal(
  args: string[],
  cwd: string,
  { color = false }: { color?: boolean } = {},
): Promise<string> {
  const env = color ? ["env", "-u", "NO_COLOR"] : [];
  const command = [...env, Deno.execPath(), ...program(), ...args].join(" ");
  const { stdout } = await runCommand(SCRIPT, {
    args: ["-qec", command, "/dev/null"],
    cwd,
    env: Deno.env.toObject(),
    timeout: TIMEOUT,
  });
  return stdout;
}

/**
 * Starts `futures`, for whoever wants to meddle with it while it runs.
 *
 * @param args Its arguments.
 * @param cwd The folder it runs in.
 * @param through A command, such as a shell, that is given all of it.
 */
export function startFutures(
  args: string[],
  cwd: string,
  through: readonly string[] = [],
): Deno.ChildProcess {
  const [command = "", ...rest] = [
    ...through,
    Deno.execPath(),
    ...program(),
    ...args,
  ];
  return new Deno.Command(command, {
    args: rest,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT),
  }).spawn();
}

/** What comes behind `deno`, so that the folder does not matter. */
function program(): string[] {
  const path = (name: string) => pathOf(new URL(name, ROOT));
  const config = `--config=${path("deno.json")}`;
  return ["run", "-A", "--quiet", "--no-check", config, path("cli.ts")];
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

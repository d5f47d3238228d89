/**
 * A program on a terminal, where Deno asks for what is not allowed. A
 * pseudo-terminal of Python's types "y" whenever it does.
 *
 * @module
 */

import { runCommand } from "../../helpers/run_command.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";
import { MOD } from "./worker_harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 25_000;

/** Runs a command on a terminal, and prints what is seen there. */
const TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while True:
    # Deno forgets what is typed while it begins to ask.
    if seen.count(b"Allow? [") > seen.count(b"Granted "):
        os.write(terminal, b"y\\n")
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
    try:
        seen += os.read(terminal, 65536)
    except OSError:
        break
sys.stdout.buffer.write(seen)
sys.exit(os.waitpid(pid, 0)[1] != 0)
`;

/** A task that wants what it may not have, and what becomes of it. */
const WANTS = (executor: string) => `
  import { ${executor} } from "${MOD}";
  const options = { maxWorkers: 1, permissions: "none" };
  for (let i = 0; i < 2; i++) {
    await using pool = new ${executor}(options);
    console.log("task:", await pool.submit(() => Deno.hostname().length > 0).catch((error) => error.name));
  }
`;

/** What is to be seen. */
export interface Seen {
  task: string[];
  /** How often Deno asked. */
  asked: number;
  /** How often this package warned of that. */
  warned: number;
}

/** What is seen of a program whose tasks may do nothing, and want something, twice. */
export async function onTerminal(
  executor: string,
  flags: string[],
  env: Record<string, string> = {},
): Promise<Seen> {
  await using folder = await makeTempFolder({ "main.ts": WANTS(executor) });
  const { stdout } = await runCommand("python3", {
    args: [
      ...["-c", TERMINAL, Deno.execPath(), "run", "--no-config", "--no-check"],
      ...["--unstable-worker-options", ...flags, "main.ts"],
    ],
    cwd: folder.url,
    env: { ...Deno.env.toObject(), ...env },
    timeout: PROGRAM_LIMIT_MS,
  });
  return {
    task: Array.from(stdout.matchAll(/task: (\w+)/g), ([, what]) => what!),
    asked: stdout.split("Deno requests ").length - 1,
    warned: stdout.split("Deno asks on this terminal").length - 1,
  };
}

/** What becomes of such tasks if nobody is asked. */
export const REFUSED: string[] = ["NotCapable", "NotCapable"];

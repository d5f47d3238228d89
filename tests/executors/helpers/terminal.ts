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
import fcntl, os, pty, select, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    os.execvp(sys.argv[2], sys.argv[2:])
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
  const stdout = await runOnTerminal(WANTS(executor), {
    flags: ["--unstable-worker-options", ...flags],
    env,
  });
  return {
    task: Array.from(stdout.matchAll(/task: (\w+)/g), ([, what]) => what!),
    asked: stdout.split("Deno requests ").length - 1,
    warned: stdout.split("Deno asks on this terminal").length - 1,
  };
}

/** What becomes of such tasks if nobody is asked. */
export const REFUSED: string[] = ["NotCapable", "NotCapable"];

/** Options of {@linkcode runOnTerminal}. */
export interface TerminalOptions {
  /** Flags of Deno. */
  flags?: string[];
  env?: Record<string, string>;
  /** How wide the terminal is. */
  columns?: number;
  /** Whether the environment is without `NO_COLOR`. */
  color?: boolean;
}

/**
 * Runs a program on a terminal.
 *
 * @param program The text of its main module.
 * @returns All that the program wrote to the terminal.
 */
export async function runOnTerminal(
  program: string,
  { flags = ["-A"], env = {}, columns = 80, color = false }: TerminalOptions =
    {},
): Promise<string> {
  await using folder = await makeTempFolder({ "main.ts": program });
  const { stdout } = await runCommand("python3", {
    args: [
      ...["-c", TERMINAL, `${columns}`],
      ...color ? ["env", "-u", "NO_COLOR"] : [],
      ...[Deno.execPath(), "run", "--no-config", "--no-check"],
      ...[...flags, "main.ts"],
    ],
    cwd: folder.url,
    env: { ...Deno.env.toObject(), ...env },
    timeout: PROGRAM_LIMIT_MS,
  });
  return stdout;
}

/**
 * What a terminal shows in the end of what was written to it: its lines, without
 * colours.
 */
export function screenOf(written: string, columns = 80): string[] {
  const lines = [""];
  let at = 0;
  // deno-lint-ignore no-control-regex
  for (const part of written.match(/\x1b\[[\d;]*[A-Za-z]|[^]/g) ?? []) {
    if (part === "\n") lines.push("");
    else if (part === "\r") at = 0;
    else if (part === "\x1b[K") {
      lines.push(lines.pop()!.slice(0, at));
    } else if (!part.startsWith("\x1b")) {
      if (at === columns) {
        lines.push("");
        at = 0;
      }
      const line = lines.pop()!.padEnd(at);
      lines.push(line.slice(0, at) + part + line.slice(at + 1));
      at++;
    }
  }
  return lines;
}

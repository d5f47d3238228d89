// A program on a terminal, where Deno asks for what is not allowed. A
// pseudo-terminal of Python's types "y" whenever it does.

import { assertEquals } from "@std/assert";
import { runCommand } from "../run_command.ts";
import { makeTempFolder } from "../temp_folder.ts";
import { watched } from "./harness.ts";
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
interface Seen {
  task: string[];
  /** How often Deno asked. */
  asked: number;
  /** How often this package warned of that. */
  warned: number;
}

async function onTerminal(
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

const REFUSED = ["NotCapable", "NotCapable"];

/** Ways to start a program, and what is then seen of threads. */
const STARTS: [flags: string[], env: Record<string, string>, seen: Seen][] = [
  [["-A"], {}, { task: ["true", "true"], asked: 2, warned: 1 }],
  [["--allow-read"], {}, { task: ["true", "true"], asked: 2, warned: 1 }],
  [["-A", "--no-prompt"], {}, { task: REFUSED, asked: 0, warned: 0 }],
  [["-A"], { DENO_NO_PROMPT: "1" }, { task: REFUSED, asked: 0, warned: 0 }],
  [["--allow-read", "--allow-env"], { DENO_NO_PROMPT: "1" }, {
    task: REFUSED,
    asked: 0,
    warned: 0,
  }],
];

// Elsewhere nothing tells with which flags Deno was started.
const starts = Deno.build.os === "linux" ? STARTS : [];

for (const [flags, env, seen] of starts) {
  const how = [...flags, ...Object.keys(env)].join(" ");
  watched(
    `WorkerPoolExecutor ${
      seen.warned > 0 ? "warns that tasks can ask" : "knows that no task asks"
    } at a terminal, started with ${how}`,
    async () => {
      assertEquals(await onTerminal("WorkerPoolExecutor", flags, env), seen);
    },
  );
}

for (
  const flags of [["-A"], ["--allow-read", "--allow-run"], ["--allow-run"]]
) {
  watched(
    `ProcessPoolExecutor has no task ask at a terminal, started with ${
      flags.join(" ")
    }`,
    async () => {
      assertEquals(
        await onTerminal("ProcessPoolExecutor", flags),
        { task: REFUSED, asked: 0, warned: 0 },
      );
    },
  );
}

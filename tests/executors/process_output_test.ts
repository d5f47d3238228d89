// What tasks of worker processes, and programs that they start, print last.
// @group processes

import { assertEquals } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD } from "./helpers/worker_harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 20_000;

/** What is printed: the end of it is held back. */
const TEXT = "line\n½ a line";

/** A program with a pool, in which a task has printed that. */
function program(print: string, end: string): string {
  return `
    import { ProcessPoolExecutor } from "${MOD}";
    const shown = Promise.withResolvers();
    const { writeSync } = Deno.stderr;
    Deno.stderr.writeSync = (bytes) => {
      shown.resolve();
      return writeSync.call(Deno.stderr, bytes);
    };
    const pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    const print = async (text) => { ${print} };
    await pool.submit(print, ${JSON.stringify(TEXT)});
    // What is printed comes by another way than the news that the task has ended.
    await shown.promise;
    ${end}
  `;
}

/** What such a program writes to its standard error stream. */
async function printed(source: string, code: number): Promise<string> {
  await using folder = await makeTempFolder({ "main.js": source });
  const { stderr } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "main.js"],
    cwd: folder.url,
    env: Deno.env.toObject(),
    code,
    timeout: PROGRAM_LIMIT_MS,
  });
  return stderr;
}

/** How it is shown. */
const SHOWN = ["worker-1: line", "worker-1: ½ a line"];

const WRITE = "Deno.stdout.writeSync(new TextEncoder().encode(text));";

/** How a program may end, with which exit status. */
const ENDS: Record<string, [end: string, code: number]> = {
  "ends by itself": ["", 0],
  "shuts the pool down": ["await pool.shutdown();", 0],
  "terminates the pool": ["await pool.terminate();", 0],
  "terminates the pool, and does not wait": ["pool.terminate();", 0],
  "leaves": ["Deno.exit(3);", 3],
  "leaves after it has begun a shutdown": [
    "pool.shutdown({ wait: false }); Deno.exit(0);",
    0,
  ],
  "fails": [`throw new Error("No more");`, 1],
  "fails in a callback": [
    `setTimeout(() => { throw new Error("No more"); });`,
    1,
  ],
};

for (const [what, [end, code]] of Object.entries(ENDS)) {
  watched(
    `ProcessPoolExecutor shows a last line without an end when the program ${what}`,
    async () => {
      const stderr = await printed(program(WRITE, end), code);
      assertEquals(stderr.split("\n").slice(0, 2), SHOWN);
    },
  );
}

watched(
  "ProcessPoolExecutor shows what a program of a task printed last",
  async () => {
    const print = `
      const options = { args: [text], stdout: "inherit" };
      await new Deno.Command("printf", options).spawn().status;
    `;
    const stderr = await printed(program(print, "Deno.exit(0);"), 0);
    assertEquals(stderr.trimEnd().split("\n"), SHOWN);
  },
);

watched(
  "ProcessPoolExecutor shows all of a very long line, and of what follows it",
  async () => {
    const print = `
      const bytes = new TextEncoder().encode("½".repeat(100_000) + "\\n" + text);
      // Pieces that end inside of a character.
      for (let at = 0; at < bytes.length; at += 997) {
        Deno.stdout.writeSync(bytes.subarray(at, at + 997));
      }
    `;
    const stderr = await printed(program(print, "await pool.shutdown();"), 0);
    assertEquals(
      stderr.replaceAll(/^worker-1: /gm, "").replaceAll("\n", ""),
      "½".repeat(100_000) + TEXT.replace("\n", ""),
    );
  },
);

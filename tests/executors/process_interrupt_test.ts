// Ctrl-C and other signals, which every process of a terminal gets, while workers start.
// @group processes

import { assertEquals } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD } from "./helpers/worker_harness.ts";

/** A program that handles a signal, and sends it to its group once it has so many workers. */
const PROGRAM = `
  import { ProcessPoolExecutor } from "${MOD}";
  const [signal, ...numbers] = Deno.args;
  const [maxWorkers, begun, times, pause] = numbers.map(Number);
  const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let heard = 0;
  Deno.addSignalListener(signal, () => heard++);
  const pool = new ProcessPoolExecutor({ maxWorkers });
  const started = pool.start();
  const results = pool.map((n) => n * n, Array.from({ length: 100 }).keys());
  const futures = [1, 2, 3].map((n) => pool.submit((n) => -n, n));
  while (pool.stats().workers.length < begun) await delay(1);
  for (let n = 0; n < times; n++) {
    Deno.kill(-Deno.pid, signal);
    await delay(pause);
  }
  console.log((await results).length, ...await Promise.all(futures));
  await started;
  await pool.shutdown();
  // Of several that come at a time, only one may be heard.
  while (heard === 0) await delay(1);
  Deno.exit();
`;

// A group of its own, or this test would be interrupted as well.
if (Deno.build.os === "linux") {
  const cases: [what: string, ...numbers: number[]][] = [
    ["SIGINT once, while only one of them has started", 4, 1, 1, 0],
    ["SIGINT once, while all of them start", 4, 4, 1, 0],
    ["SIGINT twice", 3, 3, 2, 10],
    ["SIGINT again and again", 2, 1, 20, 5],
    // Those that are ready end with these.
    ["SIGTERM as the first of them starts", 4, 1, 1, 0],
    ["SIGHUP as the first of them starts", 4, 1, 1, 0],
    ["SIGQUIT as the first of them starts", 4, 1, 1, 0],
  ];
  for (const [what, ...numbers] of cases) {
    const [signal] = what.split(/\W/);
    watched(
      `ProcessPoolExecutor loses nothing when its group gets ${what}`,
      async () => {
        await using folder = await makeTempFolder({ "main.ts": PROGRAM });
        const run = ["run", "-A", "--no-config", "--no-check", "main.ts"];
        const { stdout } = await runCommand("setsid", {
          args: [Deno.execPath(), ...run, signal!, ...numbers.map(String)],
          cwd: folder.url,
          env: Deno.env.toObject(),
          timeout: 20_000,
        });
        assertEquals(stdout, "100 -1 -2 -3\n");
      },
    );
  }
}

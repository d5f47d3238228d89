// Programs with worker processes: what they print, what they may do, and that
// none of them is left over.
// @group processes

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { until, watched } from "./helpers/harness.ts";
import { isAlive } from "./helpers/processes.ts";
import { attempts, MOD, runMain } from "./helpers/worker_harness.ts";

const TASKS = new URL("./fixtures/process_tasks.ts", import.meta.url).href;

/** A module with a task. */
const SQUARE = `
  import { task } from "${MOD}";
  export const square = task(import.meta, "square", (n: number) => n * n);
`;

watched(
  "ProcessPoolExecutor shows what workers print line by line, with their names",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { printPieces } from "${TASKS}";
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, name: "printer" });
        console.log(await pool.submit(printPieces));
        await pool.submit(() => console.log("out"));
        await pool.submit(() => console.error("err"));
      `,
    });
    assertEquals(stdout, "printed\n");
    const lines = stderr.trimEnd().split("\n").sort();
    assertEquals(lines, [
      "printer-1: anderr",
      "printer-1: andout",
      "printer-1: ½ of a line",
      "printer-1: ½ of a line",
    ]);
  },
);

watched(
  "ProcessPoolExecutor tells results from what a task and its program print meanwhile",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { printMuch } from "${TASKS}";
        const [LINES, BYTES] = [2000, 4 * 2 ** 20];
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
        const results = await pool.map(printMuch, [LINES, LINES], [BYTES, BYTES]);
        for (const bytes of results) {
          console.log(bytes.length === BYTES && bytes.every((byte, i) => byte === (i & 255)));
        }
      `,
    });
    assertEquals(stdout, "true\ntrue\n");
    const counts = Map.groupBy(
      stderr.trimEnd().split("\n"),
      (line) => line,
    );
    assertEquals(
      [...counts].map(([line, { length }]) => [line, length]).sort(),
      [["worker-1: program", 4000], ["worker-1: task", 4000]],
    );
  },
);

watched(
  'ProcessPoolExecutor with permissions: "none" lets a plain function compute, and nothing else',
  async () => {
    const { source, lines } = attempts("ProcessPoolExecutor");
    const { stdout } = await runMain({ "main.ts": source });
    assertEquals(stdout.trim().split("\n"), lines);
  },
);

watched(
  "ProcessPoolExecutor gives workers the permissions that are listed",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        const permissions = { read: [new URL(".", import.meta.url)], env: ["GREETING"] };
        const env = { GREETING: "hello", SECRET: "secret" };
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions, env });
        const read = async (url) => (await Deno.readTextFile(new URL(url))).length > 0;
        const get = (name) => Deno.env.get(name);
        console.log(await pool.submit(read, import.meta.url));
        console.log((await pool.submit(read, "file:///etc/hostname").exception()).name);
        console.log(await pool.submit(get, "GREETING"));
        console.log((await pool.submit(get, "SECRET").exception()).name);
        console.log((await pool.submit(() => Deno.hostname()).exception()).name);
      `,
    });
    assertEquals(stdout.trim().split("\n"), [
      "true",
      "NotCapable",
      "hello",
      "NotCapable",
      "NotCapable",
    ]);
  },
);

watched(
  "ProcessPoolExecutor says what to write if the program may not run itself",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        try {
          new ProcessPoolExecutor();
        } catch (error) {
          console.log(error instanceof Deno.errors.NotCapable, error.message);
        }
      `,
    }, { flags: ["--allow-read"] });
    assertMatch(stdout, /^true .*ProcessPoolExecutor.*--allow-run=\//);
  },
);

watched(
  "ProcessPoolExecutor needs no more than to run itself, and to read its tasks",
  async () => {
    const { stdout } = await runMain({
      "tasks.ts": SQUARE,
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { square } from "./tasks.ts";
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.map((n) => n * n, [1, 2, 3]));
        console.log(await pool.map(square, [1, 2, 3]));
      `,
    }, { flags: [`--allow-run=${Deno.execPath()}`, "--allow-read"] });
    assertEquals(stdout, "[ 1, 4, 9 ]\n[ 1, 4, 9 ]\n");
  },
);

watched(
  "ProcessPoolExecutor finds what the deno.json of the program maps",
  async () => {
    await using folder = await makeTempFolder({
      "deno.json": `{ "imports": { "@concurrent/futures": "${MOD}" } }`,
      "square.ts": SQUARE.replace(MOD, "@concurrent/futures"),
      "main.ts": `
        import { ProcessPoolExecutor } from "@concurrent/futures";
        import { square } from "./square.ts";
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.map(square, [1, 2, 3]));
      `,
    });
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "main.ts"],
      cwd: folder.url,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "[ 1, 4, 9 ]\n");
  },
);

watched(
  "ProcessPoolExecutor runs the tasks of the main module behind import.meta.main",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor, task } from "${MOD}";
        export const square = task(import.meta, "square", (n: number) => n * n);
        if (import.meta.main) {
          await using pool = new ProcessPoolExecutor({ maxWorkers: 2 });
          console.log(await pool.map(square, [1, 2, 3]));
        }
      `,
    });
    assertEquals(stdout, "[ 1, 4, 9 ]\n");
  },
);

/** How a program ends that has a busy worker, and one that is idle. */
const ENDS: Record<string, string> = {
  "has failed": `throw new Error("No more");`,
  "was killed": `Deno.kill(Deno.pid, "SIGKILL");`,
  "was interrupted": `Deno.kill(Deno.pid, "SIGTERM");`,
  "has left": `Deno.exit(0);`,
  "has come to its end": `await pool.terminate();`,
};

for (const [what, end] of Object.entries(ENDS)) {
  watched(
    `ProcessPoolExecutor leaves no process behind when the program ${what}`,
    async () => {
      await using folder = await makeTempFolder({
        "main.ts": `
          import { ProcessPoolExecutor } from "${MOD}";
          import { processId } from "${TASKS}";
          const pool = new ProcessPoolExecutor({ maxWorkers: 2, idleTimeout: Infinity });
          await pool.start();
          const busy = pool.submit(() => {
            console.error("pid " + Deno.pid);
            while (true);
          });
          while (!busy.running()) await new Promise((resolve) => setTimeout(resolve, 1));
          console.log(await pool.submit(processId));
          await new Promise((resolve) => setTimeout(resolve, 50));
          ${end}
        `,
      });
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--no-config", "main.ts"],
        cwd: folder.url,
      }).output();
      const idle = Number(new TextDecoder().decode(stdout));
      const text = new TextDecoder().decode(stderr);
      const busy = Number(/pid (\d+)/.exec(text)?.[1]);
      assert(idle > 0 && busy > 0 && idle !== busy, text);
      await until(() => !isAlive(idle) && !isAlive(busy));
    },
  );
}

watched(
  "ProcessPoolExecutor that nobody shut down lets the program and its processes end",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { processId } from "${TASKS}";
        const pool = new ProcessPoolExecutor({ maxWorkers: 1, idleTimeout: 50 });
        console.log(await pool.submit(processId));
      `,
    });
    assert(!isAlive(Number(stdout)));
  },
);

watched(
  "ProcessPoolExecutor lets a program end after tasks that never do",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        const pool = new ProcessPoolExecutor({ maxWorkers: 2, gracePeriod: 0 });
        const futures = [1, 2, 3].map(() =>
          pool.submitWith({ timeout: 50 }, () => { while (true); })
        );
        for (const future of futures) console.log((await future.exception()).name);
      `,
    });
    assertEquals(stdout, "TimeoutError\n".repeat(3));
    // No thread is stuck, so there is nothing to say.
    assertEquals(stderr, "");
  },
);

watched(
  "ProcessPoolExecutor survives a task that exhausts the memory, in a program that goes on",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { hoard } from "${TASKS}";
        const options = { maxWorkers: 1, memoryLimit: 64, name: "greedy" };
        await using pool = new ProcessPoolExecutor(options);
        console.log((await pool.submit(hoard).exception()).name);
        console.log(await pool.submit(() => "goes on"));
      `,
    });
    assertEquals(stdout, "WorkerCrashedError\ngoes on\n");
    assertStringIncludes(stderr, "greedy-1: ");
  },
);

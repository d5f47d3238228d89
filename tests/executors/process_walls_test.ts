// What a task with `permissions: "none"` can do to its program: much where its
// worker is a thread, and little where that is a process. docs/security.md says
// what these tests show.
// @group processes

import { assertEquals } from "@std/assert";
import { ProcessPoolExecutor, WorkerPoolExecutor } from "../../mod.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD } from "./helpers/worker_harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 20_000;

/** What a program prints, and how it ends. */
interface Seen {
  prints: string;
  code?: number;
}

/** What a task tries, and what comes of it. */
interface Row {
  /** The rest of "a task cannot …", which holds for processes. */
  cannot: string;
  /** The task. */
  task: string;
  /** What the program does then; `result` is what the task gave, or its error. */
  then?: string;
  thread: Seen;
  process: Seen;
}

const ROWS: Row[] = [
  {
    cannot: "end the program",
    task:
      `async () => (await import("node:process")).default.kill(Deno.pid, "SIGKILL")`,
    then: "console.log(result.name)",
    thread: { prints: "", code: 137 },
    process: { prints: "WorkerCrashedError" },
  },
  {
    cannot: "keep a signal from ending the program",
    task: `() => Deno.addSignalListener("SIGTERM", () => {})`,
    then: `
      Deno.kill(Deno.pid, "SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 300));
      console.log("goes on");
    `,
    thread: { prints: "goes on" },
    process: { prints: "", code: 143 },
  },
  {
    cannot: "see the arguments of the program",
    task: `() => Deno.args.includes("--token=secret")`,
    thread: { prints: "true" },
    process: { prints: "false" },
  },
  {
    cannot: "read the standard input of the program",
    task: `async () => {
      const { readFileSync } = await import("node:fs");
      return readFileSync(0, "utf8");
    }`,
    thread: { prints: "typed" },
    process: { prints: "" },
  },
  {
    cannot: "print as the program does",
    task:
      `() => Deno.stdout.writeSync(new TextEncoder().encode("result: 5\\n"))`,
    then: "",
    thread: { prints: "result: 5" },
    process: { prints: "" },
  },
  {
    cannot: "talk to the program behind the back of the pool",
    task: `() => {
      const channel = new BroadcastChannel("private");
      channel.postMessage("forged");
      return new Promise((resolve) => {
        channel.onmessage = ({ data }) => resolve(data);
        setTimeout(() => resolve("no answer"), 1500);
      }).finally(() => channel.close());
    }`,
    thread: { prints: "heard forged" },
    process: { prints: "no answer" },
  },
  {
    cannot: "see locks of the program",
    task: `async () => (await navigator.locks.query()).held
      .some(({ name }) => name === "private")`,
    thread: { prints: "true" },
    process: { prints: "false" },
  },
  {
    cannot: "keep the program from ending with a loop",
    task: "() => { while (true); }",
    then: "console.log(result.name)",
    // Only Deno.exit() ends it, as the program does after a while.
    thread: { prints: "TimeoutError\nhangs", code: 1 },
    process: { prints: "TimeoutError" },
  },
];

/** What a process is no wall against either. */
const NO_WALL: Row[] = [
  {
    cannot: "spoil later tasks of the same worker",
    task: "() => { Array.prototype.at = () => 'spoiled'; }",
    then: "console.log(await pool.submit(() => [1].at(0)))",
    thread: { prints: "spoiled" },
    process: { prints: "spoiled" },
  },
  {
    cannot: "leave something for tasks of other pools in a cache",
    task: `async () => {
      const cache = await caches.open("left");
      await cache.put("http://localhost/left", new Response("left behind"));
    }`,
    then: `
      await using other = new Executor({ maxWorkers: 1, permissions: "none" });
      console.log(await other.submit(async () => {
        const found = await (await caches.open("left")).match("http://localhost/left");
        const text = await found.text();
        await caches.delete("left");
        return text;
      }));
    `,
    thread: { prints: "left behind" },
    process: { prints: "left behind" },
  },
  {
    cannot: "start threads",
    task: `() => new Promise((resolve) => {
      const worker = new Worker("data:text/javascript,postMessage('started')", { type: "module" });
      worker.onmessage = ({ data }) => {
        worker.terminate();
        resolve(data);
      };
    })`,
    thread: { prints: "started" },
    process: { prints: "started" },
  },
  {
    cannot: "see where the program is",
    task: "() => Deno.cwd().length > 0 && Deno.execPath().length > 0",
    thread: { prints: "true" },
    process: { prints: "true" },
  },
];

function program(executor: string, { task, then }: Row): string {
  return `
    import { ${executor} as Executor } from "${MOD}";
    const channel = new BroadcastChannel("private");
    channel.onmessage = ({ data }) => channel.postMessage("heard " + data);
    const locked = Promise.withResolvers();
    navigator.locks.request("private", () => locked.promise);
    {
      await using pool = new Executor({ maxWorkers: 1, permissions: "none", gracePeriod: 0 });
      const result = await pool.submitWith({ timeout: 2000 }, ${task}).catch((error) => error);
      ${then ?? "console.log(`${result}`.trim())"}
    }
    channel.close();
    locked.resolve();
    // Its timer does not keep it alive; what a task left behind does.
    Deno.unrefTimer(setTimeout(() => {
      console.log("hangs");
      Deno.exit(1);
    }, 2000));
  `;
}

async function run(executor: string, row: Row): Promise<string> {
  const main = program(executor, row);
  await using folder = await makeTempFolder({ "main.ts": main });
  const { code = 0 } = executor === "WorkerPoolExecutor"
    ? row.thread
    : row.process;
  const { stdout } = await runCommand(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", "--no-check", "--no-prompt"],
      ...["--unstable-worker-options", "main.ts", "--token=secret"],
    ],
    cwd: folder.url,
    env: Deno.env.toObject(),
    stdin: "typed",
    code,
    timeout: PROGRAM_LIMIT_MS,
  });
  return stdout.trim();
}

/** The programs use what came to Deno with 2.9, locks among it. */
const isComplete = "locks" in navigator;

for (const row of isComplete ? ROWS : []) {
  watched(`ProcessPoolExecutor: a task cannot ${row.cannot}`, async () => {
    assertEquals(await run("ProcessPoolExecutor", row), row.process.prints);
  });
  watched(
    `ProcessPoolExecutor is for what WorkerPoolExecutor is no wall against: a task can ${row.cannot}`,
    async () => {
      assertEquals(await run("WorkerPoolExecutor", row), row.thread.prints);
    },
  );
}

for (const row of isComplete ? NO_WALL : []) {
  watched(
    `ProcessPoolExecutor is no wall, nor is WorkerPoolExecutor: a task can ${row.cannot}`,
    async () => {
      assertEquals(await run("ProcessPoolExecutor", row), row.process.prints);
      assertEquals(await run("WorkerPoolExecutor", row), row.thread.prints);
    },
  );
}

for (const executor of ["ProcessPoolExecutor", "WorkerPoolExecutor"]) {
  watched(
    `${executor} with maxTasksPerWorker: 1 has no task spoil the next`,
    async (executors) => {
      const pool = new (executor === "ProcessPoolExecutor"
        ? ProcessPoolExecutor
        : WorkerPoolExecutor)({ maxWorkers: 1, maxTasksPerWorker: 1 });
      executors.push(pool);
      const spoil = () => {
        Array.prototype.at = () =>
          "spoiled";
      };
      const spoilt = pool.submit(spoil);
      const next = pool.submit(() => [1].at(0));
      await spoilt;
      assertEquals(await next, 1);
    },
  );
}

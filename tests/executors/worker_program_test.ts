// Programs with workers that end by themselves, or say why not.
// @group workers

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runProgram, watched } from "./helpers/harness.ts";
import { MOD, runMain, WORKER_KINDS } from "./helpers/worker_harness.ts";

/** What a program does with `executor`, and what has to be written. */
const PROGRAMS: Record<
  string,
  { options?: string; source: string; output: string }
> = {
  "starts all workers and uses none": {
    source: `await executor.start();`,
    output: "",
  },
  "starts workers and waits for nothing": {
    source: `executor.start();`,
    output: "",
  },
  "has an endless idleTimeout, but shuts down": {
    options: "idleTimeout: Infinity",
    source: `
      console.log(await executor.submit(() => 1));
      await executor.shutdown();`,
    output: "1\n",
  },
  "has a long idleTimeout, but terminates": {
    options: "idleTimeout: 3_600_000",
    source: `
      const future = executor.submit(() => new Promise(() => {}));
      while (!future.running()) await turn();
      await executor.terminate();
      console.log((await future.exception()).name);`,
    output: "WorkerTerminatedError\n",
  },
  "terminates and waits for nothing": {
    source: `
      const future = executor.submit(() => new Promise(() => {}));
      while (!future.running()) await turn();
      executor.terminate();`,
    output: "",
  },
  "is busy itself while its worker closes": {
    source: `
      console.warn = console.log;
      console.log(await executor.submit(() => 1));
      const closed = executor.shutdown();
      await Promise.resolve();
      const start = performance.now();
      while (performance.now() < start + 600);
      await closed;`,
    output: "1\n",
  },
  "has a worker that dies, and never looks": {
    source: `
      executor.submit(() => Deno.exit(7));
      executor.submit(() => { setTimeout(() => { throw new Error("Loose end") }); });
      executor.submit(() => { Promise.reject(new Error("Loose end")); });
      executor.submit(() => self.close());`,
    output: "",
  },
  "has an initializer that fails, and never looks": {
    options: "initializer: () => { throw new Error('No database'); }",
    source: `executor.submit(() => 1);`,
    output: "",
  },
  "has an initializer that ends its worker, and never looks": {
    options: "initializer: () => Deno.exit(7)",
    source: `executor.submit(() => 1);`,
    output: "",
  },
  "has a long gracePeriod that was not needed": {
    options: "gracePeriod: 3_600_000",
    source: `
      const obedient = async (mod) => {
        const { currentTask } = await import(mod);
        while (!currentTask().cancelled) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      const future = executor.submitWith({ timeout: 100 }, obedient, "${MOD}");
      console.log((await future.exception()).name);`,
    output: "TimeoutError\n",
  },
  "has executors in its tasks that nobody shuts down": {
    source: `
      const nested = async (mod) => {
        const { WorkerPoolExecutor } = await import(mod);
        const inner = new WorkerPoolExecutor({ maxWorkers: 1, idleTimeout: 1 });
        return await inner.submit((n) => n + 1, 41);
      };
      console.log(await executor.submit(nested, "${MOD}"));`,
    output: "42\n",
  },
  "makes many executors, one after another": {
    source: `
      for (let n = 0; n < 10; n++) {
        await using one = new futures.WorkerPoolExecutor({ maxWorkers: 2 });
        await one.map((n) => n, [1, 2, 3]);
      }
      console.log("done");`,
    output: "done\n",
  },
};

for (const { name } of WORKER_KINDS) {
  for (
    const [what, { options = "", source, output }] of Object.entries(PROGRAMS)
  ) {
    watched(`${name} lets a program end that ${what}`, async () => {
      const written = await runProgram(`
        const executor = new futures.${name}({ maxWorkers: 2, ${options} });
        const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
        ${source}
      `);
      assertEquals(written, output);
    });
  }
}

watched(
  "WorkerPoolExecutor does not wait for a thread that Deno cannot stop, and says so once",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const pool = new WorkerPoolExecutor({
          maxWorkers: 1,
          gracePeriod: 20,
          name: "spinner",
        });
        for (const _ of [1, 2]) {
          const future = pool.submitWith({ timeout: 20 }, () => { while (true); });
          console.log((await future.exception()).name);
          console.log(await pool.submit(() => "goes on"));
        }
        await pool.shutdown();
        console.log("shut down");
        // Time to say so, before the program ends the only way it can.
        setTimeout(() => Deno.exit(0), 2500);
      `,
    });
    assertEquals(
      stdout,
      "TimeoutError\ngoes on\nTimeoutError\ngoes on\nshut down\n",
    );
    // Without locks, as before 2.9, it cannot be known.
    const expected = "locks" in navigator ? 1 : 0;
    assertEquals(stderr.split("spinner-").length - 1, expected, stderr);
    if (expected === 1) assertStringIncludes(stderr, "Deno.exit()");
  },
);

watched(
  "WorkerPoolExecutor says nothing of threads that take their time to end",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const late = new WorkerPoolExecutor({ maxWorkers: 1 });
        // What a task leaves behind ends, though not soon.
        await late.submit(() => {
          setTimeout(() => {
            for (const end = Date.now() + 1000; Date.now() < end;);
          });
        });
        await new Promise((resolve) => setTimeout(resolve, 50));
        await late.shutdown();
        const many = new WorkerPoolExecutor({ maxWorkers: 48 });
        await many.start();
        await many.shutdown();
        console.log("shut down");
      `,
    });
    assertEquals([stdout, stderr], ["shut down\n", ""]);
  },
);

watched(
  "WorkerPoolExecutor names the one thread of many that Deno cannot stop",
  async () => {
    const { stderr } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const pool = new WorkerPoolExecutor({ maxWorkers: 8 });
        await pool.start();
        const wait = () => new Promise(() => {});
        const spin = () => {
          console.error(\`\${self.name} spins\`);
          while (true);
        };
        const futures = [wait, wait, spin].map((fn) => pool.submit(fn));
        while (futures.some((future) => !future.running())) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await pool.terminate();
        Deno.exit(0);
      `,
    });
    const [spinner] = /^worker-\d/.exec(stderr)!;
    // Without locks it cannot be known, and those versions stop the thread.
    const expected = "locks" in navigator ? 1 : 0;
    assertEquals(stderr.split("was closed").length - 1, expected, stderr);
    assertEquals(
      stderr.split(`Worker '${spinner}' was closed`).length - 1,
      expected,
      stderr,
    );
  },
);

watched(
  "WorkerPoolExecutor terminates a loop that never yields without waiting for it",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        const future = pool.submit(() => { while (true); });
        while (!future.running()) await new Promise((resolve) => setTimeout(resolve, 1));
        await pool.terminate();
        console.log((await future.exception()).name);
        Deno.exit(0);
      `,
    });
    assertEquals(stdout, "WorkerTerminatedError\n");
  },
);

watched(
  "nothing that happens in a worker ends the program",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        globalThis.addEventListener("error", () => console.log("error event"));
        globalThis.addEventListener("unhandledrejection", () => console.log("rejection event"));
        await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
        const deaths = [
          () => { throw new Error("Loose end"); },
          () => { setTimeout(() => { throw new Error("Loose end"); }); return new Promise(() => {}); },
          () => { Promise.reject(new Error("Loose end")); return new Promise(() => {}); },
          () => { reportError(new Error("Loose end")); return new Promise(() => {}); },
          () => { throw undefined; },
          () => { setTimeout(() => { throw null; }); return new Promise(() => {}); },
          () => { Promise.reject(undefined); return new Promise(() => {}); },
          () => { self.dispatchEvent(new Event("error")); return new Promise(() => {}); },
        ];
        for (const death of deaths) {
          const future = pool.submit(death);
          const error = await future.result({ timeout: 2000 }).then(
            () => "returned",
            (error) => error?.name,
          );
          console.log(error);
          if (error === "TimeoutError") break;
        }
        console.log(await pool.submit(() => "goes on"));
      `,
    });
    assert(!stdout.includes("event"), stdout);
    assert(stdout.trimEnd().endsWith("goes on"), stdout);
    assertEquals(stderr, "");
  },
);

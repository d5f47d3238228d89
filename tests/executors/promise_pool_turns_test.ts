// Functions that compute in a promise pool: what else the program can do meanwhile.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CancelledError,
  PromisePoolExecutor,
  TimeoutError,
} from "../../mod.ts";
import { settle, watched } from "./helpers/harness.ts";
import { runCommand } from "../helpers/run_command.ts";

/** Keeps this thread busy. */
function compute(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}

/** How many of these would take a minute: who gets no turn waits for all. */
const MANY = 6000;

function* many(ms: number): Generator<number> {
  for (let i = 0; i < MANY; i++) yield ms;
}

watched(
  "PromisePoolExecutor map() of functions that compute keeps its timeout",
  async (executors) => {
    const pool = new PromisePoolExecutor();
    executors.push(pool);
    await assertRejects(
      async () => await pool.map(compute, many(10), { timeout: 100 }),
      TimeoutError,
    );
    const { finished } = pool.stats();
    assert(finished < MANY / 10, `${finished} calls`);
  },
);

watched(
  "PromisePoolExecutor map() of async functions that compute hears a signal from a timer",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 2 });
    executors.push(pool);
    const computeAsync = async (ms: number) => {
      await undefined;
      return compute(ms);
    };
    const signal = AbortSignal.timeout(100);
    await assertRejects(
      async () => await pool.map(computeAsync, many(10), { signal }),
      CancelledError,
    );
    const { finished } = pool.stats();
    assert(finished < MANY / 10, `${finished} calls`);
  },
);

watched(
  "PromisePoolExecutor submit() of functions that compute leaves turns to timers",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    const last = [...many(10)].map((ms) => pool.submit(compute, ms)).at(-1)!;
    setTimeout(() => pool.shutdown({ cancelFutures: true }), 100);
    await last.exception().catch(() => {});
    assert(last.cancelled());
    await pool.shutdown();
    assert(pool.stats().finished < MANY / 10);
  },
);

watched(
  "PromisePoolExecutor leaves turns to timers though each call is awaited before the next",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    let fired = false;
    setTimeout(() => fired = true, 50);
    let calls = 0;
    for (; !fired && calls < MANY; calls++) await pool.submit(compute, 10);
    assert(calls < MANY / 10, `${calls} calls`);
  },
);

watched(
  "PromisePoolExecutor leaves turns to timers after many calls that were tiny",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    await pool.map((n: number) => n, Array(10_000).keys());
    await assertRejects(
      async () => await pool.map(compute, many(10), { timeout: 100 }),
      TimeoutError,
    );
    assert(pool.stats().finished < 10_000 + MANY / 10);
  },
);

watched(
  "PromisePoolExecutor can cancel what waits for a turn",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    let entered = 0;
    const futures = Array.from({ length: MANY }, () =>
      pool.submit(() => {
        entered++;
        compute(10);
      }));
    await new Promise((resolve) => setTimeout(resolve, 1));
    const before = entered;
    assert(before < MANY);
    for (const future of futures) future.cancel();
    await settle();
    assertEquals(entered, before);
  },
);

Deno.test("PromisePoolExecutor with functions that compute leaves a program its signals", async () => {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "-"],
    cwd: new URL(".", import.meta.url),
    env: Deno.env.toObject(),
    stdin: `
      import { PromisePoolExecutor } from "${new URL(
      "../../mod.ts",
      import.meta.url,
    )}";
      const pool = new PromisePoolExecutor();
      Deno.addSignalListener("SIGINT", () => {
        console.log("heard");
        Deno.exit(0);
      });
      const compute = (ms) => {
        const end = performance.now() + ms;
        while (performance.now() < end);
      };
      pool.submit(() => Deno.kill(Deno.pid, "SIGINT"));
      await pool.map(compute, Array(2000).fill(10));
      console.log("all done");
    `,
    timeout: 60_000,
  });
  assertEquals(stdout, "heard\n");
});

// Executors that a task makes: in a worker, what runs them is loaded when the first one is made.

import { assertEquals } from "@std/assert";
import { ProcessPoolExecutor, WorkerPoolExecutor } from "../../mod.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** What a task sees of a pool from its making to its end. */
async function lifeOfPool(mod: string, kind: string): Promise<unknown[]> {
  const { [kind]: Pool } = await import(mod);
  const pool = new Pool({ maxWorkers: 2, name: "inner" });
  const seen: unknown[] = [pool.stats().workers, Deno.inspect(pool)];
  let told = 0;
  pool.addEventListener("task", () => told++);
  const future = pool.submit((n: number) => n + 1, 1);
  const results = pool.map((n: number) => 2 * n, [1, 2, 3]);
  seen.push(future.state, await future, await results);
  await pool.shutdown();
  seen.push(told, pool.stats().finished);
  return seen;
}

/** What a task sees of pools that end before they have begun. */
async function earlyEnds(mod: string, kind: string): Promise<unknown[]> {
  const { [kind]: Pool } = await import(mod);
  const seen: unknown[] = [];
  const cancelled = new Pool();
  const future = cancelled.submit(() => 1);
  const closed = cancelled.shutdown({ cancelFutures: true });
  seen.push(future.state);
  await closed;
  const terminated = new Pool();
  const pending = terminated.submit(() => 1);
  const gone = terminated.terminate();
  seen.push(pending.state);
  await gone;
  const broken = new Pool({
    initializer: () => {
      throw new Error("Not today");
    },
  });
  await broken.start().catch(({ name }: Error) => seen.push(name));
  await broken.shutdown();
  return seen;
}

for (const Outer of [WorkerPoolExecutor, ProcessPoolExecutor]) {
  for (const kind of ["WorkerPoolExecutor", "ProcessPoolExecutor"]) {
    Deno.test(`${Outer.name}: a task makes a ${kind}, and uses it at once`, async () => {
      await using outer = new Outer({ maxWorkers: 1 });
      assertEquals(await outer.submit(lifeOfPool, MOD, kind), [
        [],
        `${kind} { state: "open", queued: 0, workers: [], leaving: 0 }`,
        "pending",
        2,
        [2, 4, 6],
        4,
        4,
      ]);
    });

    Deno.test(`${Outer.name}: a task ends a ${kind} before it has begun`, async () => {
      await using outer = new Outer({ maxWorkers: 1 });
      assertEquals(await outer.submit(earlyEnds, MOD, kind), [
        "cancelled",
        "cancelled",
        "BrokenExecutorError",
      ]);
    });
  }
}

/** What becomes of calls that wait, right after the pool of a task is told to end. */
async function endings(mod: string, kind: string): Promise<unknown[]> {
  const { [kind]: Pool } = await import(mod);
  const seen: unknown[] = [];
  for (const end of ["shutdown", "terminate"]) {
    const pool = new Pool({ maxWorkers: 1 });
    await pool.start();
    const hold = () => new Promise((resolve) => setTimeout(resolve, 100));
    const futures = [1, 2, 3].map(() => pool.submit(hold));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ended = end === "shutdown"
      ? pool.shutdown({ cancelFutures: true })
      : pool.terminate();
    seen.push(futures[2].state);
    await ended;
  }
  return seen;
}

Deno.test("a task's pool cancels what waits before shutdown() and terminate() return", async () => {
  await using outer = new WorkerPoolExecutor({ maxWorkers: 1 });
  assertEquals(await outer.submit(endings, MOD, "WorkerPoolExecutor"), [
    "cancelled",
    "cancelled",
  ]);
});

// Tasks of a promise pool that wait for their own pool, which waits for them.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { runProgram } from "./helpers/harness.ts";

/** What a program writes whose main function is not awaited at the top level. */
function runMain(body: string): Promise<string> {
  return runProgram(`
    const { PromisePoolExecutor } = futures;
    (async () => { ${body} })().catch((error) => console.log(String(error)));
  `);
}

Deno.test("PromisePoolExecutor says that a task waits for a place that it keeps itself", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor({ maxWorkers: 2 });
    const inner = () => 1;
    const outer = async () => await pool.submit(inner);
    const results = await Promise.allSettled([pool.submit(outer), pool.submit(outer)]);
    for (const { reason } of results) console.log(String(reason));
    console.log(await pool.submit(inner));
    await pool.shutdown();
    console.log("shut down");
  `);
  const error =
    "InvalidStateError: PromisePoolExecutor is at a standstill: what it runs ('outer', 'outer') waits, and task 'inner' waits for a place: let tasks that wait for others run in a pool of their own\n";
  assertEquals(output, `${error}${error}1\nshut down\n`);
});

Deno.test("PromisePoolExecutor says that a task waits for a map() in its own full pool", async () => {
  const output = await runMain(`
    await using pool = new PromisePoolExecutor({ maxWorkers: 1 });
    const double = (n) => 2 * n;
    await pool.submit(async () => await pool.map(double, [1, 2]));
  `);
  assertStringIncludes(output, "InvalidStateError: PromisePoolExecutor is at");
  assertStringIncludes(output, "task 'double' waits for a place");
});

Deno.test("PromisePoolExecutor says that a task waits for the shutdown of its own pool", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor();
    await pool.submit(async function stop() { await pool.shutdown(); });
  `);
  assertEquals(
    output,
    "InvalidStateError: PromisePoolExecutor is at a standstill: what it runs ('stop') waits for its shutdown, which waits for that: call shutdown({ wait: false }) in a task\n",
  );
});

Deno.test("PromisePoolExecutor says nothing of a shutdown that its own task has asked for, and nobody waits for", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor();
    pool.submit(() => {
      pool.shutdown();
      return new Promise(() => {});
    });
  `);
  assertEquals(output, "");
});

Deno.test("PromisePoolExecutor says that its initializer waits for a task", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor({ initializer: () => pool.submit(() => 1) });
    await pool.submit(() => 2);
  `);
  assertStringIncludes(output, "standstill: its initializer waits");
});

Deno.test("PromisePoolExecutor may be shut down by a task that does not wait for it", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    const stop = async () => {
      pool.shutdown().then(() => console.log("shut down"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "stopped";
    };
    console.log(await pool.submit(stop));
  `);
  assertEquals(output, "stopped\nshut down\n");
});

Deno.test("PromisePoolExecutor lets tasks wait for others while there are places", async () => {
  const output = await runMain(`
    await using pool = new PromisePoolExecutor({ maxWorkers: 2 });
    const inner = async () => { await new Promise((resolve) => setTimeout(resolve, 5)); return 1; };
    const outer = async () => await pool.submit(inner);
    console.log(await pool.map(outer, [1]));
  `);
  assertEquals(output, "[ 1 ]\n");
});

Deno.test("PromisePoolExecutor says nothing of a task that never ends", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    pool.submit(() => new Promise(() => {}));
    pool.shutdown();
  `);
  assertEquals(output, "");
});

Deno.test("PromisePoolExecutor lets a program end whose task tries again for ever", async () => {
  const output = await runMain(`
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    let told = 0;
    pool.submit(async () => {
      while (true) await pool.submit(() => 1).catch(() => console.log(++told));
    });
  `);
  assertEquals(output, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
});

/** Two pools of one place each: what a runs waits for that place, and what b runs waits for that. */
const GUILTY_AND_INNOCENT = {
  guilty: `const waiting = a.submit(async () => await a.submit(() => 1));`,
  innocent: `
    const freed = b.submit(async () => { await waitingIn.promise; return "freed"; });
    const innocent = b.submit(() => "innocent");`,
};

for (const order of ["guilty", "innocent"] as const) {
  Deno.test(`PromisePoolExecutor does not say that of a pool which waits for another, if the ${order} one was first`, async () => {
    const { guilty, innocent } = GUILTY_AND_INNOCENT;
    const output = await runMain(`
      const a = new PromisePoolExecutor({ maxWorkers: 1 });
      const b = new PromisePoolExecutor({ maxWorkers: 1 });
      const waitingIn = Promise.withResolvers();
      ${order === "guilty" ? guilty + innocent : innocent + guilty}
      waiting.then(null, ({ name }) => { console.log(name); waitingIn.resolve(); });
      console.log(await freed, await innocent);
    `);
    assertEquals(output, "InvalidStateError\nfreed innocent\n");
  });
}

Deno.test("PromisePoolExecutor does not say that of a pool which waits for another that waits for its shutdown", async () => {
  const output = await runMain(`
    const a = new PromisePoolExecutor({ maxWorkers: 1 });
    const b = new PromisePoolExecutor({ maxWorkers: 1 });
    const closed = Promise.withResolvers();
    const freed = b.submit(() => closed.promise.catch(({ name }) => name));
    const innocent = b.map((n) => n, [1, 2]);
    closed.resolve(a.submit(() => a.shutdown()));
    console.log(await freed, await innocent);
  `);
  assertEquals(output, "InvalidStateError [ 1, 2 ]\n");
});

Deno.test("PromisePoolExecutor does not take what a done callback submitted for what a task did", async () => {
  const output = await runMain(`
    const a = new PromisePoolExecutor({ maxWorkers: 1 });
    const b = new PromisePoolExecutor({ maxWorkers: 1 });
    const stuck = Promise.withResolvers();
    const innocent = Promise.withResolvers();
    b.submit(() => 1).addDoneCallback(() => innocent.resolve(b.submit(() => "innocent")));
    const freed = b.submit(() => stuck.promise.catch(({ name }) => name));
    while (!freed.running()) await new Promise((resolve) => setTimeout(resolve, 1));
    stuck.resolve(a.submit(async () => await a.submit(() => 1)));
    console.log(await freed, await innocent.promise);
  `);
  assertEquals(output, "InvalidStateError innocent\n");
});

Deno.test("PromisePoolExecutor says it of each of two pools that wait for themselves", async () => {
  const output = await runMain(`
    const wait = async () => {
      const pool = new PromisePoolExecutor({ maxWorkers: 1 });
      await pool.submit(async () => await pool.submit(() => 1));
    };
    for (const { reason } of await Promise.allSettled([wait(), wait(), wait()])) {
      console.log(reason.name);
    }
  `);
  assertEquals(output, "InvalidStateError\n".repeat(3));
});

Deno.test("PromisePoolExecutor says it of one of two pools that wait for each other", async () => {
  const output = await runMain(`
    const a = new PromisePoolExecutor({ maxWorkers: 1 });
    const b = new PromisePoolExecutor({ maxWorkers: 1 });
    const outcomes = await Promise.allSettled([
      a.submit(async () => await b.submit(() => 1)),
      b.submit(async () => await a.submit(() => 1)),
    ]);
    console.log(outcomes.map(({ status }) => status).sort());
  `);
  assertEquals(output, '[ "fulfilled", "rejected" ]\n');
});

// highWaterMark and ready.

import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { PromisePoolExecutor, WorkerPoolExecutor } from "../../mod.ts";
import { behaviour, isPending, until } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

behaviour(
  "ready waits while highWaterMark calls are pending",
  async ({ make }) => {
    const pool = make({ maxWorkers: 1, highWaterMark: 2 });
    const gate = new Gate();
    await pool.ready;
    const first = pool.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    pool.submit(passGate, gate.cells, 2);
    await pool.ready;
    pool.submit(passGate, gate.cells, 3);
    const { ready } = pool;
    assert(await isPending(ready));
    assertStrictEquals(pool.ready, ready);
    gate.open();
    await first;
    await ready;
    assert(pool.stats().pending < 2);
  },
);

behaviour("ready comes when what waits is cancelled", async ({ make }) => {
  const pool = make({ maxWorkers: 1, highWaterMark: 1 });
  const gate = new Gate();
  pool.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  const waiting = pool.submit(passGate, gate.cells, 2);
  const { ready } = pool;
  assert(await isPending(ready));
  waiting.cancel();
  await ready;
  gate.open();
});

behaviour(
  "ready comes after an error (p-queue#249, piscina#796)",
  async ({ make }) => {
    const pool = make({ maxWorkers: 1, highWaterMark: 1 });
    const fail = () => {
      throw new Error("Expected");
    };
    for (let i = 0; i < 20; i++) {
      await pool.ready;
      pool.submit(fail);
    }
    await pool.ready;
  },
);

behaviour("ready is resolved after a shutdown", async ({ make }) => {
  const pool = make({ maxWorkers: 1, highWaterMark: 1 });
  const gate = new Gate();
  pool.submit(passGate, gate.cells, 1);
  pool.submit(passGate, gate.cells, 2);
  pool.submit(passGate, gate.cells, 3);
  const { ready } = pool;
  const closed = pool.shutdown();
  await ready;
  await pool.ready;
  gate.open();
  await closed;
});

Deno.test("ready keeps what is submitted flat, and loses nothing", async () => {
  await using pool = new WorkerPoolExecutor({
    maxWorkers: 2,
    highWaterMark: 100,
  });
  let most = 0;
  let sum = 0;
  for (let n = 0; n < 20_000; n++) {
    await pool.ready;
    pool.submit((n: number) => n, n).then((n) => sum += n);
    most = Math.max(most, pool.stats().pending);
  }
  await pool.shutdown();
  assertEquals(sum, 20_000 * 19_999 / 2);
  // Those that were sent ahead are pending too, and let go of.
  assert(most < 5000, `${most} were pending`);
});

Deno.test("ready is resolved if the executor is broken", async () => {
  const pool = new WorkerPoolExecutor({
    maxWorkers: 1,
    highWaterMark: 1,
    initializer: () => {
      throw new Error("Expected");
    },
  });
  pool.submit(() => 1);
  pool.submit(() => 2);
  await pool.ready;
  await pool.shutdown();
});

Deno.test("highWaterMark is checked by the constructor", () => {
  const make = (highWaterMark: unknown) => () =>
    new PromisePoolExecutor({ highWaterMark } as never);
  assertThrows(make("1"), TypeError);
  for (const mark of [0, -1, 1.5, NaN]) assertThrows(make(mark), RangeError);
  make(Infinity)();
});

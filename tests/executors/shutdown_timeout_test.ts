// shutdown({ timeout }).

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  PromisePoolExecutor,
  ShutdownError,
  WorkerTerminatedError,
} from "../../mod.ts";
import {
  behaviour,
  commonBehaviour,
  settle,
  until,
  untilIdle,
} from "./helpers/harness.ts";
import { Gate, noteStop, passGate } from "./helpers/tasks.ts";

behaviour(
  "shutdown({ timeout }) resolves as soon as all has ended",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const future = executor.submit(() => 1);
    await executor.shutdown({ timeout: 60_000 });
    assertEquals(await future, 1);
  },
);

behaviour(
  "shutdown({ timeout }) ends what is left when the time is up",
  async ({ make, kind }) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 20_000 } as never);
    const gate = new Gate();
    const running = executor.submit(noteStop, gate.cells);
    const waiting = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    await executor.shutdown({ timeout: 20 });
    assert(waiting.cancelled());
    if (kind.name === "PromisePoolExecutor") {
      await assertRejects(() => running.result(), CancelledError, "was up");
      await until(() => gate.stoppedBy === "CancelledError");
      await untilIdle(executor);
    } else {
      await assertRejects(() => running.result(), WorkerTerminatedError);
    }
    assertThrows(() => executor.submit(() => 1), ShutdownError);
  },
);

behaviour("shutdown({ timeout: 0 }) ends all at once", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  executor.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  const waiting = executor.submit(passGate, gate.cells, 1);
  const closed = executor.shutdown({ timeout: 0 });
  assert(waiting.cancelled());
  await closed;
  gate.open();
});

behaviour(
  "shutdown({ timeout }) of several calls: the earliest end counts, without wait too",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const first = executor.shutdown();
    await executor.shutdown({ wait: false, timeout: 20 });
    executor.shutdown({ wait: false, timeout: 60_000 });
    await first;
    assert(running.done());
    gate.open();
    // In a promise pool, the task has not been waited for.
    await untilIdle(executor);
  },
);

Deno.test("shutdown({ timeout }) of a promise pool does not wait for a task that goes on", async () => {
  const pool = new PromisePoolExecutor({ maxWorkers: 2 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const future = pool.submit(() => promise);
  const results = pool.map(() => promise, [1, 2]);
  await settle();
  await pool.shutdown({ timeout: 1 });
  assert(future.cancelled());
  await assertRejects(async () => await results, CancelledError);
  resolve();
  await settle();
  assertEquals(pool.stats().running, 0);
});

commonBehaviour(
  "shutdown({ timeout }) ends attempts to come",
  async ({ make, kind }) => {
    const executor = make({ maxWorkers: 1 });
    const fail = () => {
      throw new RangeError("Expected");
    };
    const retry = { minTimeout: 60_000 };
    const future = executor.submitWith({ retry }, fail);
    await until(() => executor.stats().retried === 1);
    await executor.shutdown({ timeout: 1 });
    const error = await assertRejects(() => future.result());
    // As what runs ends, and in an executor that knows no better, by the last error.
    const classes: Record<string, unknown> = {
      PromisePoolExecutor: CancelledError,
      SerialExecutor: RangeError,
    };
    assertInstanceOf(
      error,
      (classes[kind.name] ?? WorkerTerminatedError) as typeof Error,
    );
    assertEquals(future.cancelled(), kind.name === "PromisePoolExecutor");
  },
);

commonBehaviour("shutdown({ timeout }) is checked", async ({ make }) => {
  const executor = make();
  assertThrows(() => executor.shutdown({ timeout: "1" } as never), TypeError);
  for (const timeout of [-1, NaN]) {
    assertThrows(() => executor.shutdown({ timeout }), RangeError);
  }
  // None of these was a shutdown.
  await executor.submit(() => 1);
});

behaviour(
  "shutdown({ timeout }) ends a forEach() that takes longer, and stops what runs",
  async ({ make, kind }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    let returned = false;
    function* input() {
      try {
        while (true) yield gate.cells;
      } finally {
        returned = true;
      }
    }
    const done = executor.forEach(noteStop, input());
    const rejected = assertRejects(() => done, CancelledError);
    await until(() => gate.reached > 0);
    await executor.shutdown({ timeout: 20 });
    await rejected;
    assert(returned);
    // Workers are gone by now, with what they ran.
    if (kind.name !== "PromisePoolExecutor") return;
    await until(() => gate.stoppedBy === CancelledError.name);
    await settle();
  },
);

behaviour(
  "map() is not warned of after a shutdown whose time was up",
  async ({ make, kind }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const warned: unknown[] = [];
    const original = console.warn;
    console.warn = (message) => warned.push(message);
    try {
      executor.map(noteStop, gate.again());
      await until(() => gate.reached > 0);
      await executor.shutdown({ timeout: 5 });
      // Workers are gone by now, with what they ran.
      if (kind.name === "PromisePoolExecutor") {
        await until(() => gate.stoppedBy === CancelledError.name);
        await settle();
      }
    } finally {
      console.warn = original;
    }
    assertEquals(warned, []);
  },
);

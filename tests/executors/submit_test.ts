// submit(): what runs, what comes back, and what is refused.

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Future, ShutdownError } from "../../mod.ts";
import { behaviour, settle, until } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

behaviour(
  "submit() gives a future of what the function returns",
  async ({ make }) => {
    const future = make().submit((a: number, b: number) => a ** b, 2, 8);
    assert(future instanceof Future);
    assertEquals(await future.result(), 256);
  },
);

behaviour("submit() passes any number of arguments", async ({ make }) => {
  const list = (...args: unknown[]) => args;
  const executor = make({ maxWorkers: 1 });
  assertEquals(await executor.submit(list), []);
  assertEquals(await executor.submit(list, undefined), [undefined]);
  assertEquals(await executor.submit(list, 1, "2", [3], { n: 4 }, null), [
    1,
    "2",
    [3],
    { n: 4 },
    null,
  ]);
});

behaviour(
  "submit() awaits what an async function returns",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const asynchronous = async (value: string) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return value;
    };
    assertEquals(await executor.submit(asynchronous, "later"), "later");
  },
);

behaviour("submit() awaits any thenable", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const thenable = () => ({
    then: (resolve: (value: string) => void) => resolve("thenable"),
  });
  assertEquals(await executor.submit(thenable) as unknown, "thenable");
});

behaviour(
  "submit() gives undefined for a function that returns nothing",
  async ({ make }) => {
    assertEquals(await make().submit(() => {}), undefined);
  },
);

behaviour(
  "submit() does not run the function before it returns",
  async ({ make }) => {
    const gate = new Gate();
    gate.open();
    const future = make().submit(passGate, gate.cells, 1);
    assertEquals([future.state, gate.reached], ["pending", 0]);
    await future;
  },
);

behaviour("submit() shows each state as it is", async ({ make }) => {
  const gate = new Gate();
  const executor = make({ maxWorkers: 1 });
  const first = executor.submit(passGate, gate.cells, 1);
  const second = executor.submit(passGate, gate.cells, 2);
  await until(() => gate.reached === 1);
  assertEquals([first.state, second.state], ["running", "pending"]);
  assert(first.running());
  assertFalse(first.done());
  gate.open();
  assertEquals(await first, 1);
  assertEquals(await second, 2);
  assertEquals([first.state, second.state], ["finished", "finished"]);
});

behaviour(
  "submit() runs no more than maxWorkers at a time",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 2 });
    const futures = [1, 2, 3, 4, 5].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 2);
    await settle();
    assertEquals(gate.reached, 2);
    assertEquals(futures.filter((future) => future.running()).length, 2);
    gate.open();
    assertEquals(await Promise.all(futures), [1, 2, 3, 4, 5]);
  },
);

behaviour("submit() runs everything, however much it is", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const futures = Array.from(
    { length: 3000 },
    (_, n) => executor.submit((n: number) => n + 1, n),
  );
  const results = await Promise.all(futures);
  assertEquals(results, results.map((_, i) => i + 1));
});

behaviour("submit() goes on after a task has failed", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const invert = (n: number) => {
    if (n === 0) throw new RangeError("No inverse");
    return 1 / n;
  };
  const futures = [1, 0, 2].map((n) => executor.submit(invert, n));
  assertEquals(await futures[0], 1);
  await assertRejects(() => futures[1]!.result(), RangeError, "No inverse");
  assertEquals(await futures[2], 0.5);
});

behaviour(
  "submit() keeps a cancelled task from being entered",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 1 });
    const running = executor.submit(passGate, gate.cells, 0);
    const pending = [1, 2, 3].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 1);
    assert(pending[0]!.cancel());
    assert(pending[2]!.cancel());
    assertFalse(running.cancel());
    assertEquals(pending.map((future) => future.state), [
      "cancelled",
      "pending",
      "cancelled",
    ]);
    gate.open();
    assertEquals(await running, 0);
    assertEquals(await pending[1], 2);
    await executor.shutdown();
    assertEquals(gate.reached, 2);
  },
);

behaviour(
  "submit() keeps a task that was cancelled at once from being entered",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 1 });
    assert(executor.submit(passGate, gate.cells, 1).cancel());
    assertEquals(await executor.submit(() => "next"), "next");
    assertEquals(gate.reached, 0);
  },
);

behaviour(
  "submit() shows and cancels exactly those sent together that have not been entered",
  async ({ kind, make }) => {
    const executor = make({ maxWorkers: 1 });
    // Quick calls, so that the executor sends the next ones ahead.
    const open = new Gate();
    open.open();
    for (let round = 0; round < 5; round++) {
      await executor.map(
        passGate,
        open.again(),
        numbers(100),
      );
    }
    const gate = new Gate();
    const futures = numbers(100).map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 1);
    await settle();
    const running = futures.filter((future) => future.running()).length;
    // Those that were sent ahead may count as running.
    if (kind.exact) assertEquals(running, 1);
    assertEquals(futures.map(({ state }) => state), [
      ...new Array(running).fill("running"),
      ...new Array(100 - running).fill("pending"),
    ]);
    assertEquals(futures[0]!.cancel(), false);
    const cancelled = futures.slice(2).filter((future) => future.cancel());
    assertEquals(cancelled.length, Math.min(98, 100 - running));
    gate.open();
    assertEquals(await Promise.all(futures.slice(0, 2)), [0, 1]);
    await executor.shutdown();
    assertEquals(gate.reached, 100 - cancelled.length);
  },
);

behaviour("submit() does not cancel what has finished", async ({ make }) => {
  const future = make().submit(() => 1);
  await future;
  assertFalse(future.cancel());
  assertEquals(future.state, "finished");
});

behaviour("submit() refuses what is not a function", ({ make }) => {
  const executor = make();
  for (const value of [undefined, null, 5, "fn", {}]) {
    assertThrows(
      () => executor.submit(value as never),
      TypeError,
      `received ${Deno.inspect(value)}`,
    );
  }
});

behaviour(
  "submit() throws ShutdownError after a shutdown",
  async ({ make }) => {
    const executor = make();
    const shutdown = executor.shutdown();
    assertThrows(() => executor.submit(() => 1), ShutdownError);
    await shutdown;
    assertThrows(() => executor.submit(() => 1), ShutdownError);
    assertThrows(() => executor.submitWith({}, () => 1), ShutdownError);
  },
);

// shutdown() in all its forms, and `await using`.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { CancelledError, ShutdownError } from "../../mod.ts";
import {
  commonBehaviour as behaviour,
  isPending,
  loggedErrors,
  settle,
  until,
} from "./helpers/harness.ts";
import { echoAfter, Gate, passGate } from "./helpers/tasks.ts";

behaviour(
  "shutdown() of an executor that was never used resolves",
  async ({ make }) => {
    assertEquals(await make().shutdown(), undefined);
    await make().shutdown({ wait: false });
    await make().shutdown({ cancelFutures: true });
  },
);

behaviour(
  "shutdown() waits for what runs and for what is pending",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const futures = [1, 2, 3].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 1);
    const shutdown = executor.shutdown();
    assert(await isPending(shutdown));
    gate.open();
    await shutdown;
    assertEquals(futures.map(({ state }) => state), [
      "finished",
      "finished",
      "finished",
    ]);
    assertEquals(await Promise.all(futures), [1, 2, 3]);
  },
);

behaviour(
  "shutdown() runs what was submitted just before",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const futures = Array.from(
      { length: 50 },
      (_, n) => executor.submit((n: number) => n, n),
    );
    await executor.shutdown();
    assert(futures.every((future) => future.done()));
  },
);

behaviour("shutdown() resolves when tasks have failed", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const future = executor.submit(() => {
    throw new Error("Failed");
  });
  await executor.shutdown();
  assertEquals(future.state, "finished");
});

behaviour(
  "shutdown() may be called again, at the same time and later",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const future = executor.submit(echoAfter, "value", 5);
    await Promise.all([executor.shutdown(), executor.shutdown()]);
    assert(future.done());
    await executor.shutdown();
    await executor.shutdown({ cancelFutures: true });
    await executor.shutdown({ wait: false });
    assertEquals(await future, "value");
  },
);

behaviour(
  "shutdown() is in force as soon as it is called",
  async ({ make }) => {
    const executor = make();
    const shutdown = executor.shutdown();
    assertThrows(() => executor.submit(() => 1), ShutdownError);
    assertThrows(() => executor.submitWith({}, () => 1), ShutdownError);
    assertThrows(() => executor.map(() => 1, [1]), ShutdownError);
    await shutdown;
  },
);

behaviour(
  "shutdown() with cancelFutures cancels what is pending, at once",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    const pending = [1, 2, 3].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 1);
    const shutdown = executor.shutdown({ cancelFutures: true });
    assertEquals(pending.map(({ state }) => state), [
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
    assertEquals(running.state, "running");
    assert(await isPending(shutdown));
    gate.open();
    await shutdown;
    assertEquals(await running, 0);
    await assertRejects(() => pending[0]!.result(), CancelledError);
    assertEquals(gate.reached, 1);
  },
);

behaviour(
  "shutdown() with cancelFutures cancels the items of a map()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const results = executor.map(passGate, gate.again(), [1, 2, 3]);
    await until(() => gate.reached === 1);
    const shutdown = executor.shutdown({ cancelFutures: true });
    gate.open();
    await shutdown;
    assertEquals(await results.next(), { done: false, value: 1 });
    await assertRejects(() => results.next(), CancelledError);
    assertEquals(await results.next(), { done: true, value: undefined });
    assertEquals(gate.reached, 1);
  },
);

behaviour(
  "shutdown() without wait resolves at once, and work goes on",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const futures = [1, 2].map((n) => executor.submit(passGate, gate.cells, n));
    await until(() => gate.reached === 1);
    await executor.shutdown({ wait: false });
    assertEquals(futures.map(({ state }) => state), ["running", "pending"]);
    assertThrows(() => executor.submit(() => 1), ShutdownError);
    gate.open();
    assertEquals(await Promise.all(futures), [1, 2]);
  },
);

behaviour("shutdown() without wait, then with it, waits", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const future = executor.submit(passGate, gate.cells, 1);
  await executor.shutdown({ wait: false });
  const shutdown = executor.shutdown();
  assert(await isPending(shutdown));
  gate.open();
  await shutdown;
  assert(future.done());
});

behaviour(
  "shutdown() again with cancelFutures cancels what is still pending",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    const pending = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const first = executor.shutdown();
    await settle();
    assertEquals(pending.state, "pending");
    const second = executor.shutdown({ cancelFutures: true, wait: false });
    assertEquals(pending.state, "cancelled");
    await second;
    assertEquals(running.state, "running");
    gate.open();
    await first;
    assertEquals(gate.reached, 1);
  },
);

behaviour(
  "shutdown() resolves if everything was cancelled before",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    await executor.submit(() => 1);
    executor.submit(() => 2).cancel();
    await executor.shutdown();
  },
);

behaviour(
  "shutdown() resolves if everything was cancelled while it waited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    executor.submit(passGate, gate.cells, 0);
    const pending = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const shutdown = executor.shutdown();
    assert(pending.cancel());
    gate.open();
    await shutdown;
  },
);

behaviour(
  "shutdown() checks its options at the call, and changes nothing then",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const call = (options: unknown) => () =>
      executor.shutdown(options as never);
    assertThrows(call(null), TypeError, "received null");
    assertThrows(call(true), TypeError, "received true");
    assertThrows(call({ wait: "no" }), TypeError, 'received "no"');
    assertThrows(call({ cancelFutures: 1 }), TypeError, "received 1");
    assertEquals(await executor.submit(() => 1), 1);
    await executor.shutdown({ waits: 5 } as never);
  },
);

behaviour(
  "shutdown() makes submit() in a done callback throw",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const future = executor.submit(passGate, gate.cells, 1);
    future.addDoneCallback(() => executor.submit(() => 1));
    const logged = await loggedErrors(async () => {
      const shutdown = executor.shutdown();
      gate.open();
      await shutdown;
    });
    assertEquals(logged.length, 1);
    assert(logged[0]!.some((part) => part instanceof ShutdownError));
  },
);

behaviour("shutdown() may be called in a done callback", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const shutdowns: Promise<void>[] = [];
  const future = executor.submit(() => 1);
  future.addDoneCallback(() => {
    shutdowns.push(executor.shutdown());
  });
  assertEquals(await future, 1);
  await Promise.all(shutdowns);
  assertEquals(shutdowns.length, 1);
});

behaviour("submit() in a done callback runs", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const { promise, resolve } = Promise.withResolvers<string>();
  executor.submit(() => 1).addDoneCallback(() => {
    executor.submit(() => "from a callback").then(resolve);
  });
  assertEquals(await promise, "from a callback");
});

behaviour("await using waits for all work", async ({ kind }) => {
  const gate = new Gate();
  const futures = await (async () => {
    await using executor = kind.make({ maxWorkers: 1 });
    setTimeout(() => gate.open(), 5);
    return [1, 2].map((n) => executor.submit(passGate, gate.cells, n));
  })();
  assertEquals(futures.map(({ state }) => state), ["finished", "finished"]);
});

behaviour(
  "await using shows the exception of its body, after all work has ended",
  async ({ kind }) => {
    const error = new Error("Body failed");
    const gate = new Gate();
    gate.open();
    const run = async () => {
      await using executor = kind.make({ maxWorkers: 1 });
      executor.submit(passGate, gate.cells, 1);
      executor.submit(() => {
        throw new Error("Task failed");
      });
      throw error;
    };
    assertStrictEquals(await assertRejects(run), error);
    assertEquals(gate.reached, 1);
  },
);

behaviour("await using may follow a shutdown()", async ({ kind }) => {
  await using executor = kind.make({ maxWorkers: 1 });
  executor.submit(() => 1);
  await executor.shutdown();
});

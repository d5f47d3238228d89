// The time that a task in a worker may take, and what does not count.

import {
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertRejects,
} from "@std/assert";
import { TimeoutError, WorkerTerminatedError } from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import { ENTERED, spinUntilCancelled, STOPPED } from "./fixtures/stoppable.ts";
import { until } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

workerBehaviour(
  "'cancelled' is live in a loop that never yields, when its time is up",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: Infinity });
    const notes = makeCells();
    const future = executor.submitWith(
      { timeout: 100 },
      spinUntilCancelled,
      notes,
    );
    await assertRejects(() => future.result(), TimeoutError);
    assertEquals(future.state, "finished");
    await until(() => load(notes, STOPPED) > 0);
    assertGreaterOrEqual(load(notes, STOPPED), 95);
    // About 50 ms late at most, on a machine that has nothing else to do.
    assertLess(load(notes, STOPPED), 2000);
  },
);

workerBehaviour(
  "a time-out counts from the start of the task, not from its submission",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const waiting = [1, 2, 3].map((n) =>
      executor.submitWith({ timeout: 200 }, (n) => n, n)
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(waiting.map(({ state }) => state), Array(3).fill("pending"));
    gate.open();
    await running;
    assertEquals(await Promise.all(waiting), [1, 2, 3]);
  },
);

workerBehaviour(
  "a time-out does not count the start of a worker",
  async (make) => {
    const executor = make({
      maxWorkers: 1,
      initializer: () => new Promise((resolve) => setTimeout(resolve, 300)),
    });
    assertEquals(await executor.submitWith({ timeout: 200 }, () => 1), 1);
  },
);

workerBehaviour(
  "a time-out does not come because the program is busy itself",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const future = executor.submitWith(
      { timeout: 500 },
      passGate,
      gate.cells,
      1,
    );
    await until(() => gate.reached === 1);
    gate.open();
    const start = performance.now();
    while (performance.now() < start + 1000);
    assertEquals(await future, 1);
  },
);

workerBehaviour("tasks that are in time do not time out", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const futures = Array.from(
    { length: 500 },
    (_, n) => executor.submitWith({ timeout: 10_000 }, (n) => n, n),
  );
  assertEquals(await Promise.all(futures), futures.map((_, n) => n));
});

workerBehaviour(
  "a time-out stops only its own task",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: Infinity });
    const notes = Array.from({ length: 5 }, makeCells);
    const futures = notes.flatMap((notes, n) => [
      executor.submit((n) => n, n),
      executor.submitWith({ timeout: 20 }, spinUntilCancelled, notes),
    ]);
    for (const [i, future] of futures.entries()) {
      const error = await future.exception();
      if (i % 2 === 0) assertEquals(await future, i / 2);
      else assertInstanceOf(error, TimeoutError);
    }
    assertEquals(notes.map((notes) => load(notes, ENTERED)), [1, 1, 1, 1, 1]);
  },
);

workerBehaviour(
  "a thenable that never settles costs its worker when its time is up, or at terminate()",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 0 });
    const never = () => ({ then() {} });
    const late = executor.submitWith({ timeout: 20 }, never);
    await assertRejects(() => late.result(), TimeoutError);
    assertEquals(await executor.submit(() => 1), 1);
    const running = executor.submit(never);
    await until(() => running.running());
    await executor.terminate();
    assertInstanceOf(await running.exception(), WorkerTerminatedError);
  },
);

// terminate(): everything stops at once.
// @group workers

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  ShutdownError,
  WorkerPoolExecutor,
  WorkerTerminatedError,
} from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import { ENTERED, spinUntilCancelled, STOPPED } from "./fixtures/stoppable.ts";
import { until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

workerBehaviour(
  "terminate() cancels what is pending and fails what runs",
  async (make) => {
    const executor = make({ maxWorkers: 1, name: "doomed" });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 1);
    const pending = Array.from({ length: 20 }, () => executor.submit(() => 1));
    await until(() => gate.reached === 1);
    const terminated = executor.terminate();
    // At once, not when the promise resolves.
    assertEquals(running.state, "finished");
    for (const future of pending) assertEquals(future.state, "cancelled");
    const error = await assertRejects(
      () => running.result(),
      WorkerTerminatedError,
    );
    assertInstanceOf(error, BrokenExecutorError);
    assertStringIncludes(error.message, "'doomed-1'");
    assertStringIncludes(error.message, "'passGate'");
    await assertRejects(() => pending[0]!.result(), CancelledError);
    assertEquals(await terminated, undefined);
  },
);

workerBehaviour(
  "terminate() is a shutdown for whoever comes later",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const terminated = executor.terminate();
    assertThrows(() => executor.submit(() => 1), ShutdownError);
    assertThrows(() => executor.map(() => 1, [1]), ShutdownError);
    await assertRejects(() => executor.start(), ShutdownError);
    await terminated;
    await executor.shutdown();
    await executor.terminate();
    await executor[Symbol.asyncDispose]();
  },
);

workerBehaviour("terminate() ends a map()", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const cells = new Array(10).fill(gate.cells);
  const results = executor.map(passGate, cells, cells.keys());
  const first = results.next().catch((error) => error);
  await until(() => gate.reached === 1);
  await executor.terminate();
  assertInstanceOf(await first, WorkerTerminatedError);
  assertEquals((await results.next()).done, true);
});

workerBehaviour("terminate() makes start() reject", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const started = assertRejects(() => executor.start(), ShutdownError);
  await executor.terminate();
  await started;
});

workerBehaviour(
  "terminate() resolves a shutdown that waits",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const closed = executor.shutdown();
    await executor.terminate();
    await closed;
    await assertRejects(() => running.result(), WorkerTerminatedError);
  },
);

workerBehaviour(
  "terminate() leaves results that are there as they are",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const future = executor.submit(() => 42);
    assertEquals(await future, 42);
    await executor.terminate();
    assertEquals(await future, 42);
  },
);

workerBehaviour(
  "terminate() right after a start leaves nothing",
  async (make) => {
    for (let round = 0; round < 5; round++) {
      const executor = make({ maxWorkers: 2 });
      const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
      await new Promise((resolve) => setTimeout(resolve, round * 5));
      await executor.terminate();
      for (const future of futures) assert(future.done());
    }
  },
);

workerBehaviour("terminate() in a done callback is possible", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const first = executor.submit(() => 1);
  const second = executor.submit(() => new Promise(() => {}));
  first.addDoneCallback(() => executor.terminate());
  assertEquals(await first, 1);
  assert("error" in await outcomeOf(second));
});

watched(
  "WorkerPoolExecutor terminate() ends a loop that never yields, if that asks whether to stop",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    const notes = makeCells();
    const running = executor.submit(spinUntilCancelled, notes);
    await until(() => load(notes, ENTERED) === 1);
    await executor.terminate();
    assertInstanceOf(await running.exception(), WorkerTerminatedError);
    await until(() => load(notes, STOPPED) !== 0);
  },
);

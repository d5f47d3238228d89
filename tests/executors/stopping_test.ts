// Stopping a running task in a worker: told first, closed after a while.

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { CancelledError, TimeoutError, WorkerPoolExecutor } from "../../mod.ts";
import { load, loadAll, makeCells, store } from "./helpers/cells.ts";
import {
  ENTERED,
  spinFor,
  spinUntilCancelled,
  spinUntilReleased,
  spinUntilThrown,
  STOPPED,
} from "./fixtures/stoppable.ts";
import { until, watched } from "./helpers/harness.ts";
import { countIn, Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

workerBehaviour(
  "'cancelled' is live in a loop that never yields, when its signal is aborted",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const notes = makeCells();
    const controller = new AbortController();
    const { signal } = controller;
    const name = await executor.submit(workerName);
    const future = executor.submitWith({ signal }, spinUntilCancelled, notes);
    await until(() => load(notes, ENTERED) === 1);
    assertEquals(future.state, "running");
    controller.abort("enough");
    assertEquals(future.state, "cancelled");
    await until(() => load(notes, STOPPED) > 0);
    const error = await assertRejects(() => future.result(), CancelledError);
    assertEquals(error.cause, "enough");
    // It has obeyed, so its worker lives on.
    assertEquals(await executor.submit(workerName), name);
  },
);

workerBehaviour(
  "throwIfCancelled() throws the signal's reason in a loop that never yields",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    for (
      const [options, reason] of [
        [{ signal }, CancelledError],
        [{ timeout: 20 }, TimeoutError],
      ] as const
    ) {
      const notes = makeCells();
      const future = executor.submitWith(options, spinUntilThrown, notes);
      await until(() => load(notes, ENTERED) === 1);
      controller.abort();
      await until(() => load(notes, STOPPED) !== 0);
      assertEquals(load(notes, STOPPED), reason.name.length);
      await assertRejects(() => future.result(), reason);
    }
  },
);

workerBehaviour(
  "a task that ignores its signal has its worker closed and replaced",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 50 });
    const gate = new Gate();
    const name = await executor.submit(workerName);
    const controller = new AbortController();
    const { signal } = controller;
    const future = executor.submitWith({ signal }, passGate, gate.cells, 0);
    const settled: string[] = [];
    future.addDoneCallback(({ state }) => settled.push(state));
    await until(() => gate.reached === 1);
    controller.abort();
    assertNotEquals(await executor.submit(workerName), name);
    // Never let go: it is gone all the same, and its future settled once.
    assertEquals(settled, ["cancelled"]);
    await assertRejects(() => future.result(), CancelledError);
  },
);

workerBehaviour(
  "a task that ignores its time-out has its worker closed and replaced",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 0 });
    const gate = new Gate();
    const name = await executor.submit(workerName);
    const future = executor.submitWith(
      { timeout: 20 },
      passGate,
      gate.cells,
      0,
    );
    await assertRejects(() => future.result(), TimeoutError);
    assertNotEquals(await executor.submit(workerName), name);
  },
);

workerBehaviour(
  "with an endless gracePeriod a task that ignores its signal keeps its worker",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: Infinity });
    const gate = new Gate();
    const name = await executor.submit(workerName);
    const controller = new AbortController();
    const { signal } = controller;
    const future = executor.submitWith({ signal }, passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const next = executor.submit(workerName);
    controller.abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals([future.state, next.state], ["cancelled", "pending"]);
    gate.open();
    assertEquals(await next, name);
  },
);

workerBehaviour(
  "a loop that never yields and is not told by anything has its worker replaced",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 20 });
    const notes = makeCells();
    const name = await executor.submit(workerName);
    const future = executor.submitWith(
      { timeout: 20 },
      spinUntilReleased,
      notes,
    );
    const behind = Array.from(
      { length: 5 },
      (_, n) => executor.submit((n) => n, n),
    );
    await assertRejects(() => future.result(), TimeoutError);
    // The thread itself still spins.
    assertEquals(await Promise.all(behind), [0, 1, 2, 3, 4]);
    assertNotEquals(await executor.submit(workerName), name);
    // Else the thread would go on in the next test.
    store(notes, STOPPED, 1);
  },
);

workerBehaviour(
  "tasks behind a stopped one run elsewhere, exactly once",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 20 });
    const gate = new Gate();
    const counts = makeCells();
    const controller = new AbortController();
    const { signal } = controller;
    // Known to be quick, so that many of them travel ahead.
    await executor.map(() => 0, new Array(1000).fill(0));
    const stopped = executor.submitWith({ signal }, passGate, gate.cells, 0);
    const behind = Array.from(
      { length: 100 },
      (_, n) => executor.submit(countIn, counts, n),
    );
    await until(() => gate.reached === 1);
    controller.abort();
    assertEquals(await Promise.all(behind), new Array(100).fill(0));
    assertEquals(loadAll(counts, 100), new Array(100).fill(1));
    assert(stopped.cancelled());
  },
);

workerBehaviour(
  "shutdown() does not wait for a stopped task longer than gracePeriod",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 50 });
    const gate = new Gate();
    const controller = new AbortController();
    const { signal } = controller;
    executor.submitWith({ signal }, passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const closed = executor.shutdown();
    controller.abort();
    await closed;
  },
);

workerBehaviour(
  "the signal of a map() stops the items that run",
  async (make) => {
    const executor = make({ maxWorkers: 2, gracePeriod: Infinity });
    const notes = [makeCells(), makeCells()];
    const controller = new AbortController();
    const { signal } = controller;
    const results = executor.map(spinUntilCancelled, notes, { signal });
    await until(() => notes.every((notes) => load(notes, ENTERED) === 1));
    controller.abort("enough");
    const error = await assertRejects(() => results.next(), CancelledError);
    assertEquals(error.cause, "enough");
    await until(() => notes.every((notes) => load(notes, STOPPED) > 0));
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "a task may stop late without harm to those after it",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: Infinity });
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const { signal } = controller;
      const notes = makeCells();
      const stopped = executor.submitWith(
        { signal },
        spinUntilCancelled,
        notes,
      );
      const innocent = Array.from(
        { length: 5 },
        () => executor.submit(() => "untouched"),
      );
      await until(() => load(notes, ENTERED) === 1);
      controller.abort();
      assertEquals(await Promise.all(innocent), Array(5).fill("untouched"));
      assert(stopped.cancelled());
    }
  },
);

// A program that is busy could not tell a process to stop either.
watched(
  "WorkerPoolExecutor spares a task behind one that has stopped while the program is too busy to hear of it",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1, gracePeriod: 20 });
    executors.push(executor);
    // Known to be quick, so that what is behind the first travels ahead.
    const notes = new Array(1000).fill(makeCells());
    await executor.map(spinFor, new Array(1000).fill("nothing"), notes);
    const [first, second] = [makeCells(), makeCells()];
    const controller = new AbortController();
    const { signal } = controller;
    executor.submitWith({ signal }, spinFor, "stop", first);
    const behind = executor.submit(spinFor, "release", second);
    await until(() => load(first, ENTERED) === 1);
    controller.abort();
    for (
      const end = performance.now() + 100;
      performance.now() < end || load(second, ENTERED) === 0;
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
    store(second, STOPPED, 1);
    assertEquals(await behind, "released");
  },
);

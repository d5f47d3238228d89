// stats() and "task" events: what there is to see of an executor.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { CancelledError, type Executor, type TaskEvent } from "../../mod.ts";
import { behaviour, settle, until } from "./helpers/harness.ts";
import { echoAfter, Gate, passGate } from "./helpers/tasks.ts";

/** Without what takes time. */
function counts(executor: Executor) {
  const { workers: _, utilisation: __, ...counts } = executor.stats();
  return counts;
}

behaviour("stats() of a new executor is all zero", ({ make }) => {
  const { workers: _, ...numbers } = make().stats();
  assertEquals(Object.values(numbers), [0, 0, 0, 0, 0, 0, 0]);
});

behaviour("stats() counts what waits, runs and has ended", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const fail = () => {
    throw new Error("Expected");
  };
  const running = executor.submit(passGate, gate.cells, 1);
  const failing = executor.submit(fail);
  const waiting = executor.submit(() => 2);
  const cancelled = executor.submit(() => 3);
  await until(() => gate.reached === 1);
  cancelled.cancel();
  assertEquals(counts(executor), {
    pending: 2,
    running: 1,
    finished: 0,
    failed: 0,
    cancelled: 1,
    retried: 0,
  });
  gate.open();
  await Promise.allSettled([running, failing, waiting]);
  await settle();
  assertEquals(counts(executor), {
    pending: 0,
    running: 0,
    finished: 2,
    failed: 1,
    cancelled: 1,
    retried: 0,
  });
});

behaviour("stats() counts the items of maps", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  await executor.map((n) => n, Array(500).keys());
  for await (const n of executor.map((n) => n, Array(5000).keys())) {
    if (n === 100) break;
  }
  await settle();
  const { finished, cancelled, failed, pending, running } = executor.stats();
  assertEquals([failed, pending, running], [0, 0, 0]);
  assertGreater(finished, 600);
  assertLessOrEqual(finished + cancelled, 500 + 101 + 1000);
});

behaviour("stats() shows how busy the workers are", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  await executor.submit(echoAfter, 1, 50);
  await settle();
  const { workers, utilisation } = executor.stats();
  assertEquals(workers.length, 1);
  const [{ state, tasks, busyMs }] = workers as [typeof workers[0]];
  assertEquals([state, tasks], ["idle", 1]);
  assertGreater(busyMs, 45);
  assert(utilisation > 0 && utilisation <= 1, `${utilisation}`);
});

behaviour("a 'task' event tells who worked on what when", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const events: TaskEvent[] = [];
  executor.addEventListener("task", (event) => events.push(event));
  const fail = function fail() {
    throw new Error("Expected");
  };
  await executor.submit(echoAfter, 1, 30);
  await executor.submit(fail).exception();
  await executor.map(echoAfter, [1, 2, 3], [10, 5, 1]);
  assertEquals(
    events.toSorted((a, b) => a.index - b.index).map(
      ({ type, task, index, outcome }) => [type, task, index, outcome],
    ),
    [
      ["task", "echoAfter", 0, "finished"],
      ["task", "fail", 1, "failed"],
      ["task", "echoAfter", 2, "finished"],
      ["task", "echoAfter", 3, "finished"],
      ["task", "echoAfter", 4, "finished"],
    ],
  );
  const names = executor.stats().workers.map(({ name }) => name);
  for (const { worker, submitted, started, ended } of events) {
    assert(names.includes(worker!), worker);
    // Clocks of different isolates differ by less than a millisecond.
    assert(submitted! <= started! + 1 && started! <= ended);
  }
  assertGreater(events[0]!.ended - events[0]!.started!, 28);
});

behaviour(
  "a task that is cancelled has an event without a worker",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 1);
    const waiting = executor.submit(() => 2);
    await until(() => gate.reached === 1);
    const events: TaskEvent[] = [];
    executor.addEventListener("task", (event) => events.push(event));
    waiting.cancel();
    assertEquals(
      events.map(({ index, outcome, worker, started }) => [
        index,
        outcome,
        worker,
        started,
      ]),
      [[1, "cancelled", undefined, undefined]],
    );
    gate.open();
    await running;
  },
);

behaviour(
  "a task that was stopped has an event with its worker",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const events: TaskEvent[] = [];
    executor.addEventListener("task", (event) => events.push(event));
    const gate = new Gate();
    const late = executor.submitWith({ timeout: 50 }, passGate, gate.cells, 1);
    await late.exception();
    // It goes on, but has ended for whoever submitted it.
    assertEquals(executor.stats().running, 0);
    gate.open();
    const [{ outcome, worker, started }] = events as [TaskEvent];
    assertEquals([outcome, started], ["failed", undefined]);
    assert(worker === "main" || worker === "worker-1", worker);
  },
);

behaviour("events of a map have times of their own", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const before = executor.submit(() => 1);
  const events: TaskEvent[] = [];
  executor.addEventListener("task", (event) => events.push(event));
  await before;
  await executor.map(echoAfter, [1, 2, 3], [20, 20, 20]);
  const [first, ...mapped] = events.toSorted((a, b) => a.index - b.index);
  assertEquals(first!.submitted, undefined);
  assertEquals(new Set(mapped.map(({ submitted }) => submitted)).size, 1);
  for (const [i, { started, ended }] of mapped.entries()) {
    assertGreater(ended - started!, 18);
    if (i > 0) assert(started! >= mapped[i - 1]!.ended);
  }
});

behaviour(
  "a listener that comes while outcomes are on their way costs none of them",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const echo = (n: number, ms: number) =>
      ms === 0 ? n : new Promise((resolve) => setTimeout(resolve, ms, n));
    // Quick ones are not reported one by one.
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, () => executor.submit(echo, 0, 0)),
      );
    }
    const events: TaskEvent[] = [];
    const calls = Array.from(
      { length: 20 },
      (_, n) => executor.submit(echo, n, n === 19 ? 20 : 0),
    );
    // They leave in a microtask.
    for (let tick = 0; tick < 5; tick++) await null;
    executor.addEventListener("task", (event) => events.push(event));
    for (const [n, call] of calls.entries()) assertEquals(await call, n);
    const { started, ended } = events.at(-1)!;
    // Unless the worker has heard too late of it.
    if (started !== undefined) assert(started <= ended && started > 1e12);
  },
);

behaviour(
  "a call of a map that was never entered has an event without a worker",
  async ({ make, kind }) => {
    const executor = make({ maxWorkers: 1 });
    const workers: (string | undefined)[] = [];
    executor.addEventListener("task", ({ worker }) => workers.push(worker));
    const controller = new AbortController();
    const { signal } = controller;
    const gate = new Gate();
    const results = executor.map(passGate, gate.again(), [1, 2, 3], { signal });
    await until(() => gate.reached === 1);
    controller.abort();
    await assertRejects(() => results.next(), CancelledError);
    gate.open();
    await executor.shutdown();
    assertEquals(workers.length, 3);
    assert(workers[0] !== undefined);
    // Of calls that were sent to a process, nobody knows.
    if (kind.exact) assertEquals(workers.slice(1), [undefined, undefined]);
  },
);

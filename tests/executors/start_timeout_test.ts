// startTimeout: workers and modules that never get ready.
// @group workers

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  BrokenExecutorError,
  ConcurrentError,
  task,
  TimeoutError,
} from "../../mod.ts";
import { makeCells, store } from "./helpers/cells.ts";
import { spinUntilReleased, STOPPED } from "./fixtures/stoppable.ts";
import { settle, until } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

workerBehaviour(
  "workers whose initializer never ends break the executor after startTimeout",
  async (make) => {
    const executor = make({
      maxWorkers: 1,
      startTimeout: 100,
      initializer: () => new Promise(() => {}),
    });
    const futures = [1, 2].map((n) => executor.submit((n) => n, n));
    for (const future of futures) {
      const error = await future.exception();
      assertInstanceOf(error, BrokenExecutorError);
      assertInstanceOf(error.cause, TimeoutError);
    }
    assertThrows(() => executor.submit(() => 1), BrokenExecutorError);
  },
);

workerBehaviour(
  "workers whose initializer never yields break the executor after startTimeout",
  async (make) => {
    const notes = makeCells();
    const executor = make({
      maxWorkers: 1,
      startTimeout: 1000,
      initializer: spinUntilReleased,
      initArgs: [notes],
    });
    const error = await executor.submit(() => 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    // Else the threads would go on in the next test.
    store(notes, STOPPED, 1);
  },
);

/** A task whose module never gets to its exports. */
function lostIn(text: string): () => string {
  const url = `data:text/javascript,${encodeURIComponent(text)}`;
  return task({ url }, "lost", () => "never entered");
}

workerBehaviour(
  "a task whose module never ends loading fails after startTimeout, and the executor goes on",
  async (make) => {
    const executor = make({ maxWorkers: 1, startTimeout: 1000 });
    const lost = executor.submit(lostIn("await new Promise(() => {});"));
    const next = executor.submit(() => 1);
    assertInstanceOf(await lost.exception(), ConcurrentError);
    assertEquals(await next, 1);
  },
);

workerBehaviour(
  "a task whose module never yields loading fails after startTimeout, and the executor goes on",
  async (make) => {
    const executor = make({ maxWorkers: 1, startTimeout: 1000 });
    const end = Date.now() + 3000;
    const lost = executor.submit(lostIn(`while (Date.now() < ${end});`));
    const next = executor.submit(() => 1);
    assertInstanceOf(await lost.exception(), ConcurrentError);
    assertEquals(await next, 1);
    // Else the thread would go on in the next test.
    await until(() => Date.now() > end);
  },
);

workerBehaviour("startTimeout is over once a worker is ready", async (make) => {
  const executor = make({ maxWorkers: 1, startTimeout: 1500 });
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1700));
    return self.name;
  };
  assertEquals(await executor.submit(slow), await executor.submit(workerName));
});

workerBehaviour(
  "a worker is not late because the program is busy itself",
  async (make) => {
    const executor = make({ maxWorkers: 1, startTimeout: 500 });
    const future = executor.submit(() => 1);
    // Its worker starts in a later turn, and is ready long before the time is up.
    await settle();
    const start = performance.now();
    while (performance.now() < start + 1000);
    assertEquals(await future, 1);
  },
);

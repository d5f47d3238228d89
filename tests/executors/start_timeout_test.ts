// startTimeout: workers and modules that never get ready.

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  BrokenExecutorError,
  ConcurrentError,
  task,
  TimeoutError,
} from "../../mod.ts";
import {
  ENTERED,
  makeNotes,
  spinUntilReleased,
  STOPPED,
} from "./fixtures/stoppable.ts";
import { workerBehaviour } from "./worker_harness.ts";
import { workerName } from "./worker_tasks.ts";

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
    const notes = makeNotes();
    const executor = make({
      maxWorkers: 1,
      startTimeout: 1000,
      initializer: spinUntilReleased,
      initArgs: [notes],
    });
    const error = await executor.submit(() => 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    // Else the threads would go on in the next test.
    Atomics.store(notes, STOPPED, 1);
    assertEquals(notes[ENTERED], 3);
  },
);

for (
  const [what, text] of [
    ["never ends", "await new Promise(() => {});"],
    [
      "never yields",
      "const start = Date.now(); while (Date.now() < start + 5000);",
    ],
  ] as const
) {
  workerBehaviour(
    `a task whose module ${what} loading fails after startTimeout, and the executor goes on`,
    async (make) => {
      const executor = make({ maxWorkers: 1, startTimeout: 100 });
      const url = `data:text/javascript,${encodeURIComponent(text)}`;
      const lost = task({ url }, "lost", () => "never entered");
      const futures = [executor.submit(lost), executor.submit(() => 1)];
      assertInstanceOf(await futures[0]!.exception(), ConcurrentError);
      assertEquals(await futures[1], 1);
    },
  );
}

workerBehaviour(
  "startTimeout is over once a worker is ready",
  async (make) => {
    const executor = make({ maxWorkers: 1, startTimeout: 1000 });
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      return self.name;
    };
    assertEquals(
      await executor.submit(slow),
      await executor.submit(workerName),
    );
  },
);

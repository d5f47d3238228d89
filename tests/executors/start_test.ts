// start(): all workers at a time, whatever happens while somebody waits.
// @group workers

import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { WorkerCrashedError } from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import {
  endUntilReplaced,
  endWhenReady,
  prepareFor,
} from "./fixtures/prepared.ts";
import { until } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

for (const idleTimeout of [0, 20]) {
  workerBehaviour(
    `start() keeps what is ready until the slowest worker is, with an idleTimeout of ${idleTimeout} ms`,
    async (make) => {
      const starts = makeCells();
      const executor = make({
        maxWorkers: 4,
        idleTimeout,
        initializer: prepareFor,
        initArgs: [starts, [0, 400]],
      });
      await executor.start();
      assertEquals(load(starts, 0), 4);
    },
  );
}

workerBehaviour(
  "start() starts each of many workers once, though they are there one after another",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 16,
      idleTimeout: 0,
      initializer: prepareFor,
      initArgs: [starts, [0]],
    });
    await executor.start();
    assertEquals(load(starts, 0), 16);
  },
);

workerBehaviour(
  "start() keeps workers that were idle before it was called",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 2,
      idleTimeout: 100,
      initializer: prepareFor,
      initArgs: [starts, [0, 300]],
    });
    await executor.submit(() => 1);
    await executor.start();
    assertEquals(load(starts, 0), 2);
  },
);

workerBehaviour(
  "idleTimeout ends the workers that start() has kept, each once all are ready",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 2,
      idleTimeout: 20,
      initializer: prepareFor,
      initArgs: [starts, [0, 200]],
    });
    await executor.start();
    await until(() => executor.stats().workers.length === 0);
    assertEquals(load(starts, 0), 2);
  },
);

workerBehaviour(
  "start() resolves while tasks use workers up",
  async (make) => {
    const executor = make({
      maxWorkers: 2,
      maxTasksPerWorker: 1,
      initializer: prepareFor,
      initArgs: [makeCells(), [0, 100]],
    });
    let started = false;
    executor.start().then(() => started = true);
    const tasks = 40;
    for (let n = 0; n < tasks && !started; n++) {
      await Promise.all([1, 2].map((n) => executor.submit((n) => n, n)));
    }
    assertEquals(started, true);
  },
);

workerBehaviour(
  "start() replaces a worker that dies with nothing to do, and resolves",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 3,
      initializer: endUntilReplaced,
      initArgs: [starts],
    });
    await executor.start();
    assertEquals(load(starts, 0), 5);
  },
);

workerBehaviour(
  "start() rejects when workers do not outlive being ready",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 2,
      initializer: endWhenReady,
      // The second one is not ready in time.
      initArgs: [starts, Infinity, 0, [0, 60_000]],
    });
    await assertRejects(
      () => executor.start(),
      WorkerCrashedError,
      "3 workers died before all were ready",
    );
    assertLess(load(starts, 0), 6);
    await executor.terminate();
  },
);

workerBehaviour(
  "start() resolves for each who calls it, while tasks run",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 3,
      idleTimeout: 0,
      initializer: prepareFor,
      initArgs: [starts, [0, 200]],
    });
    const results = executor.map((n) => n, Array.from({ length: 100 }).keys());
    await Promise.all([executor.start(), executor.start(), results]);
    assertEquals(load(starts, 0), 3);
  },
);

// Fake timers in a test, or in a task: the executors keep their own time.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  asCompleted,
  type Future,
  TimeoutError,
  wait,
  WorkerPoolExecutor,
} from "../../mod.ts";
import {
  hang,
  stopTime,
  stopTimeHere,
  yieldOften,
} from "./fixtures/fake_time.ts";
import { behaviour, watched } from "./helpers/harness.ts";
import { noWorkerLeft, workerBehaviour } from "./helpers/worker_harness.ts";

behaviour(
  "works and shuts down where fake timers were installed before it was made",
  async ({ make }) => {
    const restore = stopTime();
    try {
      const executor = make({ maxWorkers: 2 });
      assertEquals(await executor.submit(yieldOften, 1), 1);
      const results = await executor.map(yieldOften, [1, 2, 3]);
      assertEquals(results, [1, 2, 3]);
      assert(Number.isFinite(executor.stats().utilisation));
      await executor.shutdown();
    } finally {
      restore();
    }
  },
);

behaviour(
  "works and shuts down where fake timers were installed after it was made",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const future = executor.submit(yieldOften, 1);
    const restore = stopTime();
    try {
      assertEquals(await future, 1);
      assertEquals(await executor.map(yieldOften, [1, 2, 3]), [1, 2, 3]);
      await executor.shutdown();
    } finally {
      restore();
    }
  },
);

behaviour("keeps time-outs under fake timers", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const restore = stopTime();
  try {
    const never = executor.submitWith({ timeout: 1000 }, hang);
    const late = { timeout: 10 };
    await assertRejects(() => never.result(late), TimeoutError);
    assertEquals((await wait([never], late)).notDone.size, 1);
    await assertRejects(() => asCompleted([never], late).next(), TimeoutError);
    assertInstanceOf(await never.exception(), TimeoutError);
  } finally {
    restore();
  }
});

behaviour("times events by its own clock", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const times: (number | undefined)[] = [];
  executor.addEventListener("task", ({ submitted, started, ended }) => {
    times.push(submitted, started, ended);
  });
  const before = Date.now() - 1000;
  const restore = stopTime();
  try {
    await executor.submit(yieldOften, 1);
    await executor.shutdown();
  } finally {
    restore();
  }
  assertEquals(times.length, 3);
  for (const time of times) assert(time! > before, `${time}`);
});

workerBehaviour(
  "start() and terminate() end under fake timers",
  async (make) => {
    const restore = stopTime();
    try {
      const executor = make({ maxWorkers: 3, idleTimeout: 0 });
      await executor.start();
      await executor.terminate();
    } finally {
      restore();
    }
  },
);

workerBehaviour(
  "idle workers are closed under fake timers",
  async (make) => {
    const executor = make({ maxWorkers: 1, idleTimeout: 20 });
    const restore = stopTime();
    try {
      await executor.submit(yieldOften, 1);
    } finally {
      restore();
    }
    await noWorkerLeft();
    while (executor.stats().workers.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
);

workerBehaviour(
  "a task that stops all clocks of its worker does not disturb those after it",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 10 });
    await executor.submit(stopTimeHere);
    const values = Array.from({ length: 100 }, (_, n) => n);
    assertEquals(await executor.map((n) => n, values), values);
    assertEquals(await executor.map(yieldOften, values), values);
    const futures: Future<unknown>[] = [
      executor.submit(yieldOften, 1),
      executor.submitWith({ timeout: 20 }, hang),
    ];
    assertEquals(await futures[0], 1);
    assertInstanceOf(await futures[1]!.exception(), TimeoutError);
    assert(Number.isFinite(executor.stats().utilisation));
  },
);

workerBehaviour(
  "a result does not wait for a task that never ends, where clocks stand still",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 10 });
    await executor.submit(stopTimeHere);
    // Quick calls are reported together, the last of them as the event loop turns.
    await executor.map((n) => n, Array.from({ length: 1000 }).keys());
    const quick = executor.submit((n) => n, 1);
    const never = executor.submitWith({ timeout: 1000 }, hang);
    assertEquals(await quick, 1);
    assertInstanceOf(await never.exception(), TimeoutError);
  },
);

watched(
  "WorkerPoolExecutor starts several workers where a test says what is random",
  async (executors) => {
    const { randomUUID } = crypto;
    crypto.randomUUID = () => "00000000-0000-4000-8000-000000000000";
    try {
      const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
      executors.push(executor);
      await executor.start();
    } finally {
      crypto.randomUUID = randomUUID;
    }
  },
);

// The life of workers: when they start, how long they stay, how they go.

import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { ShutdownError } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import { countLater } from "./fixtures/prepared.ts";
import { settle, until } from "./helpers/harness.ts";
import { countIn, Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import {
  meetInWorker,
  moduleLoad,
  nameAtGate,
  passAnyGate,
  spinAtGate,
  workerName,
} from "./helpers/worker_tasks.ts";

function* count() {
  for (let n = 0; true; n++) yield n;
}

workerBehaviour("no worker starts before there is a task", async (make) => {
  const starts = makeCells();
  const executor = make({ initializer: countIn, initArgs: [starts, 0] });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(load(starts, 0), 0);
  await executor.submit(() => 1);
  assertGreater(load(starts, 0), 0);
});

workerBehaviour("workers are reused", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const first = await executor.submit(workerName);
  for (let i = 0; i < 5; i++) {
    assertEquals(await executor.submit(workerName), first);
  }
});

workerBehaviour("there are at most maxWorkers workers", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const names = await executor.map(workerName, new Array(2000).fill(0));
  assert(new Set(names).size <= 2);
});

workerBehaviour(
  "as many tasks run at a time as there are workers",
  async (make) => {
    const executor = make({ maxWorkers: 3 });
    const gate = new Gate();
    const futures = [1, 2, 3, 4].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 3);
    await settle();
    assertEquals(futures.filter((future) => future.running()).length, 3);
    gate.open();
    assertEquals(await Promise.all(futures), [1, 2, 3, 4]);
  },
);

workerBehaviour("one task runs at a time in each worker", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const most = await executor.map(meetInWorker, new Array(50).fill(1));
  assertEquals(new Set(most), new Set([1]));
});

workerBehaviour(
  "tasks behind one that turns out to be long run in another worker",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    for (const wait of [passGate, spinAtGate] as AnyFunction[]) {
      const gate = new Gate();
      const open = new Gate();
      open.open();
      // Quick so far, so that many of them travel together.
      await executor.map(wait, new Array(1000).fill(open.cells), count());
      const futures = Array.from(
        { length: 200 },
        (_, n) => executor.submit(wait, (n === 0 ? gate : open).cells, n),
      );
      for (const [n, future] of futures.entries()) {
        if (n > 0) assertEquals(await future, n);
      }
      // On a busy machine, the others may have ended before this one is entered.
      await until(() => futures[0]!.running());
      gate.open();
      assertEquals(await futures[0], 0);
    }
  },
);

workerBehaviour(
  "navigator.hardwareConcurrency is the default of maxWorkers",
  async (make) => {
    const executor = make();
    const gate = new Gate();
    const count = navigator.hardwareConcurrency;
    const futures = Array.from(
      { length: count + 2 },
      (_, n) => executor.submit(passGate, gate.cells, n),
    );
    await until(() => gate.reached === count);
    await settle();
    assertEquals(futures.filter((future) => future.running()).length, count);
    gate.open();
    await Promise.all(futures);
  },
);

workerBehaviour("start() starts all workers, ready to work", async (make) => {
  const starts = makeCells();
  const executor = make({
    maxWorkers: 3,
    initializer: countLater,
    initArgs: [starts],
  });
  assertEquals(await executor.start(), undefined);
  assertEquals(load(starts, 0), 3);
  await Promise.all([executor.start(), executor.start()]);
  assertEquals(load(starts, 0), 3);
});

workerBehaviour("start() after a shutdown is a ShutdownError", async (make) => {
  const executor = make({ maxWorkers: 1 });
  await executor.shutdown();
  await assertRejects(() => executor.start(), ShutdownError);
});

workerBehaviour(
  "start() rejects with ShutdownError if a shutdown comes before all are ready",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const started = assertRejects(() => executor.start(), ShutdownError);
    await executor.shutdown();
    await started;
  },
);

workerBehaviour(
  "'name' is the prefix of the workers' names",
  async (make) => {
    const executor = make({ maxWorkers: 2, name: "scientists" });
    const gate = new Gate();
    const futures = [1, 2].map(() => executor.submit(nameAtGate, gate.cells));
    await until(() => gate.reached === 2);
    gate.open();
    const names = await Promise.all(futures);
    assertEquals(names.sort(), ["scientists-1", "scientists-2"]);
    const error = await executor.submit(() => {
      throw new Error("Message");
    }).exception();
    assertMatch((error as Error).stack!, /scientists-[12]/);
    const crash = await executor.submit(() => Deno.exit()).exception();
    assertMatch((crash as Error).message, /'scientists-[12]'/);
  },
);

workerBehaviour("workers have names without 'name' too", async (make) => {
  assertMatch(await make().submit(workerName), /^.+-1$/);
});

workerBehaviour(
  "maxTasksPerWorker replaces a worker after so many tasks",
  async (make) => {
    const executor = make({ maxWorkers: 1, maxTasksPerWorker: 3 });
    const names = await executor.map(workerName, new Array(10).fill(0));
    const tasks = Map.groupBy(names, (name) => name);
    assertEquals([...tasks.values()].map(({ length }) => length), [3, 3, 3, 1]);
  },
);

workerBehaviour(
  "maxTasksPerWorker holds for the items of a map(), however many travel together",
  async (make) => {
    const executor = make({ maxWorkers: 2, maxTasksPerWorker: 3 });
    const inputs = new Array(20).fill(0);
    const names = await executor.map(workerName, inputs, { chunkSize: 5 });
    const tasks = Map.groupBy(names, (name) => name);
    for (const { length } of tasks.values()) assert(length <= 3, `${length}`);
  },
);

workerBehaviour(
  "maxTasksPerWorker holds for tasks that are submitted one by one",
  async (make) => {
    const executor = make({ maxWorkers: 1, maxTasksPerWorker: 2 });
    const loads: string[] = [];
    for (let i = 0; i < 6; i++) loads.push(await executor.submit(moduleLoad));
    assertEquals(new Set(loads).size, 3);
    for (let i = 0; i < 6; i += 2) assertEquals(loads[i], loads[i + 1]);
  },
);

workerBehaviour(
  "maxTasksPerWorker does not count what was never entered",
  async (make) => {
    const executor = make({ maxWorkers: 1, maxTasksPerWorker: 4 });
    const gate = new Gate();
    const names = [executor.submit(workerName)];
    const running = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const pending = Array.from(
      { length: 9 },
      () => executor.submit(workerName),
    );
    await settle();
    for (const future of pending) assert(future.cancel());
    gate.open();
    await running;
    for (let i = 0; i < 3; i++) names.push(executor.submit(workerName));
    const [first, second, third, fourth] = await Promise.all(names);
    assertEquals([second, third], [first, first]);
    assert(fourth !== first);
  },
);

workerBehaviour(
  "maxTasksPerWorker replaces workers even while shutting down",
  async (make) => {
    const executor = make({ maxWorkers: 2, maxTasksPerWorker: 1 });
    const futures = Array.from(
      { length: 6 },
      () => executor.submit(workerName),
    );
    await executor.shutdown();
    assertEquals(new Set(await Promise.all(futures)).size, 6);
  },
);

workerBehaviour(
  "tiny items of a map() do not wait behind one that takes long",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const numbers = Array.from({ length: 5000 }, (_, n) => n);
    const gates = numbers.map((n) => n === 3456 ? gate.cells : undefined);
    const options = { ordered: false };
    const results = executor.map(passAnyGate, numbers, gates, options);
    const read: number[] = [];
    while (read.length < numbers.length - 1) {
      read.push((await results.next()).value!);
    }
    gate.open();
    assertEquals((await results.next()).value, 3456);
    assertEquals(read.toSorted((a, b) => a - b), numbers.toSpliced(3456, 1));
  },
);

workerBehaviour(
  "a map() of few tiny items does not wait for a worker whose task takes long",
  async (make) => {
    const executor = make({ maxWorkers: 2, idleTimeout: Infinity });
    await executor.start();
    // Quick so far.
    await executor.map(passAnyGate, count(), new Array(2000).fill(undefined));
    const gate = new Gate();
    const long = executor.submit(passAnyGate, -1, gate.cells);
    await until(() => gate.reached === 1);
    const nothing = new Array(5).fill(undefined);
    const results = await executor.map(passAnyGate, count(), nothing);
    assertEquals(results, [0, 1, 2, 3, 4]);
    assertEquals(long.state, "running");
    gate.open();
    assertEquals(await long, -1);
  },
);

workerBehaviour("idle workers close after idleTimeout", async (make) => {
  const executor = make({ maxWorkers: 1, idleTimeout: 20 });
  const first = await executor.submit(moduleLoad);
  for (let load = first; load === first;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    load = await executor.submit(moduleLoad);
  }
});

workerBehaviour("idleTimeout spares workers that work", async (make) => {
  const executor = make({ maxWorkers: 2, idleTimeout: 10 });
  const gate = new Gate();
  const future = executor.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  await executor.submit(() => 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(future.running());
  gate.open();
  assertEquals(await future, 1);
});

workerBehaviour("idleTimeout 0 closes workers between tasks", async (make) => {
  const executor = make({ maxWorkers: 1, idleTimeout: 0 });
  for (let n = 0; n < 5; n++) {
    assertEquals(await executor.submit((n) => n, n), n);
    await settle();
  }
});

workerBehaviour(
  "an idle executor starts again with the next task",
  async (make) => {
    const executor = make({ maxWorkers: 2, idleTimeout: 1 });
    for (let round = 0; round < 5; round++) {
      assertEquals(await executor.map((n) => n, [1, 2, 3]), [1, 2, 3]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
);

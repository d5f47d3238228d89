// Initializers: once in each worker, and what happens if one fails.
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
  ShutdownError,
  task,
  TaskNotFoundError,
} from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { load, makeCells, store } from "./helpers/cells.ts";
import {
  dieAtFirst,
  dieByTurns,
  dieUnprepared,
  failAfterFirst,
  failToPrepare,
  importLethal,
  remember,
  remembered,
  rememberLater,
} from "./fixtures/prepared.ts";
import { until } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

workerBehaviour(
  "an initializer runs once in each worker, before its first task",
  async (make) => {
    for (const initializer of [remember, rememberLater]) {
      const initArgs = [7, { a: new Map([[1, 2]]) }];
      const executor = make({ maxWorkers: 2, initializer, initArgs });
      await executor.start();
      const calls = await executor.map(remembered, new Array(20).fill(0));
      assertEquals(calls, new Array(20).fill([initArgs]));
    }
  },
);

workerBehaviour(
  "an initializer runs again in a worker that replaces another",
  async (make) => {
    const executor = make({
      maxWorkers: 1,
      maxTasksPerWorker: 1,
      initializer: remember,
      initArgs: ["again"],
    });
    for (let i = 0; i < 3; i++) {
      assertEquals(await executor.submit(remembered), [["again"]]);
    }
  },
);

workerBehaviour("an initializer may be a plain function", async (make) => {
  const executor = make({
    maxWorkers: 1,
    initializer: (value: number) => Object.assign(self, { prepared: value }),
    initArgs: [42],
  });
  const prepared = () => (self as unknown as { prepared: number }).prepared;
  assertEquals(await executor.submit(prepared), 42);
});

workerBehaviour(
  "an initializer's result is not sent, whatever it is",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: () => () => {} });
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour("no worker starts just because of an initializer", (make) => {
  make({ initializer: failToPrepare });
});

const FAILING: [what: string, initializer: AnyFunction][] = [
  ["a task", failToPrepare],
  ["a plain function", () => {
    throw new RangeError("No database");
  }],
  ["an async function", async () => {
    await Promise.resolve();
    throw new RangeError("No database");
  }],
];

for (const [what, initializer] of FAILING) {
  workerBehaviour(
    `an initializer that throws, ${what}, breaks the executor for all who wait`,
    async (make) => {
      const executor = make({ maxWorkers: 2, initializer });
      const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
      const results = executor.map((n) => n, [1, 2, 3]);
      const errors = await Promise.all(
        futures.map((future) => future.exception()),
      );
      errors.push(await results.next().catch((error) => error));
      for (const error of errors) {
        assertInstanceOf(error, BrokenExecutorError);
        assertEquals(error.name, "BrokenExecutorError");
        assertStringIncludes(error.message, "initializer");
        assertInstanceOf(error.cause, RangeError);
        assertEquals(error.cause.message, "No database");
      }
      assertEquals(new Set(errors).size, errors.length);
    },
  );
}

workerBehaviour(
  "a broken executor refuses every later call, each with an error of its own",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: failToPrepare });
    const first = await executor.submit(() => 1).exception();
    const calls: (() => unknown)[] = [
      () => executor.submit(() => 1),
      () => executor.submitWith({}, () => 1),
      () => executor.map(() => 1, [1]),
    ];
    const errors = [first];
    for (const call of calls) {
      const error = assertThrows(call, BrokenExecutorError);
      assertInstanceOf(error.cause, RangeError);
      errors.push(error);
    }
    errors.push(
      await assertRejects(() => executor.start(), BrokenExecutorError),
    );
    assertEquals(new Set(errors).size, errors.length);
    // Broken comes before shut down.
    await executor.shutdown();
    assertThrows(() => executor.submit(() => 1), BrokenExecutorError);
  },
);

workerBehaviour(
  "start() rejects if the initializer throws",
  async (make) => {
    const executor = make({ maxWorkers: 2, initializer: failToPrepare });
    const error = await assertRejects(
      () => executor.start(),
      BrokenExecutorError,
    );
    assertInstanceOf(error.cause, RangeError);
  },
);

workerBehaviour(
  "a broken executor can be shut down, disposed of and terminated",
  async (make) => {
    for (const end of ["shutdown", "terminate"] as const) {
      const executor = make({ maxWorkers: 2, initializer: failToPrepare });
      const future = executor.submit(() => 1);
      await executor[end]();
      assert(future.done());
    }
    await using executor = make({ maxWorkers: 1, initializer: failToPrepare });
    await executor.submit(() => 1).exception();
  },
);

workerBehaviour(
  "an initializer that is not found breaks the executor, with the cause",
  async (make) => {
    const url = "data:text/javascript,export {}";
    const initializer = task({ url }, "lost", () => {});
    const executor = make({ maxWorkers: 1, initializer });
    const error = await executor.submit(() => 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    assertInstanceOf(error.cause, TaskNotFoundError);
  },
);

workerBehaviour(
  "arguments of an initializer that cannot be cloned break the executor, with the cause",
  async (make) => {
    const executor = make({
      maxWorkers: 2,
      initializer: remember,
      initArgs: [1, () => {}],
    });
    const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
    for (const future of futures) {
      const error = await future.exception();
      assertInstanceOf(error, BrokenExecutorError);
      assertInstanceOf(error.cause, Error);
    }
    assertThrows(() => executor.submit(() => 1), BrokenExecutorError);
  },
);

workerBehaviour(
  "three workers in a row that die before they are ready break the executor",
  async (make) => {
    const deaths = makeCells();
    const executor = make({
      maxWorkers: 1,
      initializer: dieUnprepared,
      initArgs: [deaths],
    });
    const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
    for (const future of futures) {
      assertInstanceOf(await future.exception(), BrokenExecutorError);
    }
    assertThrows(() => executor.submit(() => 1), BrokenExecutorError);
    await executor.shutdown();
    assertEquals(load(deaths, 0), 3);
  },
);

for (
  const [how, text] of [
    ["process.exit()", 'import process from "node:process"; process.exit(0)'],
    ["Deno.exit()", "Deno.exit(0)"],
    ["self.close()", "self.close()"],
    ["Deno.exit() after a while", "await 0; Deno.exit(0)"],
    [
      "a late error",
      "setTimeout(() => { throw 0 }); await new Promise(() => {})",
    ],
  ]
) {
  workerBehaviour(
    `three workers in a row that end by ${how} as the initializer loads a module break the executor`,
    async (make) => {
      const starts = makeCells();
      const executor = make({
        maxWorkers: 1,
        initializer: importLethal,
        initArgs: [starts, `data:text/javascript,${encodeURIComponent(text!)}`],
      });
      const error = await executor.submit(() => 1).exception();
      assertEquals((error as Error)?.name, "BrokenExecutorError");
      assertEquals(load(starts, 0), 3);
      await assertRejects(() => executor.start(), BrokenExecutorError);
    },
  );
}

workerBehaviour(
  "two workers in a row that die before they are ready are replaced",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 1,
      maxTasksPerWorker: 1,
      initializer: dieAtFirst,
      initArgs: [starts, 2],
    });
    const names = [await executor.submit(workerName)];
    assertEquals(load(starts, 0), 3);
    // Being ready once, it has not failed in a row any more.
    store(starts, 0, 0);
    names.push(await executor.submit(workerName));
    assertEquals(load(starts, 0), 3);
    assertEquals(new Set(names).size, 2);
  },
);

workerBehaviour(
  "workers of which every second one dies before it is ready do all tasks",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 1,
      maxTasksPerWorker: 1,
      initializer: dieByTurns,
      initArgs: [starts],
    });
    const names = await Promise.all(
      [1, 2, 3, 4, 5].map(() => executor.submit(workerName)),
    );
    assertEquals(new Set(names).size, 5);
    assertEquals(load(starts, 0), 10);
  },
);

workerBehaviour(
  "a running task ends well when the executor breaks",
  async (make) => {
    const gate = new Gate();
    const executor = make({
      maxWorkers: 2,
      initializer: failAfterFirst,
      initArgs: [makeCells()],
    });
    const running = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const pending = executor.submit(() => 1);
    assertInstanceOf(await pending.exception(), BrokenExecutorError);
    gate.open();
    assertEquals(await running, 1);
  },
);

workerBehaviour(
  "a shutdown while an initializer runs waits for what was submitted",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: rememberLater });
    const future = executor.submit(() => 1);
    await executor.shutdown();
    assertEquals(await future, 1);
    assertThrows(() => executor.submit(() => 1), ShutdownError);
  },
);

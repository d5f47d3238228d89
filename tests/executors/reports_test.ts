// What tasks report while they run, and who hears it when.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  currentTask,
  type Executor,
  TimeoutError,
  WorkerCrashedError,
} from "../../mod.ts";
import { behaviour, loggedErrors, settle, until } from "./helpers/harness.ts";
import {
  keepTask,
  reportAll,
  reportAndDie,
  reportAndSpin,
  reportAndThrow,
  reportBeyond,
  reportByKept,
  reportChanging,
  reportDeep,
  reportMoving,
  reportNested,
  reportSlowly,
  reportUncloneable,
  reportUpTo,
  reportWhenStopped,
} from "./helpers/report_tasks.ts";
import { Gate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

/** Values of many kinds, none of which is changed on the way. */
const VALUES = [
  undefined,
  null,
  5,
  "text",
  2n ** 70n,
  NaN,
  [1, [2, { three: 3 }]],
  { a: { b: "c" } },
  new Map([[1, new Set(["a"])]]),
  new Date(0),
  /a+/g,
  new Uint8Array([1, 2, 3]),
  new RangeError("Message", { cause: [1] }),
];

behaviour(
  "onReport() is called with each value, in order and before the outcome",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const tasks: ((values: unknown[]) => unknown)[] = [reportAll, reportSlowly];
    for (const task of tasks) {
      const seen: unknown[] = [];
      const onReport = (value: unknown) => seen.push(value);
      const future = executor.submitWith({ onReport }, task, VALUES);
      let before = -1;
      future.addDoneCallback(() => before = seen.length);
      assertEquals(await future, VALUES.length);
      assertEquals(before, VALUES.length);
      assertEquals(seen, VALUES);
    }
  },
);

behaviour(
  "onReport() is called with the value alone, and before an error too",
  async ({ make }) => {
    const executor = make();
    const calls: unknown[][] = [];
    const onReport = (...args: unknown[]) => calls.push(args);
    const future = executor.submitWith({ onReport }, reportAndThrow, "mine");
    let before = 0;
    future.addDoneCallback(() => before = calls.length);
    assertEquals(await future.exception(), "mine");
    assertEquals([calls, before], [[["mine"]], 1]);
  },
);

behaviour(
  "onReport() of map() is called with the index, and before the result",
  async ({ make }) => {
    const executor = make({ maxWorkers: 3 });
    for (const chunkSize of [undefined, 1, 7]) {
      const seen: number[][] = Array.from({ length: 40 }, () => []);
      const onReport = (value: number, index: number) =>
        seen[index]!.push(value);
      const options = {
        onReport,
        bufferSize: 10,
        ...chunkSize && { chunkSize },
      };
      const from = Array.from({ length: 40 }, (_, i) => 100 * i);
      const to = from.map((n) => n + 3);
      let index = 0;
      for await (const n of executor.map(reportUpTo, from, to, options)) {
        assertEquals(n, from[index]);
        assertEquals(seen[index++], [n, n + 1, n + 2]);
      }
      assertEquals(index, 40);
    }
  },
);

behaviour(
  "onReport() is called at once, while the task never yields",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const seen: unknown[] = [];
    const onReport = (value: unknown) => {
      seen.push(value);
      gate.open();
    };
    const future = executor.submitWith({ onReport }, reportAndSpin, gate.cells);
    assertEquals(await future, "ended");
    assertEquals(seen, ["begun"]);
  },
);

behaviour(
  "report() copies a value as it is at the call",
  async ({ make }) => {
    const executor = make();
    for (const isPlain of [true, false]) {
      const seen: Record<string, unknown>[] = [];
      const onReport = (value: Record<string, unknown>) => seen.push(value);
      await executor.submitWith({ onReport }, reportChanging, isPlain);
      const inner = (length: number) =>
        isPlain
          ? [0, 1].slice(0, length)
          : new Map([[0, 0], [1, 1]].slice(0, length) as [number, number][]);
      assertEquals(seen, [
        { step: 1, inner: inner(1) },
        { step: 2, inner: inner(2) },
      ]);
      assert(seen[0] !== seen[1]);
    }
  },
);

behaviour(
  "report() throws in the task what cannot be cloned, which costs nothing else",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const kind of ["function", "object", "getter"] as const) {
      const seen: unknown[] = [];
      const onReport = (value: unknown) => seen.push(value);
      const future = executor.submitWith({ onReport }, reportUncloneable, kind);
      const errors = await future as [string, string, string][];
      assertEquals(seen, [0, 1]);
      assertEquals(errors.length, 2);
      for (const [name, message, cause] of errors) {
        assertEquals(name, "DataCloneError");
        assert(message.startsWith("Cannot report "), message);
        assertEquals(
          cause,
          kind === "getter" ? "RangeError" : "DataCloneError",
        );
      }
    }
  },
);

behaviour("report() moves what transfer() marks", async ({ make }) => {
  const seen: { bytes: Uint8Array }[] = [];
  const onReport = (value: { bytes: Uint8Array }) => seen.push(value);
  const left = await make().submitWith({ onReport }, reportMoving, 1000);
  assertEquals(left, 0);
  assertEquals(seen, [{ bytes: new Uint8Array(1000).fill(7) }]);
});

behaviour(
  "report() does nothing if nobody listens",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const kind = "function";
    assertEquals(await executor.submit(reportAll, VALUES), VALUES.length);
    assertEquals(await executor.submit(reportUncloneable, kind), []);
    const options = { timeout: 60_000 };
    const future = executor.submitWith(options, reportUncloneable, kind);
    assertEquals(await future, []);
    assertEquals(await executor.map(reportUncloneable, [kind]), [[]]);
    assertEquals(await executor.submit(reportMoving, 10), 10);
  },
);

behaviour(
  "report() of some calls does not disturb others of the same function",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const seen: unknown[][] = [];
    const futures = Array.from({ length: 60 }, (_, n) => {
      const values = [n, new Map([[n, n]]), n];
      if (n % 3 === 0) return executor.submit(reportAll, values);
      const mine: unknown[] = seen[n] = [];
      const onReport = (value: unknown) => mine.push(value);
      return executor.submitWith({ onReport }, reportAll, values);
    });
    for (const [n, future] of futures.entries()) {
      assertEquals(await future, 3);
      const values = [n, new Map([[n, n]]), n];
      assertEquals(seen[n], n % 3 === 0 ? undefined : values);
    }
  },
);

behaviour(
  "what onReport() throws or rejects with is logged and swallowed",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const seen: unknown[] = [];
    const onReport = (value: number) => {
      seen.push(value);
      const error = new RangeError(`${value}`);
      if (value === 1) throw error;
      return Promise.reject(error);
    };
    const logged = await loggedErrors(async () => {
      const future = executor.submitWith({ onReport }, reportUpTo, 1, 4);
      assertEquals(await future, 1);
      const results = executor.map(reportUpTo, [1, 2], [3, 4], { onReport });
      assertEquals(await results, [1, 2]);
      await settle();
    });
    assertEquals(seen.length, 7);
    assertEquals(logged.length, 7);
    for (const [text, error] of logged) {
      assertEquals(text, "onReport of task 'reportUpTo' failed:");
      assertInstanceOf(error, RangeError);
    }
  },
);

behaviour("onReport() is called outside of any task", async ({ make }) => {
  const seen: unknown[] = [];
  const onReport = () => seen.push(currentTask());
  await make().submitWith({ onReport }, reportAll, [1, new Map()]);
  assertEquals(seen, [undefined, undefined]);
});

behaviour(
  "what a task reports that was stopped is dropped",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const options of [{}, { timeout: 20 }]) {
      const gate = new Gate();
      const controller = new AbortController();
      const seen: unknown[] = [];
      const onReport = (value: unknown) => {
        seen.push(value);
        if (options.timeout === undefined) controller.abort();
      };
      const future = executor.submitWith(
        { ...options, signal: controller.signal, onReport },
        reportWhenStopped,
        gate.cells,
      );
      const why = options.timeout === undefined ? CancelledError : TimeoutError;
      await assertRejects(() => future.result(), why);
      await until(() => gate.stoppedBy !== "");
      // Whatever is on its way comes before what this says.
      assertEquals(await executor.submit(reportAll, []), 0);
      assertEquals(seen, ["before"]);
    }
  },
);

behaviour(
  "what the calls of a map report that is over is dropped",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const seen: unknown[] = [];
    const onReport = (value: number, index: number) => {
      seen.push([index, value]);
    };
    const inputs = [gate.again(), [1, 2]] as const;
    const results = executor.map(reportBeyond, ...inputs, { onReport });
    await until(() => seen.length > 0);
    await results.return();
    gate.open();
    await until(() => gate.reached > 0);
    assertEquals(await executor.submit(reportAll, []), 0);
    assertEquals(seen, [[0, 1]]);
  },
);

behaviour(
  "report() of a task that has ended does nothing",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const seen: unknown[] = [];
    const onReport = (value: unknown) => seen.push(value);
    await executor.submitWith({ onReport }, keepTask);
    const kept = await executor.submitWith({ onReport }, reportByKept);
    assert(kept > 0);
    assertEquals(seen, ["in time"]);
  },
);

behaviour(
  "report() inside what is reported comes first",
  async ({ make }) => {
    const seen: unknown[] = [];
    const onReport = (value: unknown) => seen.push(value);
    await make().submitWith({ onReport }, reportNested);
    assertEquals(seen.at(-1), { map: new Map(), inner: 1 });
    const inner = ["inner", new Map([["inner", 1]])];
    assertEquals(seen.slice(0, 2), inner);
  },
);

behaviour(
  "onReport() may do anything to its task and its executor",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const controller = new AbortController();
    const more: Promise<unknown>[] = [];
    let reports = 0;
    const onReport = (value: number) => {
      reports++;
      more.push(executor.submit(reportAll, [value]).result());
      if (value === 2) controller.abort();
      if (value === 2) executor.shutdown({ wait: false });
    };
    const { signal } = controller;
    const future = executor.submitWith({ onReport, signal }, reportUpTo, 0, 6);
    const error = await future.result().catch((error) => error);
    assertInstanceOf(error, CancelledError);
    await executor.shutdown();
    assertEquals(reports, 3);
    assertEquals(await Promise.all(more), [1, 1, 1]);
  },
);

behaviour("onReport() has to be a function", ({ make }) => {
  const executor: Executor = make();
  for (const onReport of [null, 5, "text", {}, []]) {
    const options = { onReport: onReport as never };
    const message = "'onReport' must be a function";
    assertThrows(
      () => executor.submitWith(options, reportAll, []),
      TypeError,
      message,
    );
    assertThrows(
      () => executor.map(reportAll, [[]], options),
      TypeError,
      message,
    );
  }
});

workerBehaviour(
  "what a task has reported is heard, though its worker dies at once",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const value of ["plain", new Map([[1, 1]])]) {
      const seen: unknown[] = [];
      const onReport = (value: unknown) => seen.push(value);
      const future = executor.submitWith({ onReport }, reportAndDie, value);
      await assertRejects(() => future.result(), WorkerCrashedError);
      assertEquals(seen, [value]);
    }
  },
);

workerBehaviour(
  "a report that can be written and not read is lost alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const depths = [10, 2600, 2700, 2900, 3000, 3100, 3300, 3500, 3700, 20];
    const seen: number[] = [];
    const onReport = ([depth]: [number]) => seen.push(depth);
    let reported = 0;
    const logged = await loggedErrors(async () => {
      reported = await executor.submitWith({ onReport }, reportDeep, depths);
      // The result of a call that comes after one is its own.
      assertEquals(await executor.submit(reportAll, []), 0);
    });
    assert(logged.length > 0);
    assertEquals(seen.length + logged.length, reported);
    assertEquals([seen[0], seen.at(-1)], [10, 20]);
    assertEquals(seen, seen.filter((depth) => depths.includes(depth)));
    for (const [text] of logged) {
      assertEquals(
        text,
        "A report of task 'reportDeep' was lost: it cannot be read",
      );
    }
  },
);

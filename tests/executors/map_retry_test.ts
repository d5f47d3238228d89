// map(), forEach(): calls that are tried again, and priorities.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type MapProgress,
  PromisePoolExecutor,
  type RetryEvent,
  type TaskEvent,
  TimeoutError,
  transfer,
  WorkerPoolExecutor,
  WorkerTerminatedError,
} from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import { exitUntil, failUntil, hangUntil } from "./helpers/failing_tasks.ts";
import {
  behaviour,
  commonBehaviour,
  settle,
  until,
} from "./helpers/harness.ts";
import { NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

const fail = (why: unknown) => {
  throw new RangeError(`${why}`);
};
const failOdd = (n: number) => {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
  return n;
};

behaviour("map() tries calls again that fail", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const cells = [makeCells(), makeCells(), makeCells()];
  const results = executor.map(failUntil, cells, [1, 3, 2], { retry: 3 });
  assertEquals(await results, [1, 3, 2].map((n) => `${n}, says the pool ${n}`));
  const { finished, failed, retried } = executor.stats();
  assertEquals([finished, failed, retried], [3, 0, 3]);
});

behaviour("forEach() tries calls again that fail", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const cells = makeCells();
  await executor.forEach(failUntil, [cells], [3], { retry: {} });
  assertEquals(load(cells, 0), 3);
  const failed = executor.forEach(fail, ["no"], { retry: 2 });
  await assertRejects(() => failed, RangeError, "no");
  assertEquals(executor.stats().retried, 3);
});

commonBehaviour(
  "map() gives the last error at its position",
  async ({ make }) => {
    const executor = make();
    const asked: string[] = [];
    const isRetriable = (error: unknown) => asked.push(`${error}`) > 0;
    const results = executor.map(failOdd, [0, 1, 2, 3], {
      settled: true,
      retry: { maxAttempts: 3, isRetriable },
    });
    const said = (await results).map((result) =>
      result.status === "fulfilled" ? result.value : result.reason.message
    );
    assertEquals(said, [0, "1 is odd", 2, "3 is odd"]);
    assertEquals(asked.length, 4);
    const { finished, failed, retried, pending, running } = executor.stats();
    assertEquals([finished, failed, retried], [2, 2, 4]);
    assertEquals([pending, running], [0, 0]);
    const rejecting = executor.map(failOdd, [1], {
      retry: {
        isRetriable: () => {
          throw new TypeError("not this one");
        },
      },
    });
    await assertRejects(() => rejecting.then(), TypeError, "not this one");
  },
);

behaviour(
  "map() tells of attempts once, and of progress in calls",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const events: TaskEvent[] = [];
    const retries: RetryEvent[] = [];
    executor.addEventListener("task", (event) => events.push(event));
    executor.addEventListener("retry", (event) => retries.push(event));
    let last: MapProgress | undefined;
    await executor.map(failOdd, [0, 1, 2], {
      settled: true,
      retry: 3,
      onProgress: (progress) => last = progress,
    });
    assertEquals(last, { done: 3, failed: 1, total: 3 });
    const told = events.map(({ index, outcome, attempts }) =>
      `${index} ${outcome} ${attempts}`
    );
    assertEquals(told.sort(), ["0 finished 1", "1 failed 3", "2 finished 1"]);
    const tried = retries.map(({ index, attempt }) => [index, attempt]);
    assertEquals(tried, [[1, 1], [1, 2]]);
  },
);

behaviour(
  "map() tries a call again that took too long, and no other",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = [makeCells(), makeCells(), makeCells()];
    const results = executor.map(hangUntil, cells, [1, 2, 1], {
      retry: 2,
      itemTimeout: 300,
      settled: true,
    });
    assertEquals(
      (await results).map((result) =>
        result.status === "fulfilled" ? result.value : result.reason
      ),
      [1, 2, 1],
    );
    // What was stopped ends while the next attempt is made, or after it.
    await until(() => load(cells[1]!, 1) === 1);
    assertEquals(cells.map((cells) => load(cells, 0)), [1, 2, 1]);
    const hanging = executor.map(hangUntil, [makeCells()], [9], {
      retry: 2,
      itemTimeout: 50,
    });
    await assertRejects(() => hanging.then(), TimeoutError);
  },
);

workerBehaviour(
  "map() tries calls again whose worker has died",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const cells = [makeCells(), makeCells(), makeCells()];
    const results = executor.map(exitUntil, cells, [1, 2, 1], { retry: 2 });
    assertEquals(await results, [1, 2, 1]);
  },
);

behaviour("map() waits between attempts", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const cells = makeCells();
  const started = performance.now();
  const results = executor.map(failUntil, [cells], [3], {
    retry: { minTimeout: 30 },
  });
  const closed = executor.shutdown();
  await until(() => executor.stats().retried === 1);
  assertEquals(executor.stats().pending, 0);
  assertEquals(executor.stats().running, 1);
  await closed;
  assertEquals(await results, ["3, says the pool 3"]);
  assert(performance.now() - started >= 90);
});

behaviour(
  "shutdown() waits for attempts of a map() that nobody reads, and of a forEach()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const cells = makeCells();
    const others = makeCells();
    executor.map(failUntil, [cells], [4], { retry: 4 });
    executor.forEach(failUntil, [others], [3], { retry: { minTimeout: 5 } });
    await executor.shutdown();
    assertEquals([load(cells, 0), load(others, 0)], [4, 3]);
  },
);

behaviour(
  "shutdown({ cancelFutures: true }) gives up attempts of a map() with the last error",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(failOdd, [1, 0, 3], {
      settled: true,
      retry: { minTimeout: 60_000, maxAttempts: Infinity },
    });
    await until(() => executor.stats().retried === 2);
    await until(() => executor.stats().finished === 1);
    await executor.shutdown({ cancelFutures: true });
    const said = (await results).map((result) =>
      result.status === "fulfilled" ? result.value : result.reason.message
    );
    assertEquals(said, ["1 is odd", 0, "3 is odd"]);
  },
);

behaviour(
  "shutdown({ cancelFutures: true }) gives up attempts that wait in the queue",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const cells = makeCells();
    const results = executor.map(failUntil, [cells], [9], { retry: 9 });
    const ended = results.then(() => undefined, (error) => error);
    const blocking = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    const tried = load(cells, 0);
    const closed = executor.shutdown({ cancelFutures: true });
    gate.open();
    await closed;
    assertEquals(await blocking, 1);
    assertEquals((await ended).message, `Attempt ${tried}`);
    assertEquals(load(cells, 0), tried);
  },
);

workerBehaviour(
  "terminate() gives up attempts of a map()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(fail, ["no"], {
      retry: { minTimeout: 60_000 },
    });
    const rejected = assertRejects(
      () => results.then(),
      WorkerTerminatedError,
    );
    await until(() => executor.stats().retried === 1);
    await executor.terminate();
    await rejected;
  },
);

behaviour(
  "map() that is left makes no more attempts (p-retry#97)",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const retry of [{ minTimeout: 60_000 }, { maxAttempts: Infinity }]) {
      const controller = new AbortController();
      const { signal } = controller;
      const before = executor.stats().retried;
      const results = executor.map(fail, ["no"], { retry, signal });
      const ended = results.then(() => undefined, (error) => error);
      await until(() => executor.stats().retried > before);
      controller.abort();
      assert(await ended instanceof CancelledError);
      const other = executor.map(fail, ["no"], { retry });
      await until(() => executor.stats().retried > before + 1);
      await other.return();
      await until(() => executor.stats().running === 0);
      const { retried } = executor.stats();
      await settle();
      assertEquals(executor.stats().retried, retried);
    }
    await executor.shutdown();
    const { finished, failed, cancelled } = executor.stats();
    assertEquals([finished, failed, cancelled], [0, 0, 4]);
  },
);

Deno.test("map() tries no call again whose argument has been moved", async () => {
  const size = (buffer: ArrayBuffer) => {
    throw new RangeError(`${buffer.byteLength} bytes`);
  };
  const buffers = () => {
    const buffer = new ArrayBuffer(8);
    return [transfer(buffer, [buffer])];
  };
  await using threads = new WorkerPoolExecutor({ maxWorkers: 1 });
  const moved = threads.map(size, buffers(), { retry: 3 });
  await assertRejects(() => moved.then(), RangeError, "8 bytes");
  assertEquals(threads.stats().retried, 0);
  await using promises = new PromisePoolExecutor({ maxWorkers: 1 });
  const kept = promises.map(size, buffers(), { retry: 3 });
  await assertRejects(() => kept.then(), RangeError, "8 bytes");
  assertEquals(promises.stats().retried, 2);
});

behaviour(
  "map() keeps no more for many attempts than for one",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const cells = makeCells();
    const attempts = 200;
    const results = executor.map(failUntil, [cells], [attempts], {
      retry: Infinity,
    });
    assertEquals(await results, [`${attempts}, says the pool ${attempts}`]);
  },
);

behaviour("map() with retry pulls as much as without", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const input = new NotedInput(3000);
  const results = executor.map((n: number) => -n, input, { retry: 3 });
  let read = 0;
  for await (const value of results) assertStrictEquals(value, -read++);
  assertEquals(read, 3000);
});

behaviour("map() has a priority", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const blocking = executor.submit(passGate, gate.cells, 0);
  await until(() => gate.reached === 1);
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const low = executor.map(failOdd, [0], { priority: -1 }).then(note("low"));
  const plain = executor.map(failOdd, [0]).then(note("plain"));
  const high = executor.forEach(failOdd, [0], { priority: 1.5 })
    .then(note("high"));
  gate.open();
  await Promise.all([low, plain, high, blocking]);
  assertEquals(order, ["high", "plain", "low"]);
});

behaviour("map() checks retry and priority", ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  assertThrows(() => executor.map(fail, [1], { retry: 0 }), RangeError);
  assertThrows(() => executor.forEach(fail, [1], { retry: -1 }), RangeError);
  const retry = "3" as never;
  assertThrows(() => executor.map(fail, [1], { retry }), TypeError);
  assertThrows(() => executor.map(fail, [1], { priority: NaN }), RangeError);
  const priority = "1" as never;
  assertThrows(() => executor.forEach(fail, [1], { priority }), TypeError);
});

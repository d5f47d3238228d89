// Calls that are tried again.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  type Future,
  PromisePoolExecutor,
  type RetryEvent,
  type TaskEvent,
  TaskNotFoundError,
  TimeoutError,
  transfer,
  WorkerCrashedError,
  WorkerPoolExecutor,
  WorkerTerminatedError,
} from "../../mod.ts";
import { checkRetry, waitAfter } from "../../executors/job/retry.ts";
import { task } from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import {
  exitUntil,
  failInside,
  failUntil,
  hangUntil,
} from "./helpers/failing_tasks.ts";
import {
  behaviour,
  commonBehaviour,
  settle,
  until,
} from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const fail = (why: string) => {
  throw new RangeError(why);
};

behaviour("retry tries a task again that has failed", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  for (
    const [retry, attempts] of [[5, 3], [{ maxAttempts: 3 }, 3], [
      {},
      3,
    ]] as const
  ) {
    const cells = makeCells();
    assertEquals(
      await executor.submitWith({ retry }, failUntil, cells, attempts),
      `${attempts}, says the pool ${attempts}`,
    );
  }
});

commonBehaviour("retry gives the last error, once", async ({ make }) => {
  const executor = make();
  const seen: Future<unknown>[] = [];
  const asked: unknown[] = [];
  const isRetriable = (error: unknown) => asked.push(error) > 0;
  const future = executor.submitWith(
    { retry: { maxAttempts: 3, isRetriable } },
    fail,
    "Expected",
  );
  future.addDoneCallback((done) => seen.push(done));
  await assertRejects(() => future.result(), RangeError, "Expected");
  assertEquals(seen, [future]);
  // After the last attempt, nobody is asked.
  assertEquals(asked.map((error) => `${error}`), [
    "RangeError: Expected",
    "RangeError: Expected",
  ]);
});

commonBehaviour(
  "retry stops where isRetriable says so, or throws",
  async ({ make }) => {
    const executor = make();
    const isRetriable = (error: unknown) => !(error instanceof RangeError);
    const retry = { maxAttempts: Infinity, isRetriable };
    await assertRejects(
      () => executor.submitWith({ retry }, fail, "No").result(),
      RangeError,
      "No",
    );
    const throwing = {
      isRetriable: () => {
        throw new TypeError("Thrown instead");
      },
    };
    await assertRejects(
      () => executor.submitWith({ retry: throwing }, fail, "No").result(),
      TypeError,
      "Thrown instead",
    );
    assertEquals(executor.stats().retried, 0);
  },
);

behaviour(
  "retry gives each attempt its own time, and does not wait for the one before",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = makeCells();
    const options = { timeout: 300, retry: 3 };
    assertEquals(await executor.submitWith(options, hangUntil, cells, 3), 3);
    // The attempts before were told to stop.
    await until(() => load(cells, 1) === 2);
  },
);

behaviour(
  "retry with a task that always takes too long fails by the time",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = makeCells();
    const options = { timeout: 50, retry: 2 };
    await assertRejects(
      () => executor.submitWith(options, hangUntil, cells, 10).result(),
      TimeoutError,
      "ran longer than its timeout of 50 ms",
    );
    assertEquals(load(cells, 0), 2);
  },
);

Deno.test("retry tries a task again that has lost its worker", async () => {
  await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
  const cells = makeCells();
  assertEquals(await pool.submitWith({ retry: 3 }, exitUntil, cells, 3), 3);
  const future = pool.submitWith({ retry: 2 }, exitUntil, makeCells(), 9);
  await assertRejects(() => future.result(), WorkerCrashedError);
});

behaviour(
  "retry keeps the future running between attempts, and cancel() false",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const cells = makeCells();
    const retry = { minTimeout: 60_000 };
    const controller = new AbortController();
    const options = { retry, signal: controller.signal };
    const future = executor.submitWith(options, failUntil, cells, 9);
    await until(() => executor.stats().retried === 1);
    assertEquals(future.state, "running");
    assert(!future.cancel());
    const { pending, running } = executor.stats();
    assertEquals([pending, running], [0, 1]);
    // A signal ends it at once (p-retry#97).
    controller.abort("enough");
    assertEquals(future.state, "cancelled");
    const error = await assertRejects(() => future.result(), CancelledError);
    assertEquals(error.cause, "enough");
  },
);

commonBehaviour(
  "retry never tries again what was cancelled",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const asked: unknown[] = [];
    const isRetriable = (error: unknown) => asked.push(error) > 0;
    const future = executor.submitWith({ retry: { isRetriable } }, () => 1);
    assert(future.cancel());
    await executor.submit(() => 1);
    assertEquals(asked, []);
    assertEquals(executor.stats().retried, 0);
  },
);

Deno.test("retry never tries again what could not be cloned, found, or has been moved", async () => {
  await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
  const retry = 3;
  const nowhere = task(import.meta, "nowhere", () => 1);
  await assertRejects(
    () => pool.submitWith({ retry }, nowhere).result(),
    TaskNotFoundError,
  );
  await assertRejects(
    () => pool.submitWith({ retry }, (f: unknown) => f, () => 1).result(),
    DOMException,
    "argument 1",
  );
  await assertRejects(
    () => pool.submitWith({ retry }, () => () => 1).result(),
    DOMException,
    "could not be cloned",
  );
  const { buffer } = new Uint8Array(1);
  const refuse = (bytes: ArrayBuffer) => {
    throw new Error(`${bytes.byteLength} byte`);
  };
  await assertRejects(
    () =>
      pool.submitWith({ retry }, refuse, transfer(buffer, [buffer])).result(),
    Error,
    "1 byte",
  );
  assertEquals(pool.stats().retried, 0);
});

Deno.test("retry in a promise pool has what transfer() marks, as nothing moves there", async () => {
  await using pool = new PromisePoolExecutor();
  const { buffer } = new Uint8Array(1);
  let attempts = 0;
  const lengthOf = (bytes: ArrayBuffer) => {
    if (++attempts < 2) throw new Error("Expected");
    return bytes.byteLength;
  };
  assertEquals(
    await pool.submitWith({ retry: 2 }, lengthOf, transfer(buffer, [buffer])),
    1,
  );
});

commonBehaviour("shutdown() waits for attempts to come", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const retry = { maxAttempts: 3, minTimeout: 20 };
  const future = executor.submitWith({ retry }, fail, "Expected");
  await executor.shutdown();
  assert(future.done());
  assertEquals(executor.stats().retried, 2);
});

commonBehaviour(
  "shutdown({ cancelFutures: true }) gives attempts up, with the last error",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const retry = { minTimeout: 60_000 };
    const future = executor.submitWith({ retry }, fail, "Expected");
    await until(() => executor.stats().retried === 1);
    const closed = executor.shutdown({ cancelFutures: true });
    assert(future.done());
    await assertRejects(() => future.result(), RangeError, "Expected");
    await closed;
  },
);

Deno.test("terminate() gives attempts up as what runs", async () => {
  const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
  const retry = { minTimeout: 60_000 };
  const future = pool.submitWith({ retry }, fail, "Expected");
  await until(() => pool.stats().retried === 1);
  await pool.terminate();
  await assertRejects(() => future.result(), WorkerTerminatedError);
});

commonBehaviour(
  "retry tells one event for each task, and one for each attempt that is tried again",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const tasks: TaskEvent[] = [];
    const retries: RetryEvent[] = [];
    executor.addEventListener("task", (event) => tasks.push(event));
    executor.addEventListener("retry", (event) => retries.push(event));
    await executor.submit(() => 1);
    const retry = { maxAttempts: 3, minTimeout: 1 };
    const future = executor.submitWith({ retry }, fail, "Expected");
    await future.exception();
    await until(() => tasks.length === 2);
    assertEquals(
      tasks.map((
        { index, outcome, attempts, error },
      ) => [index, outcome, attempts, `${error}`]),
      [[0, "finished", 1, "undefined"], [
        1,
        "failed",
        3,
        "RangeError: Expected",
      ]],
    );
    assertEquals(
      retries.map((
        { task, index, attempt, error, delay },
      ) => [task, index, attempt, `${error}`, delay]),
      [
        ["fail", 1, 1, "RangeError: Expected", 1],
        ["fail", 1, 2, "RangeError: Expected", 2],
      ],
    );
    const { finished, failed, retried } = executor.stats();
    assertEquals([finished, failed, retried], [1, 1, 2]);
  },
);

behaviour(
  "retry queues an attempt behind what waits with the same priority",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    executor.submitWith({ retry: 2 }, fail, "Expected").addDoneCallback(
      note("retried"),
    );
    for (const name of ["a", "b"]) {
      executor.submit(passGate, gate.cells, 0).addDoneCallback(note(name));
    }
    gate.open();
    await executor.shutdown();
    assertEquals(order, ["a", "b", "retried"]);
  },
);

Deno.test("waitAfter() is a number after any number of attempts", () => {
  assertEquals(waitAfter(checkRetry({ maxAttempts: Infinity })!, 5000), 0);
  const retry = checkRetry({ minTimeout: 1, multiplier: Infinity })!;
  assertEquals(waitAfter(retry, 3), 60_000);
});

Deno.test("waitAfter() grows up to a limit, and leaves a part to chance", () => {
  const retry = checkRetry({
    maxAttempts: 9,
    minTimeout: 10,
    maxTimeout: 100,
    multiplier: 3,
  })!;
  assertEquals([1, 2, 3, 4].map((attempt) => waitAfter(retry, attempt)), [
    10,
    30,
    90,
    100,
  ]);
  assertEquals(waitAfter(checkRetry(3)!, 5), 0);
  const chance = checkRetry({ minTimeout: 10, jitter: 0.5 })!;
  for (let i = 0; i < 100; i++) {
    const wait = waitAfter(chance, 1);
    assert(wait > 5 - 1e-9 && wait <= 10, `${wait}`);
  }
});

commonBehaviour("retry is checked at the call", ({ make }) => {
  const executor = make();
  const submit = (retry: unknown) => () =>
    executor.submitWith({ retry } as never, () => 1);
  for (
    const retry of [null, "3", true, { maxAttempts: "3" }, { isRetriable: 1 }, {
      jitter: null,
    }]
  ) {
    assertThrows(submit(retry), TypeError);
  }
  for (
    const retry of [
      0,
      -1,
      1.5,
      NaN,
      { maxAttempts: 0 },
      { minTimeout: -1 },
      { minTimeout: 10, maxTimeout: 5 },
      { minTimeout: 60_001 },
      { multiplier: 0.5 },
      { jitter: 1.1 },
    ]
  ) assertThrows(submit(retry), RangeError);
  assertInstanceOf(submit(Infinity)(), Promise);
});

Deno.test("retry of a thousand calls keeps nothing of them", async () => {
  await using pool = new PromisePoolExecutor();
  let calls = 0;
  const flaky = () => {
    if (++calls % 2 === 1) throw new Error("Expected");
    return calls;
  };
  for (let i = 0; i < 1000; i++) await pool.submitWith({ retry: 2 }, flaky);
  await settle();
  assertEquals(pool.stats().retried, 1000);
});

commonBehaviour(
  "retry whose listener ends the call leaves nothing running",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    executor.addEventListener("retry", () => controller.abort());
    const retry = { minTimeout: 60_000 };
    const future = executor.submitWith({ signal, retry }, fail, "Expected");
    await assertRejects(() => future.result(), CancelledError);
    assertEquals(executor.stats().running, 0);
  },
);

commonBehaviour(
  "retry that is asked for as the executor is shut down is not made",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const retry = {
      minTimeout: 60_000,
      isRetriable: () => {
        executor.shutdown({ cancelFutures: true });
        return true;
      },
    };
    const future = executor.submitWith({ retry }, fail, "Expected");
    await assertRejects(() => future.result(), RangeError, "Expected");
    await executor.shutdown();
  },
);

Deno.test("retry that was sent ahead is stopped by its signal", async () => {
  await using pool = new WorkerPoolExecutor({ maxWorkers: 1, gracePeriod: 50 });
  // Tiny calls, so that the next are sent ahead.
  const work = (cells: Int32Array, what: string) => {
    if (what === "tiny") return;
    if (what === "long") { while (cells[1] === 0); }
    else if (Atomics.add(cells, 0, 1) === 0) throw new Error("Expected");
  };
  const cells = new Int32Array(new SharedArrayBuffer(8));
  await pool.map(work, Array(5000).fill(cells), Array(5000).fill("tiny"));
  const controller = new AbortController();
  const options = { signal: controller.signal, retry: 2 };
  const future = pool.submitWith(options, work, cells, "fails once");
  const long = pool.submit(work, cells, "long");
  await until(() => pool.stats().retried === 1);
  await settle();
  controller.abort();
  assertEquals(future.state, "cancelled");
  Atomics.store(cells, 1, 1);
  await long;
  await pool.submit(work, cells, "tiny");
  // The second attempt was not entered.
  assertEquals(cells[0], 1);
});

Deno.test("a broken executor ends attempts to come", async () => {
  const retry = { minTimeout: 60_000 };
  class Breaking extends PromisePoolExecutor {
    break(): void {
      this.breakWith(() => new BrokenExecutorError("Expected to break"));
    }
  }
  const breaking = new Breaking();
  const broken = breaking.submitWith({ retry }, fail, "Expected");
  await until(() => breaking.stats().retried === 1);
  breaking.break();
  await assertRejects(() => broken.result(), BrokenExecutorError, "to break");
  await breaking.shutdown();
});

behaviour(
  "retry tries a task again that has failed by an executor of its own",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const future = executor.submitWith({ retry: 3 }, failInside, "Expected");
    const error = await assertRejects(
      () => future.result(),
      BrokenExecutorError,
    );
    assertEquals(error.message, "Expected");
    assertEquals(executor.stats().retried, 2);
  },
);

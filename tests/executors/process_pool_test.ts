// What only processes can do: they can be killed, and have memory, an
// environment and permissions of their own.
// @group processes

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  ProcessPoolExecutor,
  type ProcessPoolExecutorOptions,
  TimeoutError,
  transfer,
  WorkerCrashedError,
} from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import {
  hoard,
  processId,
  spinNoted,
  spinUntold,
} from "./fixtures/process_tasks.ts";
import { until, watched } from "./helpers/harness.ts";
import { childrenOf, isAlive } from "./helpers/processes.ts";
import { echoAfter, Gate, passGate } from "./helpers/tasks.ts";
import { TELLS_EXIT_CODES } from "./helpers/worker_harness.ts";

/** Makes an executor that is shut down after the test, whatever happens. */
type Make = (options?: ProcessPoolExecutorOptions) => ProcessPoolExecutor;

function processTest(
  name: string,
  run: (make: Make) => Promise<void> | void,
): void {
  watched(`ProcessPoolExecutor ${name}`, (executors) =>
    run((options) => {
      const executor = new ProcessPoolExecutor({ maxWorkers: 1, ...options });
      executors.push(executor);
      return executor;
    }));
}

const spin = () => {
  while (true);
};

/** The error that a task which ends its worker leaves behind. */
async function crashOf(future: PromiseLike<unknown>) {
  return await assertRejects(async () => await future, WorkerCrashedError);
}

processTest("runs tasks in other processes", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const gate = new Gate();
  const held = executor.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  const other = await executor.submit(processId);
  gate.open();
  await held;
  assertNotEquals(other, Deno.pid);
  await executor.shutdown();
  assert(!isAlive(other));
});

processTest("stops a loop that never yields by a time-out", async (make) => {
  const executor = make({ gracePeriod: 20 });
  const before = await executor.submit(processId);
  await assertRejects(
    () => executor.submitWith({ timeout: 50 }, spin).result(),
    TimeoutError,
  );
  assertNotEquals(await executor.submit(processId), before);
  await until(() => !isAlive(before));
});

processTest("stops a loop that never yields by a signal", async (make) => {
  const executor = make({ gracePeriod: 20 });
  const before = await executor.submit(processId);
  const controller = new AbortController();
  const { signal } = controller;
  const cells = makeCells();
  const future = executor.submitWith({ signal }, spinNoted, cells);
  // What was sent counts as running, and would only be taken back.
  await until(() => load(cells, 0) === 1);
  controller.abort();
  assertEquals(future.state, "cancelled");
  await assertRejects(() => future.result(), CancelledError);
  assertNotEquals(await executor.submit(processId), before);
  await until(() => !isAlive(before));
});

processTest("kills what does not listen to SIGTERM", async (make) => {
  const executor = make({ gracePeriod: 20 });
  const before = await executor.submit(processId);
  const future = executor.submitWith({ timeout: 50 }, spinUntold);
  await assertRejects(() => future.result(), TimeoutError);
  assertNotEquals(await executor.submit(processId), before);
  assert(!isAlive(before));
});

processTest("terminates a loop that never yields", async (make) => {
  const executor = make();
  const worker = await executor.submit(processId);
  executor.submit(spin);
  await executor.terminate();
  assert(!isAlive(worker));
});

processTest(
  "gives 1,000 results while 20 tasks that never end time out",
  async (make) => {
    const executor = make({ maxWorkers: 2, gracePeriod: 0 });
    const futures = Array.from(
      { length: 1020 },
      (_, n) =>
        n % 51 === 50
          ? executor.submitWith({ timeout: 200 }, spin)
          : executor.submit((n: number) => n, n),
    );
    for (const [n, future] of futures.entries()) {
      if (n % 51 === 50) {
        assertInstanceOf(await future.exception(), TimeoutError);
      } else assertEquals(await future, n);
    }
  },
);

processTest("names the exit code of a worker that exits", async (make) => {
  const executor = make({ name: "mortal" });
  const error = await crashOf(executor.submit(() => Deno.exit(3)));
  assertStringIncludes(error.message, "'mortal-1'");
  const code = TELLS_EXIT_CODES ? 3 : 0;
  assertStringIncludes(error.message, `exit code ${code}`);
  assertEquals(await executor.submit(() => 1), 1);
});

processTest("names the signal that ended a worker", async (make) => {
  const executor = make();
  const pid = await executor.submit(processId);
  const future = executor.submit(spin);
  Deno.kill(pid, "SIGKILL");
  assertStringIncludes((await crashOf(future)).message, "SIGKILL");
  assertEquals(await executor.submit(() => 1), 1);
});

processTest(
  "runs elsewhere what a killed worker had not entered",
  async (make) => {
    const executor = make();
    const pid = await executor.submit(processId);
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    const waiting = [1, 2, 3].map((n) =>
      executor.submit(passGate, gate.cells, n)
    );
    await until(() => gate.reached === 1);
    Deno.kill(pid, "SIGKILL");
    await crashOf(running);
    gate.open();
    assertEquals(await Promise.all(waiting), [1, 2, 3]);
    assertEquals(gate.reached, 4);
  },
);

processTest("survives a worker that is killed while idle", async (make) => {
  const executor = make();
  const pid = await executor.submit(processId);
  Deno.kill(pid, "SIGKILL");
  await until(() => Deno.inspect(executor).includes("workers: []"));
  assertEquals(await executor.submit(() => 1), 1);
});

processTest("survives a worker that is killed as it starts", async (make) => {
  const executor = make({ name: "young" });
  const future = executor.submit(() => 1);
  await until(() => Deno.inspect(executor).includes("young-1: starting"));
  for (const pid of childrenOf(Deno.pid)) Deno.kill(pid, "SIGKILL");
  assertEquals(await future, 1);
});

processTest("ends a worker that exceeds 'memoryLimit'", async (make) => {
  const executor = make({ memoryLimit: 64 });
  const error = await crashOf(executor.submit(hoard));
  assertMatch(error.message, /SIG[A-Z]+|exit code \d+/);
  assertEquals(await executor.submit(() => 1), 1);
});

processTest("gives workers 'env' on top of its own", async (make) => {
  const executor = make({ env: { GREETING: "hello" } });
  const read = (name: string) => Deno.env.get(name);
  assertEquals(await executor.submit(read, "GREETING"), "hello");
  assertEquals(await executor.submit(read, "PATH"), Deno.env.get("PATH"));
});

const REFUSED: [options: unknown, error: typeof TypeError, text: string][] = [
  [{ memoryLimit: 0 }, RangeError, "'memoryLimit'"],
  [{ memoryLimit: 1.5 }, RangeError, "received 1.5"],
  [{ memoryLimit: "64" }, TypeError, 'received "64"'],
  [{ env: null }, TypeError, "received null"],
  [{ env: { A: 1 } }, TypeError, "'env'"],
  [{ env: "A=1" }, TypeError, 'received "A=1"'],
  [{ permissions: "all" }, RangeError, "'permissions'"],
  [{ permissions: 5 }, TypeError, "received 5"],
];

for (const [options, ErrorClass, text] of REFUSED) {
  Deno.test(`ProcessPoolExecutor refuses ${Deno.inspect(options)}`, () => {
    const make = () => new ProcessPoolExecutor(options as never);
    assertStringIncludes(assertThrows(make, ErrorClass).message, text);
  });
}

processTest(
  "refuses memory that is shared, and to move ports",
  async (make) => {
    const executor = make();
    const take = (..._: unknown[]) => "entered";
    const { port1, port2 } = new MessageChannel();
    const futures = [
      executor.submit(take, 1, new SharedArrayBuffer(8)),
      executor.submit(take, 1, new Int32Array(new SharedArrayBuffer(8))),
      executor.submit(take, 1, transfer(port2, [port2])),
      // V8 would make {} of these.
      executor.submit(take, 1, { ports: [port1] }),
      executor.submit(take, 1, new Map([["file", new Blob(["text"])]])),
      executor.submit(take, 1, new ReadableStream()),
    ];
    for (const future of futures) {
      const error = await future.exception();
      assertInstanceOf(error, DOMException);
      assertEquals(error.name, "DataCloneError");
      assertStringIncludes(error.message, "argument 2");
    }
    const made = await executor.submit(() => new SharedArrayBuffer(8))
      .exception();
    assertInstanceOf(made, DOMException);
    assertStringIncludes(made.message, "result");
    assertEquals(await executor.submit(take), "entered");
    port1.close();
    port2.close();
  },
);

processTest("carries errors, and what is deep or large", async (make) => {
  const executor = make();
  const identity = <T>(value: T) => value;
  const cause = new RangeError("Inner");
  const error = await executor.submit(identity, new Error("Outer", { cause }));
  assertEquals([error.message, (error.cause as Error).message], [
    "Outer",
    "Inner",
  ]);
  let deep: unknown = "end";
  for (let depth = 0; depth < 1000; depth++) deep = { deep };
  assertEquals(await executor.submit(identity, deep), deep);
  const buffer = new ArrayBuffer(16);
  const [whole, part] = await executor.submit(identity, [
    new Uint8Array(buffer).fill(7),
    new Uint8Array(buffer, 4, 2),
  ]);
  assertEquals(part!.byteOffset, 4);
  // Of one buffer, as they were.
  assert(whole!.buffer === part!.buffer);
  const bytes = new Uint8Array(16 * 2 ** 20).map((_, i) => i * 7);
  assertEquals(await executor.submit(identity, bytes), bytes);
});

processTest(
  "takes large arguments while a large result comes",
  async (make) => {
    const executor = make();
    const reverse = (bytes: Uint8Array) => bytes.toReversed();
    const inputs = [1, 2, 3, 4].map((n) => new Uint8Array(8 * 2 ** 20).fill(n));
    const results: Uint8Array[] = await executor.map(reverse, inputs);
    assertEquals(
      results.map(({ length }) => length),
      inputs.map((b) => b.length),
    );
    assertEquals(results.map(([first]) => first), [1, 2, 3, 4]);
  },
);

processTest("gives its workers no standard input", async (make) => {
  const executor = make();
  const read = async () => await Deno.stdin.read(new Uint8Array(1));
  const outcome = executor.submit(read).result().catch(() => null);
  assertEquals(await outcome, null);
  assertEquals(await executor.submit(() => 1), 1);
});

processTest("shuts down while a worker is still starting", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const future = executor.submit(echoAfter, "value", 1);
  await executor.shutdown();
  assertEquals(await future, "value");
});

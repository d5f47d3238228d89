// The options that all executors have: maxWorkers, initializer, initArgs.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { BrokenExecutorError, type Future } from "../../mod.ts";
import { behaviour, until } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

/** What initializers here write, and tasks read. */
const initialized = globalThis as { initialized?: unknown };

const initialize = (...args: unknown[]) => {
  (globalThis as typeof initialized).initialized = args;
};
const readInitialized = () => (globalThis as typeof initialized).initialized;

const failToInitialize = () => {
  throw new RangeError("No such database");
};

/** The error of an executor that is broken by `failToInitialize`. */
async function breakage(future: Future<unknown>): Promise<BrokenExecutorError> {
  const error = await assertRejects(() => future.result(), BrokenExecutorError);
  assertInstanceOf(error.cause, RangeError);
  assertEquals(error.cause.message, "No such database");
  return error;
}

behaviour(
  "executor options may be left out, and unknown ones are ignored",
  async ({ kind, make }) => {
    assertEquals(await make().submit(() => 1), 1);
    assertEquals(await make({}).submit(() => 1), 1);
    await using executor = kind.make({ threads: -1 } as never);
    assertEquals(await executor.submit(() => 1), 1);
  },
);

behaviour(
  "maxWorkers can be read, and not be written",
  async ({ kind, make }) => {
    const executor = make({ maxWorkers: 3 });
    assertEquals(executor.maxWorkers, 3);
    assertThrows(() => {
      (executor as { maxWorkers: number }).maxWorkers = 4;
    }, TypeError);
    assertEquals(executor.maxWorkers, 3);
    await using other = kind.make();
    assert(other.maxWorkers >= navigator.hardwareConcurrency);
  },
);

behaviour("executor options are checked at the call", ({ kind }) => {
  const call = (options: unknown) => () => kind.make(options as never);
  assertThrows(call(null), TypeError, "received null");
  assertThrows(call(4), TypeError, "received 4");
  for (const maxWorkers of [0, -1, 1.5, NaN, Infinity]) {
    const received = `received ${maxWorkers}`;
    assertThrows(call({ maxWorkers }), RangeError, received);
  }
  assertThrows(call({ maxWorkers: "2" }), TypeError, 'received "2"');
  assertThrows(call({ maxWorkers: null }), TypeError, "received null");
  assertThrows(call({ initializer: "init" }), TypeError, 'received "init"');
  assertThrows(call({ initializer: null }), TypeError, "received null");
  assertThrows(call({ initArgs: "args" }), TypeError, 'received "args"');
});

behaviour(
  "initializer is called with initArgs before the first task",
  async ({ make }) => {
    const executor = make({
      maxWorkers: 1,
      initializer: initialize,
      initArgs: [1, "two"],
    });
    assertEquals(await executor.submit(readInitialized), [1, "two"]);
  },
);

behaviour(
  "initializer is called without arguments if there are none",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: initialize });
    assertEquals(await executor.submit(readInitialized), []);
  },
);

behaviour("initializer that is async is awaited", async ({ make }) => {
  const executor = make({
    maxWorkers: 1,
    initializer: async (value: string) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      (globalThis as typeof initialized).initialized = value;
    },
    initArgs: ["later"],
  });
  const results = executor.map(readInitialized, [1, 2, 3]);
  assertEquals(await executor.submit(readInitialized), "later");
  assertEquals(await results, ["later", "later", "later"]);
});

behaviour("initializer may be a task()", async ({ kind, make }) => {
  const gate = new Gate();
  const executor = make({
    maxWorkers: 1,
    initializer: passGate,
    initArgs: [gate.cells, 1],
  });
  const future = executor.submit(() => "after");
  await until(() => gate.reached === 1);
  assertEquals(future.state, kind.exact ? "pending" : "running");
  gate.open();
  assertEquals(await future, "after");
});

behaviour(
  "initializer is not called if nothing is submitted",
  async ({ make }) => {
    const gate = new Gate();
    gate.open();
    const options = { initializer: passGate, initArgs: [gate.cells, 1] };
    await make(options).shutdown();
    assertEquals(gate.reached, 0);
  },
);

behaviour(
  "initializer that holds the executor up lets pending tasks be cancelled",
  async ({ kind, make }) => {
    const gate = new Gate();
    const options = { initializer: passGate, initArgs: [gate.cells, 1] };
    const executor = make({ maxWorkers: 1, ...options });
    const first = executor.submit(() => 1);
    const second = executor.submit(() => 2);
    const kept = executor.submit(() => 3);
    await until(() => gate.reached === 1);
    // It may have been sent ahead.
    assertEquals(first.cancel(), kind.exact);
    assert(second.cancel());
    gate.open();
    assertEquals(await kept, 3);
    assertEquals([first.state, second.state], [
      kind.exact ? "cancelled" : "finished",
      "cancelled",
    ]);
  },
);

behaviour(
  "initializer that fails breaks the executor for all that is pending",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: failToInitialize });
    const futures = [1, 2, 3].map((n) => executor.submit((n: number) => n, n));
    const results = executor.map((n: number) => n, [1, 2]);
    const errors = await Promise.all(futures.map(breakage));
    assertEquals(futures.map(({ state }) => state), [
      "finished",
      "finished",
      "finished",
    ]);
    assertEquals(new Set(errors).size, 3);
    assertStrictEquals(errors[0]!.cause, errors[2]!.cause);
    await assertRejects(() => results.next(), BrokenExecutorError);
    assertEquals(await results.next(), { done: true, value: undefined });
  },
);

behaviour(
  "initializer that fails asynchronously breaks the executor",
  async ({ make }) => {
    const executor = make({
      maxWorkers: 1,
      initializer: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw new RangeError("No such database");
      },
    });
    await breakage(executor.submit(() => 1));
  },
);

behaviour(
  "initializer that has failed makes submit() and map() throw",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: failToInitialize });
    const first = await breakage(executor.submit(() => 1));
    const thrown = assertThrows(
      () => executor.submit(() => 1),
      BrokenExecutorError,
    );
    assertInstanceOf(thrown.cause, RangeError);
    assert(thrown !== first);
    assertThrows(() => executor.submitWith({}, () => 1), BrokenExecutorError);
    assertThrows(() => executor.map(() => 1, [1]), BrokenExecutorError);
  },
);

behaviour(
  "initializer that has failed is seen before a shutdown is",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: failToInitialize });
    await breakage(executor.submit(() => 1));
    await executor.shutdown();
    assertThrows(() => executor.submit(() => 1), BrokenExecutorError);
  },
);

behaviour(
  "initializer that fails while the executor shuts down leaves nothing unsettled",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: failToInitialize });
    const future = executor.submit(() => 1);
    await executor.shutdown();
    assertEquals(future.state, "finished");
    await breakage(future);
  },
);

behaviour(
  "initializer that fails leaves cancelled futures as they are",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1, initializer: failToInitialize });
    const cancelled = executor.submit(() => 1);
    const failed = executor.submit(() => 2);
    cancelled.cancel();
    await breakage(failed);
    assertEquals(cancelled.state, "cancelled");
  },
);

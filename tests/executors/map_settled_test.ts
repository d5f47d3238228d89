// map() with settled: what becomes of each call, instead of the first error.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type MapResult,
  ShutdownError,
  TimeoutError,
} from "../../mod.ts";
import { behaviour, until } from "./helpers/harness.ts";
import { inputError, NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

type Settled<T> = PromiseSettledResult<T>;

const failOdd = (n: number) => {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
  return n;
};

/** What a result says, in short. */
function said(result: Settled<unknown>): unknown {
  return result.status === "fulfilled"
    ? result.value
    : result.reason instanceof Error
    ? result.reason.message
    : result;
}

/** All results, and the name of the error after them. */
async function readAll(results: MapResult<Settled<unknown>>) {
  const read: unknown[] = [];
  try {
    for await (const result of results) read.push(said(result));
  } catch (error) {
    read.push((error as Error).name);
  }
  return read;
}

for (const ordered of [true, false]) {
  behaviour(
    `map() with settled and ordered: ${ordered} goes on after an error`,
    async ({ make }) => {
      const executor = make({ maxWorkers: 1 });
      const options = { settled: true, ordered } as const;
      const expected = [0, "1 is odd", 2, "3 is odd"];
      const results = executor.map(failOdd, [0, 1, 2, 3], options);
      assertEquals((await results).map(said), expected);
      const read = await readAll(executor.map(failOdd, [0, 1, 2, 3], options));
      assertEquals(read, expected);
    },
  );
}

behaviour(
  "map() with settled gives what Promise.allSettled() gives",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = await executor.map(failOdd, [0, 1], { settled: true });
    assertEquals(results[0], { status: "fulfilled", value: 0 });
    const failed = results[1] as PromiseRejectedResult;
    assertEquals(failed.status, "rejected");
    assertInstanceOf(failed.reason, RangeError);
  },
);

behaviour(
  "map() with settled: errors that are falsy are errors",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const fail = () => {
      throw undefined;
    };
    assertEquals(await executor.map(fail, [1], { settled: true }), [
      { status: "rejected", reason: undefined },
    ]);
  },
);

behaviour(
  "map() with settled has an input that rejects as a result",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const inputs = [0, Promise.reject(new Error("no input")), 2];
    const results = executor.map(failOdd, inputs, { settled: true });
    assertEquals((await results).map(said), [0, "no input", 2]);
  },
);

behaviour(
  "map() with settled ends when an input throws",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const input = new NotedInput(Infinity, 2);
    const results = executor.map(failOdd, input, { settled: true });
    assertEquals(await readAll(results), [0, "1 is odd", inputError.name]);
  },
);

behaviour(
  "map() with settled ends when its time is up",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const open = new Gate();
    open.open();
    // The function is loaded before the time begins.
    await executor.submit(passGate, open.cells, 1);
    const gate = new Gate();
    const results = executor.map(passGate, gate.again(), [1], {
      settled: true,
      timeout: 20,
    });
    await assertRejects(() => results.then(), TimeoutError);
    gate.open();
  },
);

behaviour(
  "map() with settled ends when its signal is aborted",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const controller = new AbortController();
    const results = executor.map(passGate, gate.again(), [1], {
      settled: true,
      signal: controller.signal,
    });
    const rejected = assertRejects(() => results.then(), CancelledError);
    await until(() => gate.reached === 1);
    controller.abort();
    await rejected;
    gate.open();
  },
);

behaviour(
  "map() with settled ends on a shutdown with input left, after what was submitted",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(failOdd, new NotedInput(), {
      settled: true,
      bufferSize: 2,
    });
    await executor.shutdown();
    assertEquals(await readAll(results), [0, "1 is odd", ShutdownError.name]);
  },
);

behaviour(
  "map() with settled has what cancelFutures cancels as results",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const count = 1000;
    const inputs = Array.from({ length: count }, (_, i) => i);
    const results = executor.map(passGate, gate.again(), inputs, {
      settled: true,
      chunkSize: 1,
      bufferSize: Infinity,
    });
    await until(() => gate.reached > 0);
    const closed = executor.shutdown({ cancelFutures: true });
    gate.open();
    await closed;
    const settled = await results;
    assertEquals(settled.length, count);
    assertEquals(settled[0], { status: "fulfilled", value: 0 });
    const last = settled.at(-1)!;
    assert(last.status === "rejected");
    assertInstanceOf(last.reason, CancelledError);
  },
);

behaviour("map() checks settled", ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  for (const settled of [null, 1, "yes"]) {
    const options = { settled } as never;
    assertThrows(() => executor.map(failOdd, [1], options), TypeError);
  }
});

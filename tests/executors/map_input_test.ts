// map(): which inputs it takes, and how they end.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CancelledError, ShutdownError, TimeoutError } from "../../mod.ts";
import {
  commonBehaviour as behaviour,
  settle,
  until,
} from "./helpers/harness.ts";
import {
  inputError,
  NotedAsyncInput,
  NotedInput,
} from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const negate = (n: number) => -n;
const pair = (a: unknown, b: unknown) => [a, b];

behaviour("map() takes any iterable", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const identity = (value: unknown) => value;
  function* generator() {
    yield 1;
    yield 2;
  }
  assertEquals(await executor.map(identity, new Set([1, 2])), [1, 2]);
  assertEquals(await executor.map(identity, new Map([["a", 1]])), [["a", 1]]);
  assertEquals(await executor.map(identity, generator()), [1, 2]);
  assertEquals(await executor.map(identity, new Uint8Array([1, 2])), [1, 2]);
  assertEquals(await executor.map(identity, "aé𝒳"), ["a", "é", "𝒳"]);
  assertEquals(await executor.map(identity, ""), []);
});

behaviour("map() takes async iterables", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  assertEquals(await executor.map(negate, new NotedAsyncInput(3)), [
    -0,
    -1,
    -2,
  ]);
  const stream = ReadableStream.from([1, 2]);
  assertEquals(await executor.map(negate, stream), [-1, -2]);
});

behaviour(
  "map() zips its inputs, and the shortest ends it",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await executor.map(pair, [1, 2, 3], "ab"), [[1, "a"], [
      2,
      "b",
    ]]);
    assertEquals(await executor.map(pair, [1], "ab"), [[1, "a"]]);
    assertEquals(await executor.map(pair, [], new NotedInput()), []);
    const sum = (a: number, b: number, c: number) => a + b + c;
    assertEquals(
      await executor.map(sum, [1, 2, 3], new NotedInput(), new Set([10, 20])),
      [11, 23],
    );
  },
);

behaviour("map() zips sync and async inputs", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  assertEquals(await executor.map(pair, new NotedAsyncInput(), "ab"), [
    [0, "a"],
    [1, "b"],
  ]);
  assertEquals(await executor.map(pair, "abc", new NotedAsyncInput(2)), [
    ["a", 0],
    ["b", 1],
  ]);
});

behaviour(
  "map() takes neighbours from an iterator that is given twice",
  async ({ make }) => {
    const iterator = [1, 2, 3, 4, 5].values();
    assertEquals(await make().map(pair, iterator, iterator), [[1, 2], [3, 4]]);
  },
);

behaviour("map() tells the longer inputs that it is over", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const [longer, shorter] = [new NotedInput(), new NotedInput(2)];
  await executor.map(pair, longer, shorter);
  assertEquals([longer.returned, shorter.returned], [1, 0]);
  assertEquals([longer.opened, shorter.opened], [1, 1]);
});

for (const Input of [NotedInput, NotedAsyncInput]) {
  behaviour(
    `map() rejects at the position of an error of its ${Input.name}`,
    async ({ make }) => {
      const executor = make({ maxWorkers: 1 });
      const results = executor.map(negate, new Input(5, 2));
      assertEquals(await results.next(), { done: false, value: -0 });
      assertEquals(await results.next(), { done: false, value: -1 });
      assertEquals(await assertRejects(() => results.next()), inputError);
      assertEquals(await results.next(), { done: true, value: undefined });
      const awaited = executor.map(negate, new Input(5, 2));
      assertEquals(await assertRejects(() => awaited), inputError);
    },
  );

  behaviour(
    `map() closes the inputs beside a ${Input.name} that fails`,
    async ({ make }) => {
      const other = new NotedInput();
      const results = make({ maxWorkers: 1 }).map(pair, other, new Input(5, 2));
      await assertRejects(() => results, RangeError);
      assertEquals(other.returned, 1);
    },
  );

  behaviour(
    `map() closes its ${Input.name} when the loop is left`,
    async ({ make }) => {
      const input = new Input();
      const notes = input instanceof NotedInput ? input : input.sync;
      for await (const _ of make({ maxWorkers: 1 }).map(negate, input)) break;
      await until(() => notes.returned === 1);
      const { pulled } = notes;
      await settle();
      assertEquals(notes.returned, 1);
      // One question to an async input may have been open.
      assert(notes.pulled <= pulled + 1);
    },
  );
}

behaviour("map() closes its inputs after a task's error", async ({ make }) => {
  const fail = () => {
    throw new RangeError("Failed");
  };
  const input = new NotedInput();
  const results = make({ maxWorkers: 1 }).map(fail, input, { bufferSize: 2 });
  await assertRejects(() => results.next(), RangeError);
  assertEquals(input.returned, 1);
});

behaviour("map() takes inputs that cannot be closed", async ({ make }) => {
  const endless = {
    [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }),
  };
  const results = make({ maxWorkers: 1 }).map(negate, endless);
  assertEquals(await results.next(), { done: false, value: -1 });
  await results.return();
});

behaviour(
  "map() pulls no more after a shutdown, gives what was submitted, then rejects",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const input = new NotedInput();
    const results = executor.map(negate, input, { bufferSize: 3 });
    await executor.shutdown();
    assertEquals(input.pulled, 3);
    assertEquals(await results.next(), { done: false, value: -0 });
    assertEquals(await results.next(), { done: false, value: -1 });
    assertEquals(await results.next(), { done: false, value: -2 });
    await assertRejects(() => results.next(), ShutdownError);
    assertEquals(await results.next(), { done: true, value: undefined });
    assertEquals([input.pulled, input.returned], [3, 1]);
  },
);

behaviour(
  "map() awaited across a shutdown rejects if input was left",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(negate, new NotedInput(), { bufferSize: 3 });
    const shutdown = executor.shutdown();
    await assertRejects(() => results, ShutdownError);
    await shutdown;
  },
);

behaviour(
  "map() whose input had ended is complete after a shutdown",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(negate, [1, 2, 3]);
    await executor.shutdown();
    assertEquals(await results, [-1, -2, -3]);
  },
);

behaviour(
  "map() does not wait for an async input that never answers",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const left = executor.map(negate, silent);
    const waiting = left.next();
    await left.return();
    assertEquals(await waiting, { done: true, value: undefined });
    const late = executor.map(negate, silent, { timeout: 5 });
    await assertRejects(() => late.next(), TimeoutError);
    const controller = new AbortController();
    const { signal } = controller;
    const stopped = executor.map(negate, silent, { signal });
    const rejected = assertRejects(() => stopped.next(), CancelledError);
    controller.abort();
    await rejected;
  },
);

behaviour(
  "map() does not run what an async input gives after a shutdown",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    gate.open();
    const late = Promise.withResolvers<number>();
    let returned = false;
    async function* input() {
      try {
        yield 1;
        yield late.promise;
      } finally {
        returned = true;
      }
    }
    const results = executor.map(passGate, gate.again(), input());
    assertEquals(await results.next(), { done: false, value: 1 });
    const shutdown = executor.shutdown();
    late.resolve(2);
    await shutdown;
    await assertRejects(() => results.next(), ShutdownError);
    assertEquals(gate.reached, 1);
    await until(() => returned);
  },
);

behaviour(
  "map() throws ShutdownError after a shutdown, and leaves its input alone",
  async ({ make }) => {
    const executor = make();
    await executor.shutdown();
    const input = new NotedInput();
    assertThrows(() => executor.map(negate, input), ShutdownError);
    assertEquals(input.pulled, 0);
  },
);

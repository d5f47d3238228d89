// map(): when it pulls from its inputs, and how far ahead.

import { assert, assertEquals } from "@std/assert";
import {
  commonBehaviour as behaviour,
  settle,
  until,
} from "./helpers/harness.ts";
import { NotedAsyncInput, NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const negate = (n: number) => -n;

behaviour(
  "map() pulls bufferSize inputs at the call, and no more until it is read",
  async ({ make }) => {
    const input = new NotedInput();
    const results = make({ maxWorkers: 1 }).map(negate, input, {
      bufferSize: 5,
    });
    assertEquals(input.pulled, 5);
    await settle();
    assertEquals(input.pulled, 5);
    for (let read = 1; read <= 20; read++) {
      await results.next();
      assert(input.pulled <= 5 + read, `${input.pulled} after ${read}`);
      await until(() => input.pulled === 5 + read);
    }
    await settle();
    assertEquals(input.pulled, 25);
    await results.return();
  },
);

behaviour("map() counts what has finished and is unread", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const input = new NotedInput();
  const gate = new Gate();
  gate.open();
  const options = { bufferSize: 3, ordered: false };
  const results = executor.map(passGate, gate.again(), input, options);
  await until(() => gate.reached === 3);
  await executor.submit(() => {});
  await settle();
  assertEquals(input.pulled, 3);
  await results.return();
});

behaviour("map() pulls 1000 inputs by default", async ({ make }) => {
  const input = new NotedInput();
  const results = make({ maxWorkers: 1 }).map(negate, input);
  assertEquals(input.pulled, 1000);
  await results.return();
});

behaviour(
  "map() with bufferSize 1 has one item at a time",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const input = new NotedInput(4);
    const options = { bufferSize: 1 };
    const results = executor.map(passGate, gate.again(), input, options);
    await until(() => gate.reached === 1);
    await settle();
    assertEquals([input.pulled, gate.reached], [1, 1]);
    gate.open();
    assertEquals(await results, [0, 1, 2, 3]);
  },
);

behaviour(
  "map() with bufferSize Infinity pulls everything at the call",
  async ({ make }) => {
    const input = new NotedInput(2500);
    const options = { bufferSize: Infinity };
    const results = make({ maxWorkers: 1 }).map(negate, input, options);
    assertEquals(input.pulled, 2501);
    assertEquals((await results).length, 2500);
  },
);

behaviour(
  "map() takes more inputs than its buffer when it is awaited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(negate, new NotedInput(2500));
    assertEquals((await results).length, 2500);
    const options = { bufferSize: 7 };
    assertEquals(
      (await executor.map(negate, new NotedAsyncInput(20), options)).length,
      20,
    );
  },
);

behaviour(
  "map() pulls async inputs while there is room, one at a time",
  async ({ make }) => {
    const input = new NotedAsyncInput();
    const results = make({ maxWorkers: 1 }).map(negate, input, {
      bufferSize: 3,
    });
    await until(() => input.sync.pulled === 3);
    await settle();
    assertEquals(input.sync.pulled, 3);
    await results.next();
    await until(() => input.sync.pulled === 4);
    await settle();
    assertEquals([input.sync.pulled, input.concurrent], [4, 1]);
    await results.return();
  },
);

behaviour(
  "map() gives results while an async input keeps it waiting",
  async ({ make }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    async function* input() {
      yield 1;
      await promise;
      yield 2;
    }
    const results = make({ maxWorkers: 1 }).map(negate, input());
    assertEquals(await results.next(), { done: false, value: -1 });
    resolve();
    assertEquals(await results, [-2]);
  },
);

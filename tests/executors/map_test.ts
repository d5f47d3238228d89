// map(): results, errors, and the end.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Future } from "../../mod.ts";
import { behaviour, settle, until } from "./helpers/harness.ts";
import {
  Gate,
  passBackwards,
  passGate,
  passUnlessZero,
} from "./helpers/tasks.ts";

const square = (n: number) => n * n;

/** Fails for 0. */
const invert = (n: number) => {
  if (n === 0) throw new RangeError("No inverse");
  return 1 / n;
};

behaviour("map() gives what an array's map() gives", async ({ make }) => {
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  assertEquals(await make().map(square, numbers), numbers.map(square));
});

behaviour("map() can be iterated", async ({ make }) => {
  const results: number[] = [];
  for await (const result of make().map(square, [1, 2, 3])) {
    results.push(result);
  }
  assertEquals(results, [1, 4, 9]);
});

behaviour("map() awaits what async functions return", async ({ make }) => {
  const later = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return -n;
  };
  assertEquals(await make().map(later, [1, 2, 3]), [-1, -2, -3]);
});

behaviour(
  "map() keeps the order of the inputs, whatever ends first",
  async ({ make }) => {
    const gate = new Gate();
    const results = make({ maxWorkers: 2 }).map(
      passBackwards,
      gate.again(),
      [1, 2, 3],
    );
    assertEquals(await results, [1, 2, 3]);
  },
);

behaviour("map() runs without being read", async ({ make }) => {
  const gate = new Gate();
  gate.open();
  const executor = make({ maxWorkers: 1 });
  const results = executor.map(passGate, gate.again(), [1, 2]);
  await executor.shutdown();
  assertEquals(gate.reached, 2);
  assertEquals(await results, [1, 2]);
});

behaviour("map() with an empty input gives nothing", async ({ make }) => {
  const executor = make();
  assertEquals(await executor.map(square, []), []);
  const results = executor.map(square, []);
  assertEquals(await results.next(), { done: true, value: undefined });
});

behaviour("map() without inputs gives nothing", async ({ make }) => {
  const executor = make();
  assertEquals(await executor.map(square), []);
  assertEquals(await executor.map(square, { bufferSize: 5 }), []);
});

behaviour(
  "map() rejects at the position of a task's error, then is finished",
  async ({ make }) => {
    const results = make().map(invert, [1, 2, 0, 4]);
    assertEquals(await results.next(), { done: false, value: 1 });
    assertEquals(await results.next(), { done: false, value: 0.5 });
    await assertRejects(() => results.next(), RangeError, "No inverse");
    assertEquals(await results.next(), { done: true, value: undefined });
    assertEquals(await results, []);
  },
);

behaviour("map() awaited rejects with a task's error", async ({ make }) => {
  const results = make().map(invert, [1, 0]);
  const error = await assertRejects(() => results, RangeError, "No inverse");
  // As a promise does, every time.
  assertStrictEquals(await assertRejects(() => results), error);
});

behaviour("map() rejects with falsy errors", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const fail = (value: unknown) => {
    throw value;
  };
  for (const value of [undefined, null, 0, "", false]) {
    const results = executor.map(fail, [value]);
    const thrown = await results.next().catch((error) => [error]);
    assertEquals(thrown, [value]);
  }
});

behaviour(
  "map() cancels what has not started after an error",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(
      passUnlessZero,
      gate.again(),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    await assertRejects(() => results.next(), RangeError);
    gate.open();
    await executor.shutdown();
    // The one after it may have been entered before the error was read.
    assert(gate.reached <= 2, `${gate.reached} were entered`);
  },
);

behaviour(
  "map() cancels what has not started when the loop is left",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 1 });
    const other = executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const results = executor.map(passGate, gate.again(), [1, 2, 3, 4]);
    await settle();
    await results.return();
    gate.open();
    await other;
    await executor.shutdown();
    assertEquals(gate.reached, 1);
  },
);

behaviour(
  "map() leaves what runs alone when the loop is left",
  async ({ make }) => {
    const gate = new Gate();
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(passGate, gate.again(), [1, 2]);
    await until(() => gate.reached === 1);
    await results.return();
    let ended = false;
    const shutdown = executor.shutdown().then(() => ended = true);
    await settle();
    assertEquals(ended, false);
    gate.open();
    await shutdown;
    assertEquals(gate.reached, 1);
  },
);

behaviour("map() is finished after break", async ({ make }) => {
  const results = make().map(square, [1, 2, 3]);
  for await (const result of results) {
    assertEquals(result, 1);
    break;
  }
  assertEquals(await results.next(), { done: true, value: undefined });
  assertEquals(await results, []);
});

behaviour("map() return() ends it, and says so", async ({ make }) => {
  const results = make().map(square, [1, 2, 3]);
  assertEquals(await results.return(), { done: true, value: undefined });
  assertEquals(await results.return(), { done: true, value: undefined });
  assertEquals(await results.next(), { done: true, value: undefined });
});

behaviour("map() return() ends those who wait", async ({ make }) => {
  const gate = new Gate();
  const results = make().map(passGate, [gate.cells], [1]);
  const waiting = [results.next(), results.next()];
  await results.return();
  assertEquals(await Promise.all(waiting), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
  gate.open();
});

behaviour("map() serves several next() in turn", async ({ make }) => {
  const results = make().map(square, [1, 2]);
  const read = [results.next(), results.next(), results.next()];
  assertEquals(await Promise.all(read), [
    { done: false, value: 1 },
    { done: false, value: 4 },
    { done: true, value: undefined },
  ]);
});

behaviour(
  "map() gives an error to the one next() whose turn it is",
  async ({ make }) => {
    const results = make().map(invert, [1, 0, 2]);
    const read = [results.next(), results.next(), results.next()];
    const outcomes = await Promise.allSettled(read);
    assertEquals(outcomes.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    assertEquals(await read[2], { done: true, value: undefined });
  },
);

behaviour(
  "map() awaited gives the rest, and the same array each time",
  async ({ make }) => {
    const results = make().map(square, [1, 2, 3, 4]);
    await results.next();
    await results.next();
    const rest = await results;
    assertEquals(rest, [9, 16]);
    assertStrictEquals(await results, rest);
    assertEquals(await results.next(), { done: true, value: undefined });
  },
);

behaviour(
  "map() awaited after the last result gives an empty array",
  async ({ make }) => {
    const results = make().map(square, [1]);
    for await (const _ of results);
    assertEquals(await results, []);
  },
);

behaviour(
  "map() has then(), catch() and finally() of a promise",
  async ({ make }) => {
    const executor = make();
    const squares = () => executor.map(square, [1, 2]);
    const failing = () => executor.map(invert, [0]);
    const sum = ([a, b]: number[]) => a! + b!;
    const calls: unknown[][] = [];
    const note = (...args: unknown[]) => void calls.push(args);
    assertEquals(await squares().then(sum), 5);
    assertEquals(await squares().catch(() => []), [1, 4]);
    assertEquals(await squares().finally(note), [1, 4]);
    assertEquals(await failing().then(sum, () => "handled"), "handled");
    assertEquals(await failing().catch(() => "handled"), "handled");
    await assertRejects(() => failing().finally(note), RangeError);
    assertEquals(calls, [[], []]);
  },
);

behaviour("map() is its own iterator", ({ make }) => {
  const results = make().map(square, []);
  assertStrictEquals(results[Symbol.asyncIterator](), results);
});

behaviour("map() cancels nothing but its own items", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const results = executor.map(square, [1, 2, 3]);
  const future = executor.submit(square, 5);
  const others = executor.map(square, [4, 5]);
  await results.return();
  assert(future instanceof Future);
  assertEquals(await future, 25);
  assertEquals(await others, [16, 25]);
});

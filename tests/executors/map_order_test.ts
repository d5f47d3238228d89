// map(): the order of results, and how many items travel together.

import { assertEquals, assertRejects } from "@std/assert";
import { Executor } from "../../mod.ts";
import type { Job } from "../../executors/job/mod.ts";
import { behaviour, settle, until } from "./helpers/harness.ts";
import { NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate, passUnlessZero } from "./helpers/tasks.ts";

const negate = (n: number) => -n;

behaviour("map() gives the same whatever its chunkSize", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const invert = (n: number) => {
    if (n === 30) throw new RangeError("No inverse");
    return 1 / n;
  };
  for (const chunkSize of [1, 2, 7, 1000]) {
    const input = new NotedInput(50);
    const results = executor.map(invert, input, { chunkSize });
    const read: number[] = [];
    await assertRejects(async () => {
      for await (const result of results) read.push(result);
    }, RangeError);
    assertEquals(read, Array.from({ length: 30 }, (_, n) => 1 / n));
    const squares = await executor.map(negate, new NotedInput(50), {
      chunkSize,
      bufferSize: 10,
    });
    assertEquals(squares, Array.from({ length: 50 }, (_, n) => -n));
  }
});

behaviour(
  "map() pulls no more than bufferSize whatever its chunkSize",
  async ({ make }) => {
    const input = new NotedInput();
    const options = { bufferSize: 5, chunkSize: 100 };
    const results = make({ maxWorkers: 1 }).map(negate, input, options);
    assertEquals(input.pulled, 5);
    await settle();
    assertEquals(input.pulled, 5);
    await results.next();
    await until(() => input.pulled === 6);
    await results.return();
  },
);

behaviour(
  "map() can cancel what has not been entered whatever its chunkSize",
  async ({ kind, make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const input = new NotedInput();
    const options = { chunkSize: 100 };
    const results = executor.map(passGate, gate.again(), input, options);
    await until(() => gate.reached === 1);
    await results.return();
    // A process, or a node, has to give it back.
    const left = () => / 1 calls|sent: 1,/.test(Deno.inspect(executor));
    if (!kind.exact) await until(left);
    gate.open();
    await executor.shutdown();
    assertEquals(gate.reached, 1);
  },
);

behaviour("map() unordered gives results as they finish", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const [slow, fast] = [new Gate(), new Gate()];
  const cells = [slow.cells, fast.cells];
  const results = executor.map(passGate, cells, [1, 2], { ordered: false });
  await until(() => slow.reached + fast.reached === 2);
  fast.open();
  assertEquals(await results.next(), { done: false, value: 2 });
  slow.open();
  assertEquals(await results.next(), { done: false, value: 1 });
  assertEquals(await results.next(), { done: true, value: undefined });
});

behaviour("map() unordered awaited gives everything", async ({ make }) => {
  const options = { ordered: false, bufferSize: 7 };
  const results = await make().map(negate, new NotedInput(100), options);
  assertEquals(
    results.toSorted((a, b) => b - a),
    Array.from({ length: 100 }, (_, n) => -n),
  );
});

behaviour(
  "map() unordered rejects as soon as an item fails",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const cells = [gate.cells, gate.cells];
    const results = executor.map(passUnlessZero, cells, [1, 0], {
      ordered: false,
    });
    await assertRejects(() => results.next(), RangeError, "Zero");
    assertEquals(await results.next(), { done: true, value: undefined });
    gate.open();
  },
);

behaviour(
  "map() unordered gives an error of its input after what was pulled before",
  async ({ make }) => {
    const options = { ordered: false };
    const results = make().map(negate, new NotedInput(5, 3), options);
    const read: number[] = [];
    await assertRejects(async () => {
      for await (const result of results) read.push(result);
    }, RangeError);
    assertEquals(read.toSorted((a, b) => b - a), [-0, -1, -2]);
  },
);

/** Whose items the test runs. */
class ByHand extends Executor {
  readonly items: Job[] = [];

  protected override enqueue(item: Job): void {
    this.items.push(item);
  }

  protected override close(): Promise<void> {
    return Promise.resolve();
  }
}

Deno.test("map() gives what was taken off its chunk after the rest of that was read", async () => {
  const executor = new ByHand();
  const results = executor.map(negate, [1, 2]);
  const [item] = executor.items;
  item!.resolve(-1);
  assertEquals(await results.next(), { done: false, value: -1 });
  const next = results.next();
  item!.split(1).resolve(-2);
  assertEquals(await next, { done: false, value: -2 });
});

Deno.test("map() takes outcomes without a call for those of the first calls that have none", async () => {
  const executor = new ByHand();
  const results = executor.map(negate, [1, 2, 3, 4]);
  const [item] = executor.items;
  item!.resolve(-2, 1);
  item!.resolve(-1);
  item!.resolve(-3);
  item!.split(3).resolve(-4);
  item!.resolve(-5);
  assertEquals(await results, [-1, -2, -3, -4]);
});

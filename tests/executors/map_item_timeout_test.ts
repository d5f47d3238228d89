// map(), forEach(): how long each call may take.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TimeoutError } from "../../mod.ts";
import { behaviour, until } from "./helpers/harness.ts";
import { echoAfter, Gate, noteStop, passGate } from "./helpers/tasks.ts";

behaviour(
  "map() with itemTimeout fails the call that takes too long, and no other (pebble#132)",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const open = new Gate();
    open.open();
    const gates = [open.cells, gate.cells, open.cells, open.cells];
    const results = await executor.map(passGate, gates, [0, 1, 2, 3], {
      settled: true,
      itemTimeout: 300,
      chunkSize: 4,
    });
    gate.open();
    const said = results.map((result) =>
      result.status === "fulfilled" ? result.value : result.reason.name
    );
    assertEquals(said, [0, TimeoutError.name, 2, 3]);
    const { finished, failed } = executor.stats();
    assertEquals([finished, failed], [3, 1]);
  },
);

behaviour(
  "map() with itemTimeout stops the call",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const results = executor.map(noteStop, [gate.cells], { itemTimeout: 100 });
    await assertRejects(
      () => results.then(),
      TimeoutError,
      "Task 'noteStop' ran longer than its timeout of 100 ms",
    );
    await until(() => gate.stoppedBy === TimeoutError.name);
  },
);

behaviour(
  "map() with itemTimeout counts from the start of each call",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const inputs = Array.from({ length: 8 }, (_, i) => i);
    // One after another they take longer than one may.
    const results = executor.map(echoAfter, inputs, Array(8).fill(100), {
      itemTimeout: 700,
    });
    assertEquals(await results, inputs);
  },
);

behaviour(
  "a call of a map() that was left is still stopped when its time is up",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const results = executor.map(noteStop, [gate.cells], { itemTimeout: 300 });
    await until(() => gate.reached === 1);
    await results.return();
    await until(() => gate.stoppedBy === TimeoutError.name);
    await executor.shutdown();
  },
);

behaviour(
  "forEach() with itemTimeout ends with the first call that takes too long",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const done = executor.forEach(noteStop, gate.again(), { itemTimeout: 100 });
    await assertRejects(() => done, TimeoutError);
  },
);

behaviour(
  "map() with itemTimeout and results that come together loses none",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const inputs = Array.from({ length: 3000 }, (_, i) => i);
    const results = executor.map((n: number) => -n, inputs, {
      itemTimeout: 20_000,
    });
    assertEquals(await results, inputs.map((n) => -n));
  },
);

behaviour("map() checks itemTimeout", ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const identity = (n: number) => n;
  for (const itemTimeout of [0, -1, NaN]) {
    const options = { itemTimeout };
    assertThrows(() => executor.map(identity, [1], options), RangeError);
    assertThrows(() => executor.forEach(identity, [1], options), RangeError);
  }
  const options = { itemTimeout: "5" } as never;
  assertThrows(() => executor.map(identity, [1], options), TypeError);
});

// What goes before what waits.

import { assertEquals, assertThrows } from "@std/assert";
import { Lines } from "../../executors/job/lines.ts";
import type { Job } from "../../executors/job/job.ts";
import { behaviour, commonBehaviour, until } from "./helpers/harness.ts";
import { randomOf } from "./helpers/random.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

behaviour(
  "priority puts a task before what waits, first in, first out within one",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const order: string[] = [];
    for (
      const [name, priority] of [["a", 0], ["b", -1], ["c", 2.5], ["d", 0], [
        "e",
        2.5,
      ], ["f", -1]] as const
    ) {
      executor.submitWith({ priority }, passGate, gate.cells, 0)
        .addDoneCallback(() => order.push(name));
    }
    gate.open();
    await executor.shutdown();
    assertEquals(order.join(""), "ceadbf");
  },
);

behaviour("priority goes before what is left of a map", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const results = executor.map(passGate, gate.again(), [1, 2, 3, 4]);
  await until(() => gate.reached === 1);
  let before = 0;
  const first = executor.submitWith({ priority: 1 }, passGate, gate.cells, 0);
  first.addDoneCallback(() => before = gate.reached);
  gate.open();
  await first;
  assertEquals(await results, [1, 2, 3, 4]);
  assertEquals(before < 5, true);
});

commonBehaviour("priority is checked at the call", ({ make }) => {
  const executor = make();
  const submit = (priority: unknown) => () =>
    executor.submitWith({ priority } as never, () => 1);
  for (const priority of ["1", null, {}]) {
    assertThrows(submit(priority), TypeError);
  }
  for (const priority of [NaN, Infinity, -Infinity]) {
    assertThrows(submit(priority), RangeError);
  }
});

Deno.test("Lines are in order of priority, whatever comes when", () => {
  const random = randomOf(1);
  for (let round = 0; round < 200; round++) {
    const lines = new Lines();
    const model: { priority: number; n: number; job: Job }[] = [];
    for (let n = 0; n < 40; n++) {
      if (random.below(3) === 0) {
        assertEquals(lines.peek(), model[0]?.job);
        assertEquals(lines.shift(), model.shift()?.job);
      } else {
        const priority = random.below(4) - 1;
        const job = { options: { priority }, count: 1 } as unknown as Job;
        assertEquals(
          lines.isFirst(job),
          model.length === 0 || priority > model[0]!.priority,
        );
        const front = random.below(4) === 0;
        const at = model.findIndex((other) =>
          front ? other.priority <= priority : other.priority < priority
        );
        model.splice(at < 0 ? model.length : at, 0, { priority, n, job });
        front ? lines.unshift(job) : lines.push(job);
      }
      assertEquals(lines.length, model.length);
    }
    assertEquals(lines.takeAll(), model.map(({ job }) => job));
    assertEquals(lines.length, 0);
  }
});

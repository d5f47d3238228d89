// map(), forEach(): how far they have come.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { isLast } from "../../executors/map/progress.ts";
import type { MapProgress } from "../../mod.ts";
import { behaviour, loggedErrors, settle, until } from "./helpers/harness.ts";
import { NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const negate = (n: number) => -n;
const failOdd = (n: number) => {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
};

/** Notes what is told, and when. */
class Noted {
  readonly told: MapProgress[] = [];
  readonly times: number[] = [];
  readonly onProgress = (progress: MapProgress) => {
    this.told.push(progress);
    this.times.push(performance.now());
  };

  get last(): MapProgress | undefined {
    return this.told.at(-1);
  }
}

behaviour(
  "map() tells at its end how many calls have ended",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const { told, onProgress } = new Noted();
    const results = executor.map(negate, [1, 2, 3], { onProgress });
    assertEquals(told, []);
    await results;
    assertEquals(told.at(-1), { done: 3, failed: 0, total: 3 });
    const { length } = told;
    await settle();
    assertEquals(told.length, length);
  },
);

behaviour(
  "map() tells of the end before anybody reads",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const ordered of [true, false]) {
      const noted = new Noted();
      const { onProgress } = noted;
      executor.map(negate, [1, 2, 3], { onProgress, ordered });
      await until(() => noted.last?.done === 3);
    }
  },
);

behaviour(
  "map() tells while it runs, and not too often",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const noted = new Noted();
    const { onProgress } = noted;
    const gate = new Gate();
    const inputs = Array.from({ length: 2000 }, (_, i) => i);
    const results = executor.map(negate, inputs, { onProgress, bufferSize: 5 });
    let read = 0;
    for await (const _ of results) {
      if (++read % 10 === 0) await new Promise((go) => setTimeout(go, 1));
    }
    gate.open();
    assert(noted.told.length > 1, `${noted.told.length} times`);
    assertEquals(noted.last, {
      done: 2000,
      failed: 0,
      total: 2000,
    });
    // The last comes when it comes; timers of two turns may be close to each other.
    for (let i = 1; i < noted.times.length - 1; i++) {
      const passed = noted.times[i]! - noted.times[i - 1]!;
      assert(passed > 90, `${passed} ms`);
    }
    assertEquals(noted.told.findIndex(isLast), noted.told.length - 1);
    const done = noted.told.map(({ done }) => done);
    assertEquals(done, done.toSorted((a, b) => a - b));
  },
);

behaviour(
  "map() tells of calls, not of inputs or of what travels together (tqdm#1791)",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const noted = new Noted();
    const { onProgress } = noted;
    const gate = new Gate();
    const open = new Gate();
    open.open();
    const gates = [open, open, ...Array(8).fill(gate)].map(({ cells }) =>
      cells
    );
    const input = new NotedInput(10);
    const results = executor.map(passGate, gates, input, {
      onProgress,
      chunkSize: 5,
    });
    // All inputs have been pulled, and half of them are at the worker.
    await until(() => noted.last !== undefined);
    assertEquals(input.pulled, 10);
    assertEquals(noted.last?.done, 2);
    gate.open();
    await results;
    assertEquals(noted.last?.done, 10);
  },
);

behaviour("map() tells once of an empty input", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const noted = new Noted();
  const { told, onProgress } = noted;
  const results = executor.map(negate, [], { onProgress });
  assertEquals(told, []);
  await until(() => told.length > 0);
  assertEquals(await results, []);
  await settle();
  assertEquals(told, [{ done: 0, failed: 0, total: 0 }]);
  await executor.forEach(negate, new Set<number>(), { onProgress });
  assertEquals(told.length, 2);
  await executor.map(() => 1, { onProgress });
  assertEquals(told.length, 3);
  assertEquals(noted.last, { done: 0, failed: 0, total: 0 });
});

behaviour("map() tells the total if inputs have one", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const add = (a: number, b: number) => a + b;
  const noted = new Noted();
  const { onProgress } = noted;
  await executor.map(negate, new Set([1, 2]), { onProgress });
  assertEquals(noted.last?.total, 2);
  await executor.map(negate, new Float64Array(3), { onProgress });
  assertEquals(noted.last?.total, 3);
  await executor.map(add, [1, 2, 3], new Set([1, 2]), { onProgress });
  assertEquals(noted.last?.total, 2);
  await executor.map(add, [1, 2, 3], [1].values(), { onProgress });
  assertEquals(noted.last, {
    done: 1,
    failed: 0,
    total: undefined,
  });
  await executor.map((text: string) => text, "text", { onProgress });
  assertEquals(noted.last, {
    done: 4,
    failed: 0,
    total: undefined,
  });
});

behaviour("map() tells of calls that failed", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const noted = new Noted();
  const { onProgress } = noted;
  const inputs = [0, 1, 2, Promise.reject(new Error("no input")), 3];
  const options = { onProgress, settled: true } as const;
  await executor.map(failOdd, inputs, options);
  assertEquals(noted.last, { done: 5, failed: 3, total: 5 });
  const results = executor.map(failOdd, [0, 1, 2], { onProgress });
  await assertRejects(() => results.then(), RangeError);
  assert(isLast(noted.last!));
  assertEquals(noted.last!.failed, 1);
  assertEquals(noted.last!.total, 3);
});

behaviour("map() does not count what was cancelled", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const noted = new Noted();
  const { onProgress } = noted;
  const gate = new Gate();
  const inputs = Array.from({ length: 100 }, (_, i) => i);
  const results = executor.map(passGate, gate.again(), inputs, {
    onProgress,
    settled: true,
    chunkSize: 1,
  });
  await until(() => gate.reached > 0);
  const closed = executor.shutdown({ cancelFutures: true });
  gate.open();
  await closed;
  const ran = (await results).filter(({ status }) => status === "fulfilled");
  assert(ran.length < 100);
  assertEquals(noted.last?.done, ran.length);
  assertEquals(noted.last?.failed, 0);
});

behaviour("map() that is left tells for the last time", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const { told, onProgress } = new Noted();
  const results = executor.map(negate, [1, 2, 3], { onProgress });
  await results.next();
  await results.return();
  assert(isLast(told.at(-1)!));
  const { length } = told;
  await executor.shutdown();
  assertEquals(told.length, length);
});

behaviour(
  "map() logs what onProgress throws, or rejects with",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const error = new Error("no bar");
    const logged = await loggedErrors(async () => {
      const thrown = executor.map(negate, [1], {
        onProgress: () => {
          throw error;
        },
      });
      assertEquals(await thrown, [-1]);
      const onProgress = () => Promise.reject(error);
      assertEquals(await executor.map(negate, [1], { onProgress }), [-1]);
      await settle();
    });
    assertEquals(logged.map(([, what]) => what), [error, error]);
  },
);

behaviour("onProgress may end its executor", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const onProgress = () => void executor.shutdown({ cancelFutures: true });
  assertEquals(await executor.map(negate, [1, 2], { onProgress }), [-1, -2]);
});

behaviour("map() checks onProgress", ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  for (const onProgress of [null, 1, {}]) {
    const options = { onProgress } as never;
    assertThrows(() => executor.map(negate, [1], options), TypeError);
    assertThrows(() => executor.forEach(negate, [1], options), TypeError);
  }
});

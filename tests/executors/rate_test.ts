// How many calls an executor lets go of within a span of time.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PromisePoolExecutor } from "../../mod.ts";
import { RateGate } from "../../executors/job/rate.ts";
import { commonBehaviour, settle, until } from "./helpers/harness.ts";

/** The most that is within any span of so many milliseconds. */
function mostWithin(times: readonly number[], ms: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(
    ...sorted.map((from) =>
      sorted.filter((at) => at >= from && at < from + ms).length
    ),
  );
}

commonBehaviour(
  "rate lets go of no more calls than its limit within any interval",
  async ({ make, kind }) => {
    const pool = make({
      maxWorkers: 2,
      rate: { limit: 5, interval: 200 },
    });
    const now = () => performance.timeOrigin + performance.now();
    const begun = now();
    const times: number[] = [];
    // Calls come one by one, many together, and as a map.
    for (let i = 0; i < 3; i++) times.push(await pool.submit(now));
    times.push(
      ...await Promise.all(Array.from({ length: 8 }, () => pool.submit(now))),
    );
    times.push(...await pool.map(now, Array(9).keys()));
    assertEquals(times.length, 20);
    assert(Math.max(...times) - begun >= 3 * 200);
    // Elsewhere, more or less time passes until a call that was let go of is entered.
    const isHere = kind.name === "PromisePoolExecutor" ||
      kind.name === "SerialExecutor";
    if (!isHere) return;
    const most = mostWithin(times, 199);
    assert(
      most <= 5,
      `${most} within 199 ms: ${times.map((at) => Math.round(at - begun))}`,
    );
  },
);

commonBehaviour(
  "rate holds back each attempt of a map (bottleneck#170)",
  async ({ make, kind }) => {
    const pool = make({
      maxWorkers: 2,
      rate: { limit: 3, interval: 150 },
    });
    const failNow = () => {
      throw new Error(`${performance.timeOrigin + performance.now()}`);
    };
    const begun = performance.timeOrigin + performance.now();
    const times: number[] = [];
    pool.addEventListener(
      "retry",
      ({ error }) => times.push(Number((error as Error).message)),
    );
    const results = await pool.map(failNow, Array(4).keys(), {
      retry: { maxAttempts: 3, minTimeout: 1 },
      settled: true,
    });
    for (const result of results) {
      assert(result.status === "rejected");
      times.push(Number(result.reason.message));
    }
    assertEquals(times.length, 12);
    assert(Math.max(...times) - begun >= 3 * 150);
    // As above.
    const isHere = kind.name === "PromisePoolExecutor" ||
      kind.name === "SerialExecutor";
    if (!isHere) return;
    const most = mostWithin(times, 149);
    assert(most <= 3, `${most} within 149 ms`);
  },
);

commonBehaviour(
  "rate keeps calls pending that wait, and they can be cancelled",
  async ({ make }) => {
    const pool = make({
      maxWorkers: 2,
      rate: { limit: 1, interval: 60_000 },
    });
    await pool.submit(() => 1);
    const waiting = [1, 2, 3].map((n) => pool.submit((n: number) => n, n));
    await settle();
    assertEquals(pool.stats().pending, 3);
    assert(waiting.every((future) => future.state === "pending"));
    assert(waiting[1]!.cancel());
    await pool.shutdown({ cancelFutures: true });
    assert(waiting.every((future) => future.cancelled()));
  },
);

commonBehaviour(
  "shutdown() waits for what the rate holds back",
  async ({ make }) => {
    const pool = make({
      maxWorkers: 1,
      rate: { limit: 2, interval: 50 },
    });
    const futures = Array.from(
      { length: 6 },
      (_, n) => pool.submit((n: number) => n, n),
    );
    await pool.shutdown();
    assert(futures.every((future) => future.done()));
    assertEquals(await Promise.all(futures), [0, 1, 2, 3, 4, 5]);
  },
);

Deno.test("rate goes by priority, and counts each attempt", async () => {
  await using pool = new PromisePoolExecutor({
    rate: { limit: 1, interval: 30 },
  });
  const order: string[] = [];
  const note = (name: string) => order.push(name);
  pool.submit(note, "first");
  let attempts = 0;
  const flaky = () => {
    note(`attempt ${++attempts}`);
    if (attempts < 2) throw new Error("Expected");
  };
  const begun = performance.now();
  await Promise.all([
    pool.submitWith({ retry: 2, priority: 1 }, flaky),
    pool.submitWith({ priority: 2 }, note, "urgent"),
    pool.submit(note, "last"),
  ]);
  assertEquals(order, ["urgent", "attempt 1", "attempt 2", "first", "last"]);
  assert(performance.now() - begun >= 4 * 30 - 5);
});

Deno.test("rate lets the worker do something else", async () => {
  await using limited = new PromisePoolExecutor({
    maxWorkers: 1,
    rate: { limit: 1, interval: 50 },
  });
  await limited.submit(() => 1);
  const waits = limited.submit(() => 2);
  await settle();
  // The only place is free meanwhile.
  assertEquals(limited.stats().running, 0);
  assertEquals(await waits, 2);
});

Deno.test("RateGate is a sliding window (p-queue#126)", async () => {
  const gate = new RateGate({ limit: 3, interval: 50 });
  gate.take(1);
  await until(() => gate.wait < 30);
  gate.take(2);
  assertEquals(gate.left, 0);
  await until(() => gate.left > 0);
  // Only what was let go of an interval ago is free again.
  assertEquals(gate.left, 1);
  gate.take(1);
  gate.giveBack(1);
  assertEquals(gate.left, 1);
});

Deno.test("RateGate bounds what it remembers", () => {
  const gate = new RateGate({ limit: 1_000_000, interval: 60_000 });
  for (let i = 0; i < 100_000; i++) gate.take(1);
  assertEquals(gate.left, 900_000);
});

Deno.test("rate is checked by the constructor", () => {
  const make = (rate: unknown) => () =>
    new PromisePoolExecutor({ rate } as never);
  for (const rate of [null, 5, {}, { limit: 5 }, { limit: "5", interval: 1 }]) {
    assertThrows(make(rate), TypeError);
  }
  for (
    const rate of [
      { limit: 0, interval: 1 },
      { limit: 1.5, interval: 1 },
      { limit: Infinity, interval: 1 },
      { limit: 1, interval: 0 },
      { limit: 1, interval: -1 },
      { limit: 1, interval: Infinity },
      { limit: 1, interval: NaN },
    ]
  ) assertThrows(make(rate), RangeError);
});

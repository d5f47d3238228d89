// One signal for many: what it costs, who is told, in which order, and what it keeps.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type CancelledError, Future, PromisePoolExecutor } from "../../mod.ts";
import {
  behaviour,
  countListeners,
  loggedErrors,
  runProgram,
  settle,
  watched,
} from "./helpers/harness.ts";

const never = () => new Promise<never>(() => {});

/**
 * Fails if ten times as many cost far more than ten times as much: what looks
 * through all others for each of them takes two hundred times as long, and each
 * time, whatever else the machine does.
 */
async function assertLinear(run: (count: number) => Promise<void> | void) {
  const time = async (count: number) => {
    const start = performance.now();
    await run(count);
    return performance.now() - start;
  };
  const ratios: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    await time(10_000);
    const few = await time(10_000);
    ratios.push(await time(100_000) / few);
    if (ratios.at(-1)! < 50) return;
  }
  throw new Error(`100,000 take ${ratios.join(", ")} times as long as 10,000`);
}

watched(
  "100,000 calls of submitWith() share a signal",
  () =>
    assertLinear((count) => {
      const pool = new PromisePoolExecutor();
      const controller = new AbortController();
      const { signal } = controller;
      const futures = Array.from(
        { length: count },
        () => pool.submitWith({ signal }, never),
      );
      controller.abort();
      assert(futures.every((future) => future.cancelled()));
    }),
);

watched(
  "100,000 calls of submitWith() leave their signal one by one",
  () =>
    assertLinear((count) => {
      const pool = new PromisePoolExecutor();
      const { signal } = new AbortController();
      const futures = Array.from(
        { length: count },
        () => pool.submitWith({ signal }, never),
      );
      for (const future of futures.reverse()) future.cancel();
    }),
);

watched(
  "100,000 calls of result() share a signal",
  () =>
    assertLinear(async (count) => {
      const { future, resolve } = Future.withResolvers<number>();
      const { signal } = new AbortController();
      const waits = Array.from(
        { length: count },
        () => future.result({ signal }),
      );
      resolve(42);
      await Promise.all(waits);
    }),
);

watched(
  "100,000 calls of exception() have a time-out",
  () =>
    assertLinear(async (count) => {
      const { future, resolve } = Future.withResolvers<number>();
      const waits = Array.from(
        { length: count },
        () => future.exception({ timeout: 3_600_000 }),
      );
      resolve(42);
      await Promise.all(waits);
    }),
);

behaviour("has one listener for a signal of many calls", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = countListeners(signal);
  const first = executor.submitWith({ signal }, (n: number) => n, 1);
  const second = executor.submitWith({ signal }, (n: number) => n, 2);
  const wait = second.result({ signal });
  const error = first.exception({ signal });
  const results = executor.map((n: number) => n, [1, 2], { signal });
  assertEquals(listeners(), 1);
  await Promise.all([first, wait, error, results]);
  assertEquals(listeners(), 0);
});

Deno.test("AbortSignal tells in the order of the calls, whatever their kind", async () => {
  const pool = new PromisePoolExecutor();
  const controller = new AbortController();
  const { signal } = controller;
  const order: number[] = [];
  for (const n of [1, 2, 3]) {
    const future = pool.submitWith({ signal }, never);
    future.addDoneCallback(() => order.push(n));
  }
  const { future } = Future.withResolvers();
  const waits = [4, 5].map((n) =>
    future.result({ signal }).catch(() => order.push(n))
  );
  controller.abort();
  await Promise.all(waits);
  assertEquals(order, [1, 2, 3, 4, 5]);
});

Deno.test("AbortSignal tells the next after a done callback that throws", async () => {
  const pool = new PromisePoolExecutor();
  const controller = new AbortController();
  const { signal } = controller;
  const futures = [1, 2, 3].map(() => pool.submitWith({ signal }, never));
  futures[0]!.addDoneCallback(() => {
    throw new Error("Failed");
  });
  const logged = await loggedErrors(() => controller.abort("enough"));
  assertEquals(logged.length, 1);
  assert(futures.every((future) => future.cancelled()));
});

Deno.test("AbortSignal does not tell whom a callback has cancelled meanwhile", async () => {
  const pool = new PromisePoolExecutor();
  const controller = new AbortController();
  const { signal } = controller;
  const [first, second, third] = [1, 2, 3].map(() =>
    pool.submitWith({ signal }, never)
  );
  first!.addDoneCallback(() => second!.cancel("by the first"));
  controller.abort("by the signal");
  const cause = async (future: Future<unknown>) =>
    ((await future.result().catch((e) => e)) as CancelledError).cause;
  assertEquals(await cause(second!), "by the first");
  assertEquals(await cause(third!), "by the signal");
});

Deno.test("AbortSignal cancels at once what a callback submits meanwhile", () => {
  const pool = new PromisePoolExecutor();
  const controller = new AbortController();
  const { signal } = controller;
  const first = pool.submitWith({ signal }, never);
  const last = pool.submitWith({ signal }, never);
  let late: Future<unknown> | undefined;
  first.addDoneCallback(() => {
    late = pool.submitWith({ signal }, never);
  });
  controller.abort();
  assert(late!.cancelled());
  assert(last.cancelled());
});

Deno.test("AbortSignal may be waited for again after all have left", async () => {
  const pool = new PromisePoolExecutor();
  const controller = new AbortController();
  const { signal } = controller;
  await pool.submitWith({ signal }, () => 1);
  const future = pool.submitWith({ signal }, never);
  controller.abort("enough");
  const error = await future.result().catch((e) => e);
  assertStrictEquals(error.cause, "enough");
  await settle();
});

Deno.test("AbortSignal keeps nothing of a wait that is over", async () => {
  const output = await runProgram(
    `
    const controller = new AbortController();
    const { signal } = controller;
    const refs = await (async () => {
      const done = futures.Future.withResolvers();
      const late = futures.Future.withResolvers();
      const waits = [done.future.result({ signal }), late.future.result({ signal, timeout: 1 })];
      done.resolve({});
      await Promise.allSettled(waits);
      return [new WeakRef(done.future), new WeakRef(late.future)];
    })();
    for (let round = 0; round < 200 && refs.some((ref) => ref.deref()); round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      gc();
    }
    console.log(refs.map((ref) => ref.deref()));
    controller.abort();
    `,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(output, "[ undefined, undefined ]\n");
});

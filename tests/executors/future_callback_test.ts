// Done callbacks: when they are called, in which order, and what becomes of
// their errors.

import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Future,
  type FutureWithResolvers,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { loggedErrors, settle } from "./helpers/harness.ts";

/** All ways to settle. */
const SETTLE: Record<string, (made: FutureWithResolvers<number>) => void> = {
  resolved: ({ resolve }) => resolve(42),
  rejected: ({ reject }) => reject(new Error("Failed")),
  cancelled: ({ future }) => void future.cancel(),
};

for (const [how, settleIt] of Object.entries(SETTLE)) {
  Deno.test(`addDoneCallback() is called once, with the future, while it is ${how}`, () => {
    const made = Future.withResolvers<number>();
    const received: unknown[] = [];
    made.future.addDoneCallback((...args) => received.push(...args));
    assertEquals(received.length, 0);
    settleIt(made);
    assertEquals(received.length, 1);
    assertStrictEquals(received[0], made.future);
  });

  Deno.test(`addDoneCallback() is called at once if the future was ${how}`, () => {
    const made = Future.withResolvers<number>();
    settleIt(made);
    let received: unknown;
    made.future.addDoneCallback((future) => received = future);
    assertStrictEquals(received, made.future);
  });
}

Deno.test("addDoneCallback() returns nothing", () => {
  const { future } = Future.withResolvers<number>();
  assertEquals(future.addDoneCallback(() => 1) as unknown, undefined);
});

Deno.test("addDoneCallback() is not called as the task starts", () => {
  const { future, start } = Future.withResolvers<number>();
  let calls = 0;
  future.addDoneCallback(() => calls++);
  start();
  assertEquals(calls, 0);
});

Deno.test("addDoneCallback() calls in order of addition", () => {
  const { future, resolve } = Future.withResolvers<number>();
  const order: number[] = [];
  for (let i = 0; i < 10; i++) future.addDoneCallback(() => order.push(i));
  resolve(42);
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("addDoneCallback() calls a function as often as it was added", () => {
  const { future, resolve } = Future.withResolvers<number>();
  let calls = 0;
  const count = () => calls++;
  future.addDoneCallback(count);
  future.addDoneCallback(count);
  resolve(42);
  assertEquals(calls, 2);
});

Deno.test("addDoneCallback() finds a future that is done", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const seen: unknown[] = [];
  let result: Promise<number> | undefined;
  future.addDoneCallback((future) => {
    seen.push(future.state, future.done(), future.cancel());
    result = future.result({ timeout: 0 });
  });
  resolve(42);
  assertEquals(seen, ["finished", true, false]);
  assertEquals(await result, 42);
});

Deno.test("addDoneCallback() inside a callback is called at once", () => {
  const { future, resolve } = Future.withResolvers<number>();
  const order: string[] = [];
  future.addDoneCallback((future) => {
    order.push("first");
    future.addDoneCallback(() => order.push("inner"));
    order.push("first has added");
  });
  future.addDoneCallback(() => order.push("second"));
  resolve(42);
  assertEquals(order, ["first", "inner", "first has added", "second"]);
});

Deno.test("addDoneCallback() inside a callback cannot settle the future again", () => {
  const { future, resolve, reject } = Future.withResolvers<number>();
  const refused: unknown[] = [];
  future.addDoneCallback(() => {
    refused.push(assertThrows(() => resolve(1)), assertThrows(() => reject(1)));
  });
  resolve(42);
  assertEquals(refused.length, 2);
});

Deno.test("addDoneCallback() is called before those who await", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const order: string[] = [];
  const awaited = future.then(() => order.push("await"));
  future.addDoneCallback(() => order.push("callback"));
  resolve(42);
  await awaited;
  assertEquals(order, ["callback", "await"]);
});

Deno.test("addDoneCallback() logs what a callback throws, and calls the others", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const error = new Error("Callback failed");
  let called = false;
  const logged = await loggedErrors(() => {
    future.addDoneCallback(() => {
      throw error;
    });
    future.addDoneCallback(() => called = true);
    resolve(42);
  });
  assert(called);
  assertEquals(logged.length, 1);
  assert(logged[0]!.includes(error));
  assertEquals(await future, 42);
});

Deno.test("addDoneCallback() logs what a callback throws on a future that is done", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const error = new Error("Callback failed");
  resolve(42);
  const logged = await loggedErrors(() =>
    future.addDoneCallback(() => {
      throw error;
    })
  );
  assertEquals(logged.length, 1);
  assert(logged[0]!.includes(error));
});

Deno.test("addDoneCallback() logs what an async callback rejects with", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const error = new Error("Callback failed");
  let called = false;
  const logged = await loggedErrors(async () => {
    future.addDoneCallback(() => Promise.reject(error));
    future.addDoneCallback(() => called = true);
    resolve(42);
    await settle();
  });
  assert(called);
  assertEquals(logged.length, 1);
  assert(logged[0]!.includes(error));
});

Deno.test("addDoneCallback() logs the error of a future that a callback returns", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const other = Future.withResolvers<number>();
  const error = new Error("Other failed");
  const logged = await loggedErrors(async () => {
    future.addDoneCallback(() => other.future);
    resolve(42);
    other.reject(error);
    await settle();
  });
  assertEquals(logged.length, 1);
  assert(logged[0]!.includes(error));
});

Deno.test("addDoneCallback() logs nothing when callbacks succeed", async () => {
  const { future, reject } = Future.withResolvers<number>();
  const logged = await loggedErrors(async () => {
    future.addDoneCallback(() => Promise.resolve(1));
    future.addDoneCallback(() => 1);
    reject(new Error("Failed"));
    await settle();
  });
  assertEquals(logged, []);
});

Deno.test("addDoneCallback() does not log the future's own error when a callback gives it back", async () => {
  const { future, reject } = Future.withResolvers<number>();
  const logged = await loggedErrors(async () => {
    future.addDoneCallback((future) => future);
    reject(new Error("Failed"));
    await settle();
  });
  assertEquals(logged, []);
});

Deno.test("addDoneCallback() refuses what is not a function", () => {
  const { future } = Future.withResolvers<number>();
  for (const value of [undefined, null, 5, {}]) {
    const error = assertThrows(
      () => future.addDoneCallback(value as never),
      TypeError,
      "must be a function",
    );
    assert(error.message.includes(`received ${Deno.inspect(value)}`));
  }
});

/** Long enough to overflow the stack if each were inside the one before. */
const CHAIN = 20_000;

function chain(): FutureWithResolvers<number>[] {
  return Array.from({ length: CHAIN }, () => Future.withResolvers<number>());
}

for (const [how, settleIt] of Object.entries(SETTLE)) {
  Deno.test(`addDoneCallback() makes a long chain, each ${how} by the one before, before the first call returns`, async () => {
    const made = chain();
    const order: number[] = [];
    for (const [i, { future }] of made.entries()) {
      future.addDoneCallback(() => {
        order.push(i);
        if (i + 1 < CHAIN) settleIt(made[i + 1]!);
      });
      future.addDoneCallback(() => order.push(-i));
    }
    const logged = await loggedErrors(() => settleIt(made[0]!));
    assertEquals(logged, []);
    assert(made.every(({ future }) => future.done()));
    assertEquals(order.length, 2 * CHAIN);
    assertEquals(new Set(order).size, 2 * CHAIN - 1);
    assert(made.every((_, i) => order.indexOf(i) <= order.lastIndexOf(-i)));
  });
}

Deno.test("addDoneCallback() makes a long chain of callbacks that add callbacks to what is done", async () => {
  const made = chain();
  for (const { resolve } of made) resolve(1);
  let called = 0;
  const next = (i: number) => {
    called++;
    if (i < CHAIN) made[i]!.future.addDoneCallback(() => next(i + 1));
  };
  const logged = await loggedErrors(() => next(0));
  assertEquals(logged, []);
  assertEquals(called, CHAIN + 1);
});

Deno.test("addDoneCallback() keeps the order of a future's callbacks however deep they are", () => {
  const made = chain().slice(0, 500);
  const orders = made.map(() => [] as string[]);
  for (const [i, { future }] of made.entries()) {
    future.addDoneCallback(() => {
      const next = made[i + 1];
      next?.future.addDoneCallback(() => orders[i + 1]!.push("before"));
      next?.resolve(1);
      next?.future.addDoneCallback(() => orders[i + 1]!.push("after"));
    });
  }
  made[0]!.resolve(1);
  for (const order of orders.slice(1)) assertEquals(order, ["before", "after"]);
});

Deno.test("addEventListener() for tasks may cancel a long chain", async () => {
  const pool = new PromisePoolExecutor({ maxWorkers: 1 });
  const futures = Array.from({ length: CHAIN }, () => pool.submit(() => 1));
  pool.addEventListener("task", ({ index }) => futures[index + 1]?.cancel());
  futures[0]!.cancel();
  assert(futures.every((future) => future.cancelled()));
  assertEquals(pool.stats().cancelled, CHAIN);
  await pool.shutdown();
});

Deno.test("AbortController of the next may be aborted by each of a long chain", async () => {
  const pool = new PromisePoolExecutor({ maxWorkers: 1 });
  const controllers = Array.from(
    { length: CHAIN },
    () => new AbortController(),
  );
  const futures = controllers.map(({ signal }, i) => {
    const future = pool.submitWith({ signal }, () => 1);
    future.addDoneCallback(() => controllers[i + 1]?.abort());
    return future;
  });
  controllers[0]!.abort();
  assert(futures.every((future) => future.cancelled()));
  await pool.shutdown();
});

/** More than are nested on the stack. */
const DEEP = 200;

/** How a callback ends the next task, which is pending. */
const END_NEXT: Readonly<
  Record<
    string,
    (next: Future<number>, controller: AbortController) => unknown
  >
> = {
  "cancel()": (next) => next.cancel(),
  "an aborted signal": (_next, controller) => controller.abort(),
};

for (const [how, endNext] of Object.entries(END_NEXT)) {
  for (const Pool of [PromisePoolExecutor, WorkerPoolExecutor]) {
    Deno.test(`stats() of ${Pool.name} has counted what ${how} ended however deep that was`, async () => {
      const pool = new Pool({ maxWorkers: 1 });
      const controllers = Array.from(
        { length: DEEP },
        () => new AbortController(),
      );
      const futures = controllers.map(({ signal }) =>
        pool.submitWith({ signal }, () => 1)
      );
      const counted: number[] = [];
      for (const [i, future] of futures.entries()) {
        future.addDoneCallback(() => {
          if (i + 1 === DEEP) return;
          const before = pool.stats().cancelled;
          endNext(futures[i + 1]!, controllers[i + 1]!);
          counted.push(pool.stats().cancelled - before);
        });
      }
      endNext(futures[0]!, controllers[0]!);
      assertEquals(counted.length, DEEP - 1);
      assert(counted.every((count) => count >= 1), String(counted));
      const { cancelled, pending } = pool.stats();
      assertEquals({ cancelled, pending }, { cancelled: DEEP, pending: 0 });
      await pool.shutdown();
    });
  }
}

Deno.test("addEventListener() for tasks tells each once, with its worker, however deep they end", async () => {
  const pool = new PromisePoolExecutor({ maxWorkers: DEEP });
  const controllers = Array.from(
    { length: DEEP },
    () => new AbortController(),
  );
  const seen: string[] = [];
  const counted: boolean[] = [];
  pool.addEventListener("task", ({ index, outcome, worker }) => {
    seen.push(`${outcome} ${worker}`);
    controllers[index + 1]?.abort();
    counted.push(pool.stats().cancelled >= Math.min(index + 2, DEEP));
  });
  const end = Promise.withResolvers<void>();
  const futures = controllers.map(({ signal }) =>
    pool.submitWith({ signal }, () => end.promise)
  );
  while (pool.stats().running < DEEP) await settle();
  controllers[0]!.abort();
  assert(futures.every((future) => future.cancelled()));
  assertEquals(seen, futures.map(() => "cancelled main"));
  assertEquals(counted, futures.map(() => true));
  end.resolve();
  await pool.shutdown();
});

// What a future gives to those who wait for it.

import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { CancelledError, Future, TimeoutError } from "../../mod.ts";
import {
  countListeners,
  runProgram,
  settle,
  watched,
} from "./helpers/harness.ts";

/** Errors that are easily taken for none. */
const FALSY_ERRORS = [undefined, null, 0, "", false, NaN, 0n];

/** Both ways to wait, which treat their options alike. */
const WAITS = {
  "result()": (future: Future<unknown>, options?: WaitOptions) =>
    future.result(options),
  "exception()": (future: Future<unknown>, options?: WaitOptions) =>
    future.exception(options),
};
type WaitOptions = Parameters<Future<unknown>["result"]>[0];

Deno.test("Future.result() gives the value, before and after it is there", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const early = future.result();
  resolve(42);
  assertEquals(await early, 42);
  assertEquals(await future.result(), 42);
});

Deno.test("Future.result() rejects with the very error", async () => {
  const { future, reject } = Future.withResolvers<number>();
  const early = assertRejects(() => future.result());
  const error = new Error("No such scientist");
  reject(error);
  assertStrictEquals(await early, error);
  assertStrictEquals(await assertRejects(() => future.result()), error);
});

Deno.test("Future.result() gives undefined where that is the value", async () => {
  const { future, resolve } = Future.withResolvers<undefined>();
  resolve(undefined);
  assertEquals(await future.result(), undefined);
});

Deno.test("Future.exception() gives the error, before and after it is there", async () => {
  const { future, reject } = Future.withResolvers<number>();
  const early = future.exception();
  const error = new Error("No such scientist");
  reject(error);
  assertStrictEquals(await early, error);
  assertStrictEquals(await future.exception(), error);
});

Deno.test("Future.exception() gives undefined for a success", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const early = future.exception();
  resolve(42);
  assertEquals(await early, undefined);
  assertEquals(await future.exception(), undefined);
});

Deno.test("Future.result() and then() reject with falsy errors", async () => {
  for (const error of FALSY_ERRORS) {
    const { future, reject } = Future.withResolvers<number>();
    reject(error);
    const thrown = (error: unknown) => ["thrown", error];
    assertEquals(await future.result().catch(thrown), ["thrown", error]);
    assertEquals(await future.then(() => {}, thrown), ["thrown", error]);
    assertEquals(await future.exception(), error);
  }
});

for (const [name, wait] of Object.entries(WAITS)) {
  Deno.test(`Future.${name} rejects with CancelledError, before and after the cancellation`, async () => {
    const { future } = Future.withResolvers<number>();
    const early = assertRejects(() => wait(future), CancelledError);
    future.cancel();
    await early;
    await assertRejects(() => wait(future), CancelledError);
    await assertRejects(() => wait(future, { timeout: 0 }), CancelledError);
  });

  Deno.test(`Future.${name} with timeout 0 polls`, async () => {
    const { future, start, resolve } = Future.withResolvers<number>();
    await assertRejects(() => wait(future, { timeout: 0 }), TimeoutError);
    start();
    await assertRejects(() => wait(future, { timeout: 0 }), TimeoutError);
    resolve(42);
    await wait(future, { timeout: 0 });
  });

  Deno.test(`Future.${name} times out, which changes nothing about the task`, async () => {
    const { future, start, resolve } = Future.withResolvers<number>();
    await assertRejects(() => wait(future, { timeout: 1 }), TimeoutError);
    assertEquals(future.state, "pending");
    start();
    await assertRejects(() => wait(future, { timeout: 1 }), TimeoutError);
    assertEquals(future.state, "running");
    resolve(42);
    assertEquals(await future, 42);
  });

  Deno.test(`Future.${name} does not time out early`, async () => {
    const { future } = Future.withResolvers<number>();
    const before = performance.now();
    await assertRejects(() => wait(future, { timeout: 30 }), TimeoutError);
    // Timers count in whole milliseconds.
    assertEquals(performance.now() - before > 28, true);
  });

  watched(
    `Future.${name} settles within its timeout and leaves no timer`,
    async () => {
      const { future, resolve } = Future.withResolvers<number>();
      const waited = wait(future, { timeout: 3_600_000 });
      resolve(42);
      await waited;
    },
  );

  watched(`Future.${name} takes durations that no timer can hold`, async () => {
    for (const timeout of [2 ** 31, Number.MAX_VALUE, Infinity]) {
      const { future, resolve } = Future.withResolvers<number>();
      const waited = wait(future, { timeout });
      await settle();
      resolve(42);
      await waited;
    }
  });

  Deno.test(`Future.${name} ends with the reason of its signal, and only the wait ends`, async () => {
    const { future, resolve } = Future.withResolvers<number>();
    const controller = new AbortController();
    const { signal } = controller;
    const waited = assertRejects(() => wait(future, { signal }));
    const reason = { because: "no more time" };
    controller.abort(reason);
    assertStrictEquals(await waited, reason);
    assertEquals(future.state, "pending");
    resolve(42);
    assertEquals(await future, 42);
  });

  Deno.test(`Future.${name} with a signal that is aborted already does not wait`, async () => {
    const { future } = Future.withResolvers<number>();
    const signal = AbortSignal.abort("too late");
    const thrown = await wait(future, { signal }).catch((reason) => reason);
    assertEquals(thrown, "too late");
  });

  watched(`Future.${name} leaves no listener on its signal`, async () => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const { future, resolve } = Future.withResolvers<number>();
    await assertRejects(() => wait(future, { signal, timeout: 1 }));
    assertEquals(listeners(), 0);
    const waited = wait(future, { signal });
    resolve(42);
    await waited;
    assertEquals(listeners(), 0);
  });

  Deno.test(`Future.${name} checks its options at the call`, () => {
    const { future } = Future.withResolvers<number>();
    const call = (options: unknown) => () => wait(future, options as never);
    assertThrows(call(null), TypeError, "received null");
    assertThrows(call(5), TypeError, "received 5");
    assertThrows(call({ timeout: "1" }), TypeError, 'received "1"');
    assertThrows(call({ timeout: null }), TypeError, "received null");
    assertThrows(call({ timeout: NaN }), RangeError, "received NaN");
    assertThrows(call({ timeout: -1 }), RangeError, "received -1");
    assertThrows(call({ signal: "abort" }), TypeError, 'received "abort"');
  });

  Deno.test(`Future.${name} ignores options that it does not know`, async () => {
    const { future, resolve } = Future.withResolvers<number>();
    resolve(42);
    await wait(future, { patience: 5 } as never);
  });
}

Deno.test("Future can be awaited by many", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const all = Promise.all([future, future, future.then((value) => value + 1)]);
  resolve(42);
  assertEquals(await all, [42, 42, 43]);
});

Deno.test("Future.then() returns a promise of what its functions return", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const promise = future.then((value) => Promise.resolve(`${value}`));
  assertInstanceOf(promise, Promise);
  resolve(42);
  assertEquals(await promise, "42");
  assertEquals(await future.then(), 42);
  assertEquals(await future.then(null, null), 42);
});

Deno.test("Future.then() never calls back at once", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  resolve(42);
  const order: string[] = [];
  const called = future.then(() => order.push("called"));
  order.push("returned");
  await called;
  assertEquals(order, ["returned", "called"]);
});

Deno.test("Future is a promise that await and Promise.all() take as it is", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  assertInstanceOf(future, Promise);
  assertInstanceOf(future, Future);
  assertStrictEquals(Promise.resolve(future), future);
  assertFalse(future.then() instanceof Future);
  assertFalse(future.finally() instanceof Future);
  resolve(42);
  assertEquals(await future, 42);
});

Deno.test("Future shows its state and its outcome on the console", () => {
  const [value, error, cancelled] = [1, 2, 3].map(() =>
    Future.withResolvers<number>()
  );
  assertEquals(Deno.inspect(value!.future), 'Future { state: "pending" }');
  value!.resolve(42);
  error!.reject(0);
  cancelled!.future.cancel();
  assertEquals(
    [value, error, cancelled].map((it) => Deno.inspect(it!.future)),
    [
      'Future { state: "finished", value: 42 }',
      'Future { state: "finished", error: 0 }',
      'Future { state: "cancelled" }',
    ],
  );
});

Deno.test("Future that is part of its own outcome can be shown on the console", () => {
  const value = Future.withResolvers<unknown>();
  value.resolve({ again: value.future });
  const error = Future.withResolvers<unknown>();
  error.reject(Object.assign(new Error("Failed"), { again: error.future }));
  for (const { future } of [value, error]) {
    assertLess(Deno.inspect(future).length, 2000);
    assertLess(Deno.inspect([future], { depth: 0 }).length, 100);
  }
});

Deno.test("Future.catch() handles the error and passes a value on", async () => {
  const failed = Future.withResolvers<number>();
  failed.reject(new Error("Failed"));
  assertEquals(await failed.future.catch(() => "handled"), "handled");
  const succeeded = Future.withResolvers<number>();
  succeeded.resolve(42);
  assertEquals(await succeeded.future.catch(() => "handled"), 42);
});

Deno.test("Future.finally() is called without arguments, and passes the outcome on", async () => {
  const calls: unknown[][] = [];
  const note = (...args: unknown[]) => void calls.push(args);
  const succeeded = Future.withResolvers<number>();
  succeeded.resolve(42);
  assertEquals(await succeeded.future.finally(note), 42);
  const failed = Future.withResolvers<number>();
  failed.reject(new RangeError("Failed"));
  await assertRejects(() => failed.future.finally(note), RangeError, "Failed");
  assertEquals(calls, [[], []]);
});

Deno.test("Future whose error nobody asks for is silent", async () => {
  const output = await runProgram(`
    const { future, reject } = futures.Future.withResolvers();
    future.addDoneCallback(() => {});
    reject(new Error("Unread"));
    futures.Future.withResolvers().future.cancel();
    const { resolve } = futures.Future.withResolvers();
    resolve({ then: (_, reject) => reject(new Error("Unread")) });
    const withGetter = futures.Future.withResolvers();
    withGetter.resolve({ get then() { throw new Error("Unread"); } });

    const executors = [
      new futures.PromisePoolExecutor({ maxWorkers: 1 }),
      new futures.WorkerPoolExecutor({ maxWorkers: 1 }),
    ];
    for (const executor of executors) {
      const fail = () => { throw new Error("Unread"); };
      const failed = executor.submit(fail);
      executor.submitWith({ timeout: 1 }, () => new Promise((resolve) => setTimeout(resolve, 20)));
      executor.submitWith({ signal: AbortSignal.abort() }, fail);
      const results = executor.map(fail, [1, 2, 3]);
      await futures.wait([failed]);
      await failed.exception();
      await results.return();
      await executor.shutdown();
    }
    console.log("silent");
  `);
  assertEquals(output, "silent\n");
});

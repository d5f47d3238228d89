// map(): inputs that are promises, or other thenables, are awaited first.

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { CancelledError, ShutdownError } from "../../mod.ts";
import { behaviour, isPending, until } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const negate = (n: number) => -n;
const pair = (a: number, b: number) => [a, b];

/** Resolves later than what comes after it. */
function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 5));
}

behaviour("map() awaits inputs that are promises", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const inputs = [later(1), 2, Promise.resolve(3), later(4)];
  assertEquals(await executor.map(negate, inputs), [-1, -2, -3, -4]);
  const pairs = executor.map(pair, [later(1), 2], [3, later(4)]);
  assertEquals(await pairs, [[1, 3], [2, 4]]);
});

behaviour("map() awaits thenables, futures among them", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const thenable = {
    then: (resolve: (n: number) => void) => resolve(5),
  } as PromiseLike<number>;
  const inputs = [executor.submit(negate, 1), thenable];
  assertEquals(await executor.map(negate, inputs), [1, -5]);
});

behaviour(
  "map() awaits what generators give, sync and async",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    function* sync() {
      for (let n = 0; n < 5; n++) yield later(n);
    }
    assertEquals(await executor.map(negate, sync()), [-0, -1, -2, -3, -4]);
    const async: AsyncIterable<Promise<number>> = {
      [Symbol.asyncIterator]() {
        let n = 0;
        return {
          next: () =>
            Promise.resolve(
              n < 3
                ? { done: false, value: later(n++) }
                : { done: true, value: undefined },
            ),
        };
      },
    };
    assertEquals(await executor.map(negate, async), [-0, -1, -2]);
  },
);

behaviour(
  "map() calls with what is there while others are awaited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const slow = Promise.withResolvers<number>();
    const results = executor.map(negate, [slow.promise, 2], { ordered: false });
    assertEquals((await results.next()).value, -2);
    slow.resolve(1);
    assertEquals((await results.next()).value, -1);
  },
);

behaviour(
  "map() asks for as many promises as there is room for",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    let asked = 0;
    const gate = Promise.withResolvers<void>();
    function* input() {
      while (true) {
        const n = asked++;
        yield gate.promise.then(() => n);
      }
    }
    const results = executor.map(negate, input(), { bufferSize: 4 });
    await until(() => asked === 4);
    gate.resolve();
    assertEquals((await results.next()).value, -0);
    await until(() => asked === 5);
    await results.return();
  },
);

behaviour(
  "map() has an input that rejects as an error at its position",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const error = new Error("no input");
    const results = executor.map(negate, [1, Promise.reject(error), 3]);
    assertEquals((await results.next()).value, -1);
    assertEquals(
      await results.next().then(() => undefined, (error) => error),
      error,
    );
    assertEquals((await results.next()).done, true);
  },
);

behaviour(
  "map() hears of all inputs that reject, so that none is an error of the program",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const slow = Promise.withResolvers<number>();
    const results = executor.map(pair, [slow.promise, 1], [
      Promise.reject(new Error("first")),
      Promise.reject(new Error("second")),
    ]);
    await assertRejects(() => results.then(), Error, "first");
    slow.reject(new Error("late"));
  },
);

behaviour(
  "map() does not call with an input that comes after its end",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const slow = Promise.withResolvers<number>();
    const results = executor.map(negate, [1, slow.promise]);
    assertEquals((await results.next()).value, -1);
    await results.return();
    slow.resolve(2);
    await executor.shutdown();
    assertEquals(executor.stats().finished, 1);
  },
);

behaviour(
  "shutdown() waits for inputs that a map() awaits, and for their calls",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const slow = Promise.withResolvers<number>();
    const results = executor.map(negate, [1, slow.promise, 3]);
    const closed = executor.shutdown();
    assertEquals(await isPending(closed), true);
    slow.resolve(2);
    await closed;
    assertEquals(await results, [-1, -2, -3]);
  },
);

behaviour(
  "shutdown({ cancelFutures: true }) cancels calls whose inputs are awaited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const never = new Promise<number>(() => {});
    const results = executor.map(negate, [never, never], { settled: true });
    await executor.shutdown({ cancelFutures: true });
    const settled = await results;
    assertEquals(settled.map(({ status }) => status), ["rejected", "rejected"]);
    for (const result of settled) {
      assertInstanceOf(
        (result as PromiseRejectedResult).reason,
        CancelledError,
      );
    }
    const waiting = make({ maxWorkers: 1 });
    const closed = waiting.map(negate, [never]);
    const ended = waiting.shutdown();
    waiting.shutdown({ wait: false, cancelFutures: true });
    await ended;
    await assertRejects(() => closed.then(), CancelledError);
  },
);

workerBehaviour(
  "terminate() ends a map() that awaits its inputs",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const never = new Promise<number>(() => {});
    const results = executor.map(negate, [never]);
    await executor.terminate();
    await executor.shutdown();
    await assertRejects(() => results.then(), CancelledError);
  },
);

behaviour(
  "map() pulls no promises after a shutdown",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    let asked = 0;
    function* input() {
      while (true) yield Promise.resolve(asked++);
    }
    const results = executor.map(negate, input(), { bufferSize: 2 });
    const first = results.next();
    await executor.shutdown();
    assertEquals((await first).value, -0);
    assertEquals((await results.next()).value, -1);
    await assertRejects(() => results.next(), ShutdownError);
    assertEquals(asked, 2);
  },
);

behaviour(
  "map() with an aborted signal does not wait for its inputs",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const controller = new AbortController();
    const gate = new Gate();
    const never = new Promise<number>(() => {});
    const results = executor.map(passGate, gate.again(), [1, never], {
      signal: controller.signal,
    });
    const rejected = assertRejects(() => results.then(), CancelledError);
    await until(() => gate.reached === 1);
    controller.abort();
    await rejected;
    gate.open();
    await executor.shutdown();
  },
);

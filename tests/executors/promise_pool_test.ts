// What is particular to PromisePoolExecutor: it runs functions here.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  currentTask,
  PromisePoolExecutor,
  type PromisePoolExecutorOptions,
  TimeoutError,
  transfer,
} from "../../mod.ts";
import { isPending, settle, until, watched } from "./helpers/harness.ts";

/** A test of one pool. */
function pooled(
  name: string,
  run: (
    make: (options?: PromisePoolExecutorOptions) => PromisePoolExecutor,
  ) => Promise<void> | void,
): void {
  watched(`PromisePoolExecutor ${name}`, (executors) =>
    run((options) => {
      const executor = new PromisePoolExecutor(options);
      executors.push(executor);
      return executor;
    }));
}

pooled(
  "runs min(32, cpus + 4) functions at a time by default",
  async (make) => {
    const executor = make();
    const { promise, resolve } = Promise.withResolvers<void>();
    let running = 0;
    const futures = Array.from({ length: 100 }, () =>
      executor.submit(() => {
        running++;
        return promise;
      }));
    await settle();
    assertEquals(running, Math.min(32, navigator.hardwareConcurrency + 4));
    resolve();
    await Promise.all(futures);
    assertEquals(running, 100);
  },
);

pooled(
  "runs at most maxWorkers functions at a time, and that many",
  async (make) => {
    for (const maxWorkers of [1, 2, 7]) {
      const executor = make({ maxWorkers });
      let running = 0;
      let most = 0;
      const work = async (turns: number) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < turns; turn++) await settle();
        running--;
      };
      await executor.map(work, [1, 2, 0, 3, 1, 0, 2, 1, 1, 0, 2, 1]);
      assertEquals([most, running], [maxWorkers, 0]);
    }
  },
);

pooled("enters functions first in, first out", async (make) => {
  for (const maxWorkers of [1, 3]) {
    const executor = make({ maxWorkers });
    const entered: number[] = [];
    const enter = async (n: number) => {
      entered.push(n);
      for (let turn = 0; turn < n % 3; turn++) await settle();
    };
    const futures = [0, 1, 2, 3, 4].map((n) => executor.submit(enter, n));
    const mapped = executor.map(enter, [5, 6, 7]);
    const last = executor.submit(enter, 8);
    await Promise.all([...futures, mapped, last]);
    assertEquals(entered, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

pooled("runs functions that return at once", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const order: string[] = [];
  const futures = ["a", "b"].map((name) =>
    executor.submit(() => order.push(name))
  );
  order.push("submitted");
  assertEquals(await Promise.all(futures), [2, 3]);
  assertEquals(order, ["submitted", "a", "b"]);
});

pooled(
  "runs a hundred thousand functions that return at once",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    let calls = 0;
    for (let i = 0; i < 100_000; i++) executor.submit(() => calls++);
    await executor.shutdown();
    assertEquals(calls, 100_000);
  },
);

pooled(
  "runs closures, methods that are bound, and built-in functions",
  async (make) => {
    const executor = make();
    const seen: number[] = [];
    await executor.submit((n: number) => seen.push(n), 5);
    assertEquals(seen, [5]);
    const list = [1, 2];
    assertEquals(await executor.submit(list.at.bind(list), 1), 2);
    assertEquals(await executor.submit(Math.max, 1, 3, 2), 3);
  },
);

pooled("copies neither arguments, nor results, nor errors", async (make) => {
  const executor = make();
  const value = { fn: () => 1 };
  assertStrictEquals(
    await executor.submit((it: unknown) => it, value) as unknown,
    value,
  );
  const error = new (class extends Error {})("Failed");
  const fail = () => {
    throw error;
  };
  assertStrictEquals(await executor.submit(fail).exception(), error);
});

pooled("moves nothing that is marked by transfer()", async (make) => {
  const executor = make();
  const numbers = new Float64Array([1, 2]);
  const identity = (it: Float64Array<ArrayBuffer>) => transfer(it, [it.buffer]);
  const future = executor.submit(identity, transfer(numbers, [numbers.buffer]));
  assertStrictEquals(await future, numbers);
  const results = executor.map(identity, [transfer(numbers, [numbers.buffer])]);
  assertStrictEquals((await results)[0], numbers);
  assertEquals(numbers.length, 2);
});

pooled("runs its initializer once, whatever runs at a time", async (make) => {
  let calls = 0;
  const order: string[] = [];
  const executor = make({
    maxWorkers: 4,
    initializer: async () => {
      calls++;
      await settle();
      order.push("initialized");
    },
  });
  const futures = [1, 2, 3, 4, 5].map(() =>
    executor.submit(() => order.push("task"))
  );
  await settle();
  futures.push(executor.submit(() => order.push("task")));
  await Promise.all(futures);
  await executor.submit(() => {});
  assertEquals(calls, 1);
  assertEquals(order[0], "initialized");
});

pooled(
  "is broken for what is submitted while its initializer fails",
  async (make) => {
    const { promise, reject } = Promise.withResolvers<void>();
    const executor = make({ initializer: () => promise });
    const early = executor.submit(() => 1);
    await settle();
    const late = executor.submit(() => 2);
    reject(new Error("No such database"));
    await assertRejects(() => early.result(), BrokenExecutorError);
    await assertRejects(() => late.result(), BrokenExecutorError);
  },
);

pooled(
  "keeps the place of a task that was stopped and goes on",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const stubborn = executor.submitWith({ timeout: 1 }, () => promise);
    const next = executor.submit(() => "next");
    await assertRejects(() => stubborn.result(), TimeoutError);
    assert(await isPending(next.result()));
    assertEquals(next.state, "pending");
    resolve();
    assertEquals(await next, "next");
  },
);

pooled(
  "waits in shutdown() for a task that was stopped and goes on",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const { signal } = controller;
    const stubborn = executor.submitWith({ signal }, () => promise);
    await until(() => stubborn.running());
    controller.abort();
    assert(stubborn.cancelled());
    const shutdown = executor.shutdown();
    assert(await isPending(shutdown));
    resolve();
    await shutdown;
  },
);

pooled("does not care what a task that was stopped comes to", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const returns = executor.submitWith({ timeout: 1 }, () => promise);
  const throws = executor.submitWith({ timeout: 1 }, async () => {
    await promise;
    throw new Error("Too late");
  });
  const errors = await Promise.all([returns.exception(), throws.exception()]);
  resolve("too late");
  await executor.shutdown();
  assertStrictEquals(await returns.exception(), errors[0]);
  assertStrictEquals(await throws.exception(), errors[1]);
});

pooled("lets a task submit to its own pool", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const order: string[] = [];
  const inner = await executor.submit(() => {
    const future = executor.submit(() => order.push("inner"));
    order.push("outer");
    return [future];
  });
  await inner[0];
  assertEquals(order, ["outer", "inner"]);
});

pooled("lets a task shut its own pool down, without waiting", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const first = executor.submit(async () => {
    await executor.shutdown({ wait: false });
    return "first";
  });
  const second = executor.submit(() => "second");
  assertEquals(await Promise.all([first, second]), ["first", "second"]);
  await executor.shutdown();
});

pooled("pulls the inputs of a map outside its tasks", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const outer = make({ maxWorkers: 1 });
  const inside: boolean[] = [];
  function* inputs() {
    for (let n = 0; n < 20; n++) {
      inside.push(currentTask() !== undefined);
      yield n;
    }
  }
  await outer.submit(() => currentTask());
  await executor.map((n) => n, inputs(), { bufferSize: 2 });
  assertEquals(inside, Array(20).fill(false));
});

pooled(
  "enters no item of a map() that was cancelled before, and those before it once",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const entered: number[] = [];
    const gate = Promise.withResolvers<void>();
    const results = executor.map((n: number) => {
      entered.push(n);
      return gate.promise;
    }, [1, 2, 3, 4]);
    await until(() => entered.length === 2);
    const shutdown = executor.shutdown({ cancelFutures: true });
    gate.resolve();
    await shutdown;
    await assertRejects(() => results.then(), CancelledError);
    assertEquals(entered, [1, 2]);
    const { finished, cancelled } = executor.stats();
    assertEquals([finished, cancelled], [2, 2]);
  },
);

pooled(
  "stops every item of a map() that runs, each once",
  async (make) => {
    const executor = make({ maxWorkers: 3 });
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const results = executor.map(
      () =>
        new Promise((resolve) => {
          const { signal } = currentTask()!;
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason.cause);
            resolve(undefined);
          });
        }),
      [1, 2, 3, 4],
      { signal: controller.signal },
    );
    await until(() => executor.stats().running === 3);
    controller.abort("enough");
    await assertRejects(() => results.then(), CancelledError);
    assertEquals(reasons, ["enough", "enough", "enough"]);
    assertEquals(executor.stats().cancelled, 4);
  },
);

pooled(
  "gives outcomes of a map() to the items that they are of, in whatever order they come",
  async (make) => {
    const executor = make({ maxWorkers: 4 });
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<string>());
    const results = executor.map((n: number) => gates[n]!.promise, [
      0,
      1,
      2,
      3,
    ]);
    await settle();
    gates[2]!.resolve("c");
    gates[0]!.resolve("a");
    await settle();
    gates[3]!.reject(new RangeError("d"));
    gates[1]!.resolve("b");
    assertEquals((await results.next()).value, "a");
    assertEquals((await results.next()).value, "b");
    assertEquals((await results.next()).value, "c");
    await assertRejects(() => results.next(), RangeError, "d");
  },
);

pooled(
  "counts every item of a map() that is left, whatever a listener does meanwhile",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const gate = Promise.withResolvers<void>();
    const told: number[] = [];
    executor.addEventListener("task", ({ index, outcome }) => {
      told.push(index);
      assertEquals(outcome, "cancelled");
      executor.shutdown({ cancelFutures: true, wait: false });
    });
    const results = executor.map(() => gate.promise, [1, 2, 3, 4, 5, 6]);
    await until(() => executor.stats().running === 2);
    await results.return!();
    gate.resolve();
    await executor.shutdown();
    assertEquals(told, [0, 1, 2, 3, 4, 5]);
    assertEquals(executor.stats().pending, 0);
  },
);

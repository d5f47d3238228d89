// Revoked proxies, of which nothing can be asked without an error.

import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import type { Future } from "../../mod.ts";
import { behaviour } from "./helpers/harness.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

const identity = <T>(value: T) => value;

function makeRevoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

async function refusalOf(future: Future<unknown>): Promise<string> {
  const error = await future.exception();
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "DataCloneError");
  return error.message;
}

behaviour(
  "submit() takes a revoked proxy, and what comes after it",
  async ({ kind, make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const target of [{}, [], () => {}]) {
      const future = executor.submit((_: unknown) => 1, makeRevoked(target));
      if (kind.name === "PromisePoolExecutor") assertEquals(await future, 1);
      else assertStringIncludes(await refusalOf(future), "argument 1");
    }
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

behaviour(
  "a revoked proxy as an input of map() fails at its position alone",
  async ({ kind, make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map((_: unknown) => 1, [1, makeRevoked(), 3]);
    assertEquals(await results.next(), { done: false, value: 1 });
    const second = await results.next().catch((error) => error);
    if (kind.name === "PromisePoolExecutor") {
      assertEquals(second, { done: false, value: 1 });
    } else assertStringIncludes(second.message, "argument 1");
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

workerBehaviour(
  "a revoked proxy inside a value fails its future alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const values: unknown[] = [
      [makeRevoked()],
      { deep: { list: [makeRevoked([])] } },
      new Map([[makeRevoked(), 1]]),
      new Set([makeRevoked()]),
      new Error("Failed", { cause: makeRevoked() }),
      Object.create(makeRevoked()),
    ];
    for (const value of values) {
      const futures = [
        executor.submit(identity, 1),
        executor.submit(identity, value),
        executor.submit(identity, 2),
      ];
      assertStringIncludes(await refusalOf(futures[1]!), "argument 1");
      assertEquals([await futures[0], await futures[2]], [1, 2]);
    }
  },
);

workerBehaviour(
  "a revoked proxy in a result fails its future alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const message = await refusalOf(executor.submit(() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return [proxy];
    }));
    assertStringIncludes(message, "result");
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

behaviour(
  "a revoked proxy as a result rejects, as it does when it is awaited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    }).exception();
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "revoked");
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

workerBehaviour(
  "a revoked proxy that is thrown, or hangs on an error, is text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const thrown = await outcomeOf(executor.submit(() => {
      const { proxy, revoke } = Proxy.revocable(new Error("Failed"), {});
      revoke();
      throw proxy;
    }));
    assertEquals(thrown, { error: "(object)" });
    const error = await executor.submit(() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      throw Object.assign(new RangeError("Failed", { cause: proxy }), {
        field: proxy,
        fields: [proxy],
      });
    }).exception() as RangeError & { field: unknown };
    assertEquals([error.message, error.cause, error.field], [
      "Failed",
      "(object)",
      "(object)",
    ]);
  },
);

workerBehaviour(
  "a getter that throws a revoked proxy fails its future alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const trap = {
      get field(): never {
        throw makeRevoked();
      },
    };
    const message = await refusalOf(executor.submit(identity, trap));
    assertStringIncludes(message, "argument 1");
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

workerBehaviour(
  "a revoked proxy where an error has its errors is text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const fail = (kind: string) => {
      const { proxy, revoke } = Proxy.revocable([], {});
      revoke();
      const errors = kind === "revoked" ? proxy : new Proxy([1], {
        get(): never {
          throw new TypeError("Trapped");
        },
      });
      throw Object.assign(new RangeError("Failed"), { errors });
    };
    for (const [kind, text] of [["revoked", "revoked"], ["trap", "Trapped"]]) {
      const error = await executor.submit(fail, kind!)
        .exception() as RangeError & { errors: string };
      assertInstanceOf(error, RangeError);
      assertStringIncludes(error.errors, text!);
    }
  },
);

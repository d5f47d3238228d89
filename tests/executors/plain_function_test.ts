// Plain functions: what survives being sent as text, and what is refused.

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { WorkerPoolExecutor } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { MOD, workerBehaviour } from "./helpers/worker_harness.ts";

const OUTSIDE = 42;

/** Functions in every notation. */
const calculator = {
  sum(a: number, b: number) {
    return a + b;
  },
  async laterSum(a: number, b: number) {
    await Promise.resolve();
    return a + b;
  },
  "sum of two"(a: number, b: number) {
    return a + b;
  },
  [`computed${1}`](a: number, b: number) {
    return a + b;
  },
  async(a: number, b: number) {
    return a + b;
  },
  get(a: number, b: number) {
    return a + b;
  },
  function(a: number, b: number) {
    return a + b;
  },
};

class Calculator {
  static sum(a: number, b: number) {
    return a + b;
  }
  sum(a: number, b: number) {
    return a + b;
  }
}

workerBehaviour(
  "a plain function may be written in any notation",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const functions: AnyFunction[] = [
      (a, b) => a + b,
      async (a, b) => await Promise.resolve(a + b),
      function (a, b) {
        return a + b;
      },
      function named(a, b) {
        return a + b;
      },
      async function namedAsync(a, b) {
        return await Promise.resolve(a + b);
      },
      (a, b, { c } = { c: 0 }, ...rest: number[]) => a + b + c + rest.length,
      // Its text is no expression by itself.
      (a, b) => ({ sum: a + b }).sum,
      calculator.sum,
      calculator.laterSum,
      calculator["sum of two"],
      calculator.async,
      calculator.get,
      calculator.function,
      Calculator.sum,
      new Calculator().sum,
      new Function("a", "b", "return a + b") as AnyFunction,
    ];
    for (const fn of functions) {
      assertEquals(await executor.submit(fn, 40, 2), 42, String(fn));
    }
  },
);

workerBehaviour("a plain function may call itself", async (make) => {
  const factorial = function factorial(n: number): number {
    return n < 2 ? 1 : n * factorial(n - 1);
  };
  assertEquals(await make({ maxWorkers: 1 }).submit(factorial, 5), 120);
});

workerBehaviour("a plain function may use globals", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const parts = (url: string) => [new URL(url).host, typeof Deno.version.deno];
  assertEquals(await executor.submit(parts, "https://deno.com/x"), [
    "deno.com",
    "string",
  ]);
});

workerBehaviour(
  "a plain function may import, and build executors, while it runs",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const nested = async (mod: string) => {
      const { WorkerPoolExecutor } = await import(mod);
      await using inner = new WorkerPoolExecutor({ maxWorkers: 1 });
      return await inner.submit((a: number, b: number) => a * b, 6, 7);
    };
    assertEquals(await executor.submit(nested, MOD), 42);
  },
);

workerBehaviour(
  "a plain function has no 'this' and is strict",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    assert(
      await executor.submit(function (this: unknown) {
        return this === undefined;
      }),
    );
    const undeclared = new Function("undeclared = 1") as () => void;
    assertFalse("undeclared" in globalThis);
    await executor.submit(undeclared).exception();
    assertFalse(await executor.submit(() => "undeclared" in globalThis));
  },
);

workerBehaviour(
  "a plain function keeps the name that it has here",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const failing = () => {
      throw new Error("Named");
    };
    const error = await executor.submit(failing).exception();
    assertStringIncludes((error as Error).stack!, "failing");
  },
);

workerBehaviour(
  "a plain function that uses a name from outside fails with an error that says so",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const recursive = (n: number): number => n < 2 ? 1 : recursive(n - 1);
    for (
      const [fn, name] of [
        [() => OUTSIDE, "OUTSIDE"],
        [async () => await delay(1), "delay"],
        [() => new Calculator(), "Calculator"],
        [recursive, "recursive"],
      ] satisfies [AnyFunction, string][]
    ) {
      const error = await assertRejects(
        () => executor.submit(fn as AnyFunction, 5).result(),
        ReferenceError,
      );
      assertStringIncludes(error.message, `${name} is not defined`);
      assertStringIncludes(error.message, "its arguments and globals");
      assertStringIncludes(error.message, "task(import.meta, ");
    }
  },
);

workerBehaviour(
  "a plain function that uses 'import.meta' or a private name fails with an error that names task()",
  async (make) => {
    class Secretive {
      #secret = 1;
      reveal(other: Secretive) {
        return #secret in other;
      }
      secret() {
        return this.#secret;
      }
    }
    const executor = make({ maxWorkers: 1 });
    const { reveal, secret } = new Secretive();
    for (const fn of [() => import.meta.url, reveal, secret] as AnyFunction[]) {
      const error = await assertRejects(
        () => executor.submit(fn).result(),
        SyntaxError,
      );
      assertStringIncludes(error.message, "task(import.meta, ");
    }
  },
);

workerBehaviour(
  "a name that is not there yet is no name from outside",
  async (make) => {
    const early = () => {
      // @ts-expect-error It is used too early, which is the point.
      const before = later;
      const later = 1;
      return [before, later];
    };
    const error = await assertRejects(
      () => make({ maxWorkers: 1 }).submit(early).result(),
      ReferenceError,
    );
    assertFalse(error.message.includes("task("), error.message);
  },
);

workerBehaviour(
  "a task() that uses an unknown name is not told to become one",
  async (make) => {
    const { usesUnknownName } = await import("./helpers/worker_tasks.ts");
    const error = await assertRejects(
      () => make({ maxWorkers: 1 }).submit(usesUnknownName).result(),
      ReferenceError,
    );
    assertEquals(error.message, "unknown is not defined");
  },
);

workerBehaviour(
  "a generator function fails alone, as its result cannot be sent",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(function* () {
      yield 1;
    }).exception();
    assertInstanceOf(error, DOMException);
    assertStringIncludes(error.message, "result");
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "native, bound and class functions are refused at the call",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const refused: [what: string, fn: unknown][] = [
      ["native", Math.max],
      ["native", parseInt],
      ["native", new Proxy(() => 1, {})],
      ["bound", (() => 1).bind(null)],
      ["bound", calculator.sum.bind(calculator)],
      ["class", Calculator],
      ["class", class {}],
      ["class", class Derived extends Calculator {}],
    ];
    for (const [what, fn] of refused) {
      for (
        const call of [
          () => executor.submit(fn as AnyFunction),
          () => executor.submitWith({}, fn as AnyFunction),
          () => executor.map(fn as AnyFunction, [1]),
          () => make({ initializer: fn as AnyFunction }),
        ]
      ) {
        const error = assertThrows(call, TypeError);
        assertStringIncludes(error.message, what);
        assertStringIncludes(error.message, "task(import.meta, ");
      }
    }
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "a function is looked at before the executor is",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    await executor.shutdown();
    assertThrows(() => executor.submit(Math.max, 1), TypeError);
  },
);

workerBehaviour(
  "functions with the same text are the same, whatever is around them",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const makeAdder = (n: number) => (m: number) => n + m;
    for (const fn of [makeAdder(1), makeAdder(2)]) {
      const error = await executor.submit(fn, 1).exception();
      assertInstanceOf(error, ReferenceError);
    }
    const square = () => (n: number) => n * n;
    const futures = Array.from(
      { length: 100 },
      (_, n) => executor.submit(square(), n),
    );
    assertEquals(await Promise.all(futures), futures.map((_, n) => n * n));
  },
);

Deno.test("WorkerPoolExecutor is a class, and refused like any other", () => {
  assertThrows(
    () => new WorkerPoolExecutor({ initializer: WorkerPoolExecutor as never }),
    TypeError,
    "class",
  );
});

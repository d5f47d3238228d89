// How arguments and results travel: by structured clone.

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { Future } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";
import { appendTo, countInto, pollute } from "./helpers/worker_tasks.ts";

const identity = <T>(value: T) => value;
const second = (_: unknown, value: unknown) => value;

/** The error of a value that could not be sent. */
async function cloneErrorOf(future: Future<unknown>): Promise<DOMException> {
  const error = await future.exception();
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "DataCloneError");
  return error;
}

workerBehaviour("values of all kinds come back as they were", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const values: unknown[] = [
    undefined,
    null,
    true,
    -0,
    NaN,
    -Infinity,
    12345678901234567890n,
    "text \u0000 \ud83d\ude00",
    new Date(0),
    /a+/gi,
    [1, , 3],
    { a: { b: { c: [{}] } } },
    new Map<unknown, unknown>([[{ key: 1 }, new Set([1, "2"])]]),
    new Uint8Array([1, 2, 3]),
    new Float64Array([0.1]),
    new BigInt64Array([1n]),
    new DataView(new ArrayBuffer(4), 1, 2),
    new ArrayBuffer(8),
    Object.create(null),
  ];
  for (const value of values) {
    assertEquals(
      await executor.submit(identity, value),
      structuredClone(value),
    );
  }
  assert(Object.is(await executor.submit(identity, -0), -0));
});

workerBehaviour("cyclic values come back cyclic", async (make) => {
  const executor = make({ maxWorkers: 1 });
  interface Knot {
    self?: Knot;
    list: unknown[];
  }
  const knot: Knot = { list: [] };
  knot.self = knot;
  knot.list.push(knot, knot.list);
  const tied = await executor.submit((knot: Knot) => {
    return knot.self === knot && knot.list[1] === knot.list ? knot : null;
  }, knot);
  assert(tied !== knot);
  assertStrictEquals(tied?.self, tied);
});

workerBehaviour("class instances arrive as plain objects", async (make) => {
  class Point {
    constructor(readonly x: number, readonly y: number) {}
    length() {
      return Math.hypot(this.x, this.y);
    }
  }
  const executor = make({ maxWorkers: 1 });
  const point = await executor.submit(identity, new Point(3, 4));
  assertEquals<unknown>({ ...point }, { x: 3, y: 4 });
  assertStrictEquals(Object.getPrototypeOf(point), Object.prototype);
});

workerBehaviour("large values travel both ways", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const bytes = new Uint8Array(32 * 2 ** 20);
  bytes[bytes.length - 1] = 7;
  const back = await executor.submit(identity, bytes);
  assertEquals([back.length, back.at(-1)], [bytes.length, 7]);
  const numbers = Array.from({ length: 300_000 }, (_, i) => i);
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b);
  assertEquals(await executor.submit(sum, numbers), sum(numbers));
  const text = "scientist".repeat(1_000_000);
  assertEquals((await executor.submit(identity, text)).length, text.length);
});

workerBehaviour("an argument that cannot be cloned is named", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const uncloneable: unknown[] = [
    () => {},
    Symbol("s"),
    Promise.resolve(),
    Future.withResolvers().future,
    { deep: [{ inside: () => {} }] },
    new WeakMap(),
    class {},
  ];
  for (const value of uncloneable) {
    for (
      const [future, what] of [
        [executor.submit(second, value, 1), "argument 1"],
        [executor.submit(second, 1, value), "argument 2"],
      ] as const
    ) {
      assertStringIncludes((await cloneErrorOf(future)).message, what);
    }
  }
  assertEquals(await executor.submit(identity, 1), 1);
});

workerBehaviour(
  "an argument that cannot be cloned names the task",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const transform = (value: unknown) => value;
    const error = await cloneErrorOf(executor.submit(transform, () => {}));
    assertStringIncludes(error.message, "'transform'");
  },
);

workerBehaviour("a result that cannot be cloned is named", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const functions: AnyFunction[] = [
    () => () => {},
    () => Symbol("s"),
    () => [{ inside: () => {} }],
    async () => await Promise.resolve(() => {}),
    () => globalThis,
    () => ({ promise: Promise.resolve() }),
  ];
  for (const fn of functions) {
    const error = await cloneErrorOf(executor.submit(fn));
    assertStringIncludes(error.message, "result");
  }
  assertEquals(await executor.submit(identity, 1), 1);
});

workerBehaviour("a proxy cannot be cloned either", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const argument = executor.submit(identity, new Proxy({ a: 1 }, {}));
  const result = executor.submit(() => new Proxy({ a: 1 }, {}));
  const message = (await cloneErrorOf(argument)).message;
  assertStringIncludes(message, "argument 1");
  assertStringIncludes((await cloneErrorOf(result)).message, "result");
});

workerBehaviour(
  "getters that throw fail their future alone, with what they threw",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const trap = {
      get value(): never {
        throw new RangeError("Trapped");
      },
    };
    const makeTrap = () => ({
      get value(): never {
        throw new RangeError("Trapped");
      },
    });
    const [argument, result, fine] = [
      executor.submit(second, 1, trap),
      executor.submit(makeTrap),
      executor.submit(identity, 1),
    ];
    const argumentError = await argument.exception() as Error;
    assertStringIncludes(argumentError.message, "argument 2");
    assertStringIncludes(argumentError.message, "Trapped");
    const resultError = await result.exception() as Error;
    assertStringIncludes(resultError.message, "result");
    assertStringIncludes(resultError.message, "Trapped");
    assertEquals(await fine, 1);
  },
);

workerBehaviour(
  "what cannot be cloned fails alone among many that were submitted together",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const secret = (n: number) => n % 7 === 0 ? () => n : n;
    const futures = Array.from(
      { length: 300 },
      (_, n) =>
        n % 2 === 0
          ? executor.submit(identity, n % 3 === 0 ? Symbol() : n)
          : executor.submit(secret, n),
    );
    for (const [n, future] of futures.entries()) {
      if (n % 2 === 0 && n % 3 === 0) {
        assertStringIncludes(
          (await cloneErrorOf(future)).message,
          "argument 1",
        );
      } else if (n % 2 === 1 && n % 7 === 0) {
        assertStringIncludes((await cloneErrorOf(future)).message, "result");
      } else {
        assertEquals(await outcomeOf(future), { value: n });
      }
    }
  },
);

workerBehaviour(
  "what cannot be cloned rejects at its position of a map()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const inputs = [0, 1, 2, () => {}, 4];
    const secret = (n: number) => n === 3 ? () => n : n;
    for (
      const [results, what] of [
        [executor.map(identity, inputs), "argument 1"],
        [executor.map(secret, [0, 1, 2, 3, 4]), "result"],
      ] as const
    ) {
      for (const n of [0, 1, 2]) {
        assertEquals(await results.next(), { done: false, value: n });
      }
      const error = await results.next().catch((error) => error);
      assertInstanceOf(error, DOMException);
      assertStringIncludes(error.message, what);
    }
  },
);

workerBehaviour(
  "each call gets a copy of its own, however many travel together",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const list: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const futures = new Array(200).fill(0).map(() =>
        executor.submit(appendTo, list)
      );
      assertEquals(new Set(await Promise.all(futures)), new Set([1]));
      const lengths = await executor.map(appendTo, new Array(200).fill(list));
      assertEquals(new Set(lengths), new Set([1]));
    }
  },
);

workerBehaviour(
  "each call gets a copy of its own of what its arguments share with others",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const options = { list: [] as number[] };
    const append = (input: { options: typeof options }) =>
      input.options.list.push(0);
    const inputs = new Array(1000).fill(0).map(() => ({ options }));
    const lengths = await executor.map(append, inputs);
    assertEquals(new Set(lengths), new Set([1]));
  },
);

workerBehaviour(
  "a result is what it was when the task returned it",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const counts = Array.from({ length: 1000 }, (_, i) => i);
    const results = await executor.map(countInto, counts);
    const changed = results.findIndex(({ count }, i) => count !== i);
    assertEquals(changed, -1);
  },
);

workerBehaviour(
  "results that were one object there are separate objects here",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const results = await executor.map(countInto, new Array(1000).fill(0));
    assertEquals(new Set(results).size, 1000);
  },
);

workerBehaviour(
  "'__proto__' in a value is a field like any other",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const sent = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}');
    const back = await executor.submit(identity, sent);
    assert(Object.hasOwn(back, "__proto__"));
    assertEquals(back.constructor, 2);
    const made = await executor.submit(pollute);
    assert(Object.hasOwn(made, "__proto__"));
    assertFalse("polluted" in {});
    assertFalse("polluted" in back);
    assertFalse("polluted" in made);
  },
);

// map(): what is an input, what is none, and what an input that misbehaves leaves behind.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Future } from "../../mod.ts";
import { commonBehaviour as behaviour } from "./helpers/harness.ts";
import { NotedAsyncInput, NotedInput } from "./helpers/noted_input.ts";

const negate = (n: number) => -n;
const pair = (a: unknown, b: unknown) => [a, b];

/** Something that the type checker would refuse, or not. */
// deno-lint-ignore no-explicit-any
type Hostile = any;

for (const absent of [undefined, null]) {
  behaviour(
    `map() takes an iterable whose Symbol.asyncIterator is ${absent}`,
    async ({ make }) => {
      const input: Hostile = {
        [Symbol.asyncIterator]: absent,
        *[Symbol.iterator]() {
          yield 1;
        },
      };
      const executor = make({ maxWorkers: 1 });
      assertEquals(await executor.map(negate, input), [-1]);
      assertEquals(await executor.map(pair, [1], input), [[1, 1]]);
    },
  );

  behaviour(
    `map() takes what has no iterator but ${absent} for its options`,
    async ({ make }) => {
      const options: Hostile = { [Symbol.iterator]: absent, ordered: false };
      const executor = make({ maxWorkers: 1 });
      assertEquals(await executor.map(negate, [1], options), [-1]);
    },
  );
}

behaviour(
  "map() throws if an input's iterator is no function, or its getter throws",
  ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const noFunction: Hostile = { [Symbol.asyncIterator]: 1 };
    assertThrows(
      () => executor.map(negate, noFunction),
      TypeError,
      "An input's Symbol.asyncIterator must be a function: received 1",
    );
    const getter: Hostile = {
      get [Symbol.iterator]() {
        throw new RangeError("No iterator today");
      },
    };
    assertThrows(() => executor.map(negate, getter), RangeError);
  },
);

behaviour(
  "map() asks an input for its iterator as often as a loop does",
  async ({ make }) => {
    let asked = 0;
    const input: Hostile = {
      get [Symbol.iterator]() {
        asked++;
        return () => [1, 2].values();
      },
    };
    assertEquals(await make({ maxWorkers: 1 }).map(negate, input), [-1, -2]);
    assertEquals(asked, 1);
  },
);

const NOT_ITERABLE: [string, () => Hostile, string][] = [
  ["a promise", () => Promise.resolve([1]), "await it first"],
  ["a thenable", () => ({ then() {} }), "await it first"],
  ["a future", () => Future.withResolvers().future, "await it first"],
  ["an array-like", () => ({ length: 1, 0: 1 }), "Array.from("],
  ["an iterator", () => ({ next() {} }), "[Symbol.iterator]: () => iterator"],
];
for (const [name, make, hint] of NOT_ITERABLE) {
  behaviour(
    `map() refuses ${name} as an input and says what to write`,
    (kit) => {
      const executor = kit.make({ maxWorkers: 1 });
      const input = make();
      assertThrows(
        () => executor.map(negate, input),
        TypeError,
        "Input 1 of map() must be iterable: received",
      );
      assertThrows(() => executor.map(negate, input), TypeError, hint);
      assertThrows(() => executor.map(pair, [1], input), TypeError, "Input 2");
      assertThrows(() => executor.map(negate, input, {}), TypeError, hint);
    },
  );
}

behaviour("map() ignores unknown options", async ({ make }) => {
  const options: Hostile = { retry: 3, size: 1, unknown: [] };
  assertEquals(await make({ maxWorkers: 1 }).map(negate, [1], options), [-1]);
  assertEquals(await make({ maxWorkers: 1 }).map(() => 1, options), []);
});

behaviour(
  "map() closes the inputs before one that gives no iterator",
  ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const stream = ReadableStream.from([1, 2]);
    const noted = new NotedInput();
    const failing: Hostile = {
      [Symbol.iterator]() {
        throw new RangeError("No iterator today");
      },
    };
    const nothing: Hostile = { [Symbol.iterator]: () => undefined };
    assertThrows(() => executor.map(pair, stream, failing), RangeError);
    assertEquals(stream.locked, false);
    assertThrows(
      () => executor.map(pair, noted, nothing),
      TypeError,
      "Input 2 of map() must give an iterator: received undefined",
    );
    assertEquals(noted.returned, 1);
  },
);

for (
  const [name, result] of [
    ["is undefined", () => undefined],
    ["is a number", () => 5],
    ["has a getter that throws", () => ({
      get done() {
        throw new TypeError("Not today");
      },
    })],
  ] as [string, () => Hostile][]
) {
  for (const other of [new NotedInput(), new NotedAsyncInput()]) {
    const sync = other instanceof NotedInput;
    behaviour(
      `map() ends after the items before an iterator result that ${name}, beside ${
        sync ? "a sync" : "an async"
      } input`,
      async ({ make }) => {
        const executor = make({ maxWorkers: 1 });
        let calls = 0;
        const input: Hostile = {
          [Symbol.iterator]: () => ({
            next: () => ++calls === 1 ? { done: false, value: 1 } : result(),
          }),
        };
        const noted = sync ? new NotedInput() : new NotedAsyncInput();
        const results = executor.map(pair, noted, input);
        assertEquals(await results.next(), { done: false, value: [0, 1] });
        await assertRejects(() => results.next(), TypeError);
        assert(calls === 2);
        const { returned } = noted instanceof NotedInput ? noted : noted.sync;
        assertEquals(returned, 1);
      },
    );
  }
}

behaviour("map() refuses an iterator without a next()", ({ make }) => {
  const input: Hostile = { [Symbol.iterator]: () => ({ next: 5 }) };
  assertThrows(
    () => make({ maxWorkers: 1 }).map(negate, input),
    TypeError,
    "Input 1 of map() must give an iterator with a next(): received 5",
  );
});

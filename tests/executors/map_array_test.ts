// map() over arrays, which are read by their index where nobody can tell: as an iterator reads them.

import { assertEquals, assertRejects } from "@std/assert";
import { transfer } from "../../mod.ts";
import { commonBehaviour as behaviour } from "./helpers/harness.ts";

const same = (value: unknown) => value;

behaviour("map() sees how an array grows and shrinks", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const grows = [1, 2, 3];
  const bigger = executor.map(same, grows, { bufferSize: 1 });
  grows.push(4);
  assertEquals(await bigger, [1, 2, 3, 4]);
  const shrinks = [1, 2, 3, 4];
  const smaller = executor.map(same, shrinks, { bufferSize: 2 });
  shrinks.length = 3;
  assertEquals(await smaller, [1, 2, 3]);
  // Whoever has come to the end of an array has come to its end.
  const ended = [1];
  const over = executor.map(same, ended, { bufferSize: 3 });
  ended.push(2);
  assertEquals(await over, [1]);
});

behaviour(
  "map() takes the holes of an array for undefined",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    // deno-lint-ignore no-sparse-arrays
    assertEquals(await executor.map(same, [1, , 3]), [1, undefined, 3]);
  },
);

behaviour(
  "map() gives what stood before an element that throws, and its error once",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    let asked = 0;
    const input = [1, 2, 3, 4];
    Object.defineProperty(input, 2, {
      get() {
        asked++;
        throw new RangeError("No third");
      },
    });
    const results: unknown[] = [];
    await assertRejects(
      async () => {
        for await (const result of executor.map(same, input)) {
          results.push(result);
        }
      },
      RangeError,
      "No third",
    );
    assertEquals({ results, asked }, { results: [1, 2], asked: 1 });
  },
);

behaviour("map() moves some elements of an array", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const bytes = [1, 2].map((byte) => new Uint8Array([byte]));
  const [first, second] = bytes.map((it) => transfer(it, [it.buffer]));
  const results = await executor.map(
    (value: unknown) => value instanceof Uint8Array ? value[0]! : value,
    [10, first, 20, 30, second, { x: 1 }, 40],
  );
  assertEquals(results, [10, 1, 20, 30, 2, { x: 1 }, 40]);
});

behaviour("map() asks an array as it is patched", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  class Doubled extends Array<number> {
    override *[Symbol.iterator](): ArrayIterator<number> {
      for (let i = 0; i < this.length; i++) yield 2 * this[i]!;
    }
  }
  assertEquals(await executor.map(same, Doubled.of(1, 2)), [2, 4]);
  const prototype = Object.getPrototypeOf([][Symbol.iterator]());
  const { next } = prototype;
  prototype.next = function () {
    const { done, value } = next.call(this);
    return { done, value: value === "one" ? "patched" : value };
  };
  let results;
  try {
    results = executor.map(same, ["one", "two"]);
  } finally {
    prototype.next = next;
  }
  assertEquals(await results, ["patched", "two"]);
});

behaviour(
  "map() reads an array that is a proxy as its iterator does",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const read: unknown[] = [];
    const input = new Proxy([1, 2], {
      get(target, key, receiver) {
        read.push(key);
        return Reflect.get(target, key, receiver);
      },
    });
    assertEquals(await executor.map(same, input), [1, 2]);
    assertEquals(read.filter((key) => typeof key === "string"), [
      "length",
      "0",
      "length",
      "1",
      "length",
    ]);
  },
);

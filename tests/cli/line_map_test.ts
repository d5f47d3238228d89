// How lines become blocks, with an executor that does what the test says.

import { assert, assertEquals } from "@std/assert";
import type { Piece } from "../../cli/line_block.ts";
import { LineMap, type LineMapOptions } from "../../cli/line_map.ts";
import type { LineChunk } from "../../cli/line_source.ts";
import type { BlockResult } from "../../cli/map_block.ts";
import { Future } from "../../mod.ts";

/** Lines without an end, and how many of them have been asked for. */
function endless(): AsyncIterable<LineChunk> & { asked: number } {
  return {
    asked: 0,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        this.asked += 1000;
        yield await Promise.resolve({
          file: undefined,
          text: "x\n".repeat(1000),
        });
      }
    },
  };
}

async function* chunk(text: string): AsyncGenerator<LineChunk> {
  yield await Promise.resolve({ file: undefined, text });
}

function lineMap(
  source: AsyncIterable<LineChunk>,
  map: (text: string) => BlockResult,
  options: Partial<LineMapOptions> = {},
): LineMap {
  return new LineMap(source, {
    submit(text) {
      const { future, resolve } = Future.withResolvers<BlockResult>();
      setTimeout(() => resolve(map(text)));
      return future;
    },
    workers: () => 2,
    ordered: true,
    timeoutMs: Infinity,
    retries: 0,
    skip: 0,
    ...options,
  });
}

/** A worker that gets `most` lines done in the time of a block. */
function worker(most: number): (text: string) => BlockResult {
  return (text) => {
    const all = text.split(/(?<=\n)/);
    const output = all.slice(0, most).join("");
    const lines = Math.min(most, all.length);
    const ms = 50 * lines / most;
    return { lines, length: output.length, output, failures: [], ms };
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("LineMap asks for no more lines while nobody reads results", async () => {
  const source = endless();
  const map = lineMap(source, worker(10));
  await turns(50);
  const { asked } = source;
  assert(asked <= 2000, `${asked}`);
  const results = map[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) await results.next();
  await turns(50);
  assert(asked < source.asked && source.asked <= asked + 2000);
  map.stop();
});

Deno.test("LineMap makes blocks as large as their time lets them be", async () => {
  const sizes: number[] = [];
  const fast = worker(100_000);
  const map = lineMap(chunk("x\n".repeat(200_000)), (text) => {
    sizes.push(text.length / 2);
    return fast(text);
  });
  await Array.fromAsync(map);
  assertEquals(sizes[0], 1);
  assertEquals(Math.max(...sizes), 4 ** 7);
});

Deno.test("LineMap gives what a worker had no time for to others", async () => {
  const text = Array.from({ length: 3000 }, (_, i) => `${i}\n`).join("");
  let calls = 0;
  const sizes: number[] = [];
  const map = lineMap(chunk(text), (text) => {
    sizes.push(text.split("\n").length - 1);
    // After a while each line takes as long as a block.
    return worker(++calls < 1050 ? 100_000 : 1)(text);
  });
  const pieces: Piece[] = (await Array.fromAsync(map)).flat();
  assertEquals(pieces.map(({ output }) => output).join(""), text);
  assertEquals(sizes.at(-1), 1);
});

for (const ordered of [true, false]) {
  Deno.test(`LineMap gives each line one result, ordered: ${ordered}`, async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `${i}\n`).join("");
    let seed = 1;
    const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
    const map = lineMap(chunk(text), (text) => {
      const result = worker(1 + Math.floor(random() * 5))(text);
      if (random() < 0.9) return result;
      const failure = {
        index: 0,
        start: 0,
        at: 0,
        error: { name: "Error", message: "by chance" },
        isUnreadable: false,
      };
      const output = result.output.replace(/^\d+\n/, "");
      return { ...result, output, failures: [failure] };
    }, { ordered, retries: 1 });
    const pieces: Piece[] = (await Array.fromAsync(map)).flat();
    const results = pieces.flatMap(({ first, output, failure }) =>
      failure === undefined ? output.trimEnd().split("\n").map(Number) : [first]
    );
    const inOrder = Array.from({ length: 2000 }, (_, i) => i);
    assertEquals(results.toSorted((a, b) => a - b), inOrder);
    if (ordered) assertEquals(results, inOrder);
    assert(pieces.some(({ failure }) => failure !== undefined));
  });
}

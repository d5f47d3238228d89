// Results that are long, and many: what is ready is bounded, and none is lost.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Piece } from "../../cli/line_block.ts";
import { LineMap } from "../../cli/line_map.ts";
import type { LineChunk } from "../../cli/line_source.ts";
import type { BlockResult } from "../../cli/map_block.ts";
import { PromisePoolExecutor } from "../../mod.ts";
import {
  FUNCTIONS,
  futures,
  startFutures,
} from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

/** Characters of a result that eight fill the room of. */
const LONG = 8 * 1024 * 1024;

/** As many as there is room for, and what two workers have meanwhile. */
const MOST_READY = 8 + 2 * 2;

/** It is one text, however often it is a result. */
const LONG_RESULT: string = `${"x".repeat(LONG - 1)}\n`;

async function* numbers(count: number): AsyncGenerator<LineChunk> {
  const text = Array.from({ length: count }, (_, i) => `${i}\n`).join("");
  yield await Promise.resolve({ file: undefined, text });
}

/** What a block of one line comes to. */
function blockOf(text: string, part: Partial<BlockResult>): BlockResult {
  return {
    lines: 1,
    length: text.indexOf("\n") + 1,
    output: "",
    failures: [],
    ms: 50,
    ...part,
  };
}

/** Maps lines with two workers; the first one has to wait for `first`. */
function mapLong(
  count: number,
  { ordered, long, first }: {
    ordered: boolean;
    long: (text: string) => BlockResult;
    first: Promise<void>;
  },
): { map: LineMap; calls: string[]; pool: PromisePoolExecutor } {
  const pool = new PromisePoolExecutor({ maxWorkers: 2 });
  const calls: string[] = [];
  const map = new LineMap(numbers(count), {
    submit: (text) =>
      pool.submit(async () => {
        calls.push(text);
        // What waits at the other end of a message does so for a turn.
        await new Promise((resolve) => setTimeout(resolve));
        if (text.startsWith("0\n")) await first;
        return long(text);
      }),
    workers: () => 2,
    ordered,
    timeoutMs: Infinity,
    retries: 0,
    skip: 0,
  });
  return { map, calls, pool };
}

/** Waits until nothing is called any more. */
async function settle(calls: string[]): Promise<void> {
  for (let last = -1; last !== calls.length;) {
    last = calls.length;
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

const failure = {
  index: 0,
  start: 0,
  at: 0,
  error: { name: "Error", message: LONG_RESULT },
  isUnreadable: false,
};

for (
  const [what, long] of [
    ["results", (text: string) => blockOf(text, { output: LONG_RESULT })],
    [
      "messages of errors",
      (text: string) => blockOf(text, { failures: [failure] }),
    ],
    [
      "results that travel alone",
      (text: string) =>
        blockOf(text, { long: { start: 0, output: LONG_RESULT } }),
    ],
  ] as const
) {
  Deno.test(`LineMap has no more long ${what} ready than there is room for while the first line takes long`, async () => {
    const gate = Promise.withResolvers<void>();
    const first = gate.promise;
    const { map, calls, pool } = mapLong(100, { ordered: true, long, first });
    const pieces = Array.fromAsync(map);
    await settle(calls);
    assert(calls.length <= MOST_READY, `${calls.length}`);
    gate.resolve();
    const lines = (await pieces).flat().map(({ first }: Piece) => first);
    assertEquals(lines, Array.from({ length: 100 }, (_, i) => i));
    assertEquals(calls.length, 100);
    await pool.shutdown();
  });

  Deno.test(`LineMap has no more long ${what} ready than there is room for while nobody reads, without an order`, async () => {
    const first = Promise.resolve();
    const { map, calls, pool } = mapLong(100, { ordered: false, long, first });
    const results = map[Symbol.asyncIterator]();
    const lines: number[] = [];
    for (let ready = MOST_READY;; ready += MOST_READY) {
      await settle(calls);
      assert(calls.length <= lines.length + MOST_READY, `${calls.length}`);
      const { value, done } = await results.next();
      if (done) break;
      // The ones before these are out of the way only now.
      lines.push(...(value as Piece[]).map(({ first }) => first));
    }
    assertEquals(
      lines.toSorted((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
    await pool.shutdown();
  });
}

Deno.test("LineMap stops while blocks wait for room", async () => {
  const gate = Promise.withResolvers<void>();
  const { map, calls, pool } = mapLong(100, {
    ordered: true,
    long: (text) => blockOf(text, { output: LONG_RESULT }),
    first: gate.promise,
  });
  const pieces = Array.fromAsync(map);
  await settle(calls);
  map.stop();
  gate.resolve();
  const lines = (await pieces).flat().length;
  assert(lines > 0 && lines <= MOST_READY, `${lines}`);
  await pool.shutdown();
});

for (const args of [[], ["--executor=promise"], ["--executor=process"]]) {
  Deno.test(`futures map ${args} writes long results in the order of the lines`, async () => {
    await using folder = await makeTempFolder({
      in: Array.from({ length: 20 }, (_, i) => `${i + 1}\n`).join(""),
    });
    await futures(
      ["map", `${FUNCTIONS}#longAtThrees`, "in", "--output=out", ...args],
      { cwd: folder.path },
    );
    const text = await Deno.readTextFile(`${folder.path}/out`);
    const lengths = text.split("\n").slice(0, -1).map((line) => {
      const result: string = JSON.parse(line);
      return result.length > 2 ? result.length - 2_000_000 : Number(result);
    });
    assertEquals(lengths, Array.from({ length: 20 }, (_, i) => i + 1));
  });
}

Deno.test("futures map writes characters that take two places as they are, wherever they stand", async () => {
  await using folder = await makeTempFolder({
    "in": "0\n1\n",
    "long.js": `export default (n) => "x".repeat(n) + "𝒳".repeat(400_000);`,
  });
  const { stdout } = await futures(["map", "long.js", "in"], {
    cwd: folder.path,
  });
  const many = "𝒳".repeat(400_000);
  assert(stdout === `"${many}"\n"x${many}"\n`);
});

Deno.test("futures map has a result that is longer than a string for a line that failed", async () => {
  const { stdout } = await futures(
    ["map", `${FUNCTIONS}#tooLong`, "--on-error=report"],
    { stdin: "1\n" },
  );
  assertStringIncludes(
    stdout,
    '"RangeError","message":"Invalid string length"',
  );
});

Deno.test("futures map reports no more of a message than anybody reads", async () => {
  await using folder = await makeTempFolder({
    "in": "1\n2\n",
    "fails.js": `export default (n) => {
      throw Object.assign(new Error("m".repeat(n * 10_000_000)), {
        name: "n".repeat(1_000_000),
      });
    };`,
  });
  const { stdout } = await futures(
    ["map", "fails.js", "in", "--on-error=report"],
    { cwd: folder.path },
  );
  const [first, second] = stdout.split("\n").slice(0, 2).map((line) =>
    JSON.parse(line)
  );
  assertEquals([first.line, second.line], [1, 2]);
  assert(stdout.length < 400_000);
});

Deno.test("futures map writes more than a string can be that is ready at once", async () => {
  const lines = 560;
  const child = startFutures(
    ["map", `${FUNCTIONS}#slowFirst`, "--executor=promise"],
    ".",
  );
  const input = child.stdin.getWriter();
  const text = Array.from({ length: lines }, (_, i) => `${i + 1}\n`).join("");
  await input.write(new TextEncoder().encode(text));
  await input.close();
  let length = 0;
  for await (const bytes of child.stdout) length += bytes.length;
  assertEquals(length, lines * ('""\n'.length + 1_000_000));
  assertEquals(await new Response(child.stderr).text(), "");
  assertEquals((await child.status).code, 0);
});

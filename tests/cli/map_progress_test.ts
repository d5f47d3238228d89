// What the line of `futures map --progress` says, from figures that are known.

import { assertEquals } from "@std/assert";
import { LineSource } from "../../cli/line_source.ts";
import { formatLeft } from "../../cli/map_progress.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const left = (part: number | undefined, from: number, seconds: number) =>
  formatLeft({ done: 1, failed: 0, part }, { from, seconds });

Deno.test("formatLeft() tells the time from how fast it was so far", () => {
  assertEquals(left(0.5, 0, 5), ", 50 %, 5.0 s left");
  assertEquals(left(0.1, 0, 10), ", 10 %, 1 min 30 s left");
  assertEquals(left(0.01, 0, 300), ", 1 %, 8 h 15 min left");
});

Deno.test("formatLeft() counts nothing that was done before", () => {
  assertEquals(left(0.75, 0.5, 10), ", 75 %, 10 s left");
});

Deno.test("formatLeft() says nothing that nobody knows", () => {
  assertEquals(left(undefined, 0, 10), "");
  assertEquals(left(0, 0, 10), "");
  assertEquals(left(0.5, 0, 0.5), "");
});

Deno.test("LineSource knows which part some characters are, whatever their length", async () => {
  await using folder = await makeTempFolder({
    "a": "ä".repeat(99) + "\n",
    "b": "b".repeat(199) + "\n",
  });
  const source = new LineSource([`${folder.path}/a`, `${folder.path}/b`]);
  assertEquals(source.partOf(0), undefined);
  const [first, ...rest] = await Array.fromAsync(source);
  assertEquals(source.partOf(first!.text.length), 1 / 3);
  assertEquals(rest.length, 1);
  assertEquals(source.partOf(300), 1);
});

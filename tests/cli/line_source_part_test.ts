// Which part of its input `futures map` has come to.

import { assertEquals } from "@std/assert";
import { LineSource } from "../../cli/line_source.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

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

// Messages of a worker process, cut into packets and put together again.

import { assertEquals } from "@std/assert";
import {
  makeMark,
  PacketReader,
} from "../../executors/pool/process/packets.ts";

const POOL = new URL("../../executors/pool/process/", import.meta.url).href;

/** What a program that writes these messages has written, as its host reads it. */
async function written(messages: string): Promise<unknown[]> {
  const mark = makeMark();
  const program = `
    import { PacketWriter } from "${POOL}packets.ts";
    const packets = new PacketWriter("${mark}", "task");
    for (const message of ${messages}) packets.write(message);
  `;
  const module = `data:text/javascript,${encodeURIComponent(program)}`;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-check", "--quiet", module],
  }).output();
  const heard: unknown[] = [];
  const reader = new PacketReader(mark, {
    message: (message) => heard.push(message),
    text: (bytes) => heard.push(new TextDecoder().decode(bytes)),
    broken: (error) => heard.push(error),
  });
  // In pieces that fit no packet.
  for (let at = 0; at < stderr.length; at += 5000) {
    reader.push(stderr.slice(at, at + 5000));
  }
  reader.end();
  return heard;
}

Deno.test("PacketReader hears the position of an item as far as numbers go", async () => {
  const messages = [["entered", 1, 1], ["entered", 2 ** 40 + 3, 2 ** 20]];
  assertEquals(await written(JSON.stringify(messages)), messages);
});

Deno.test("PacketReader hears messages that are longer than what it sets aside", async () => {
  const heard = await written(
    '[["a", "x".repeat(4e7)], ["b", "y".repeat(2 ** 24)], ["c"]]',
  );
  assertEquals(heard, [
    ["a", "x".repeat(4e7)],
    ["b", "y".repeat(2 ** 24)],
    ["c"],
  ]);
});

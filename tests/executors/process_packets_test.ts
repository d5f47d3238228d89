// Messages of a worker process, cut into packets and put together again.
// @group processes

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ENCODED_MARK_BYTES,
  encodeMark,
  makeMark,
  PacketReader,
} from "../../executors/pool/process/packets.ts";
import { Packets } from "./fuzz/babble.ts";
import { forSeeds } from "./helpers/random.ts";

const POOL = new URL("../../executors/pool/process/", import.meta.url).href;

/** What the system writes in one piece. */
const PACKET_BYTES = Deno.build.os === "linux" ? 4096 : 512;
const HEADER_BYTES = 20;

/** What a reader hears of some pieces. */
function hear(mark: string, pieces: Iterable<Uint8Array>): unknown[] {
  const heard: unknown[] = [];
  const reader = new PacketReader(mark, {
    message: (message) => heard.push(message),
    text: (bytes) => heard.push(new TextDecoder().decode(bytes)),
    broken: (error) => heard.push(error),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return heard;
}

/** All of it in one piece. */
function join(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => [
      ...typeof part === "string" ? new TextEncoder().encode(part) : part,
    ]),
  );
}

/** Bytes in pieces of so many. */
function* cut(bytes: Uint8Array, length: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield bytes.slice(at, at + length);
  }
}

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
  // In pieces that fit no packet.
  return hear(mark, cut(stderr, 5000));
}

Deno.test("PacketReader hears the position of an item as far as numbers go", async () => {
  const messages = [
    ["entered", 1, 1],
    ["entered", 2 ** 40 + 3, 2 ** 20],
    ["entered", Number.MAX_SAFE_INTEGER, 1],
  ];
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

Deno.test("makeMark() begins with a byte that is in no text, and differs each time", () => {
  const marks = Array.from({ length: 100 }, makeMark);
  assertEquals(new Set(marks).size, 100);
  for (const mark of marks) {
    assertMatch(mark, /^ff[0-9a-f]{28}$/);
    assertEquals(encodeMark(mark).length, ENCODED_MARK_BYTES);
  }
});

Deno.test("PacketReader tells messages from text, whatever pieces they come in", () => {
  const mark = makeMark();
  const packets = new Packets(mark);
  const long = ["long", "x".repeat(3 * PACKET_BYTES)];
  const bytes = join(
    "before\n",
    packets.encode(["entered", 7, 3]),
    packets.encode(long),
    "between",
    packets.encode(["ready"]),
    "after",
  );
  const told = [["entered", 7, 3], long, ["ready"]];
  for (const length of [1, 2, 7, 19, 20, 21, PACKET_BYTES, bytes.length]) {
    const heard = hear(mark, cut(bytes, length));
    const messages = heard.filter((said) => typeof said !== "string");
    const text = heard.filter((said) => typeof said === "string").join("");
    assertEquals([messages, text], [told, "before\nbetweenafter"]);
  }
});

Deno.test("PacketReader passes on what looks like the beginning of a mark", () => {
  const mark = makeMark();
  const packets = new Packets(mark);
  const start = packets.encode(["ready"]).subarray(0, 14);
  const other = new Packets(makeMark()).encode(["ready"]);
  const texts: Uint8Array[] = [];
  const messages: unknown[] = [];
  const reader = new PacketReader(mark, {
    message: (message) => messages.push(message),
    text: (bytes) => texts.push(bytes.slice()),
    broken: (error) => messages.push(error),
  });
  const text = join(start, Uint8Array.of(0xff, 0xff), other, start);
  for (const piece of cut(join(text, packets.encode(["up"])), 5)) {
    reader.push(piece);
  }
  reader.push(start);
  reader.end();
  assertEquals(messages, [["up"]]);
  assertEquals(join(...texts), join(text, start));
});

Deno.test("PacketReader holds back what may be a mark, and nothing else", () => {
  const mark = makeMark();
  const heard: string[] = [];
  const reader = new PacketReader(mark, {
    message: () => heard.push("message"),
    text: (bytes) => heard.push(new TextDecoder().decode(bytes)),
    broken: (error) => heard.push(error.message),
  });
  const [first, ...rest] = cut(new Packets(mark).encode(["up"]), 10);
  reader.push(join("text", first!));
  assertEquals(heard, ["text"]);
  for (const piece of rest) reader.push(piece);
  assertEquals(heard, ["text", "message"]);
});

Deno.test("PacketReader puts messages of both writers together that are cut into one another", async () => {
  const body = (character: string) => {
    const bytes = new Uint8Array(1 + 3 * PACKET_BYTES);
    // Of no kind that there is, so that what is heard of it is nothing.
    bytes.fill(character.charCodeAt(0));
    return bytes;
  };
  await forSeeds(50, ({ below }) => {
    const mark = makeMark();
    const packets = new Packets(mark);
    const whole = [packets.encode(["a", "x".repeat(2 * PACKET_BYTES)])];
    const other = packets.cut(body("b"), 1);
    const queues = [
      [...cut(whole[0]!, PACKET_BYTES)],
      [...cut(other, PACKET_BYTES)],
    ];
    const pieces: Uint8Array[] = [];
    while (queues.some(({ length }) => length > 0)) {
      const piece = queues[below(2)]!.shift();
      if (piece !== undefined) pieces.push(piece, join("text"));
    }
    const heard = hear(mark, pieces).filter((said) => said !== "text");
    assertEquals(heard.length, 2);
    assert(heard.includes(undefined));
    const message = ["a", "x".repeat(2 * PACKET_BYTES)];
    assertEquals(heard.find((said) => said !== undefined), message);
  });
});

Deno.test("PacketReader says of a packet that does not follow that it is broken", () => {
  const mark = makeMark();
  const packets = new Packets(mark);
  const full = new Uint8Array(PACKET_BYTES - HEADER_BYTES);
  const broken = [
    // Of nobody; of nothing; of more than were left.
    [packets.packet(2, 1, full.subarray(0, 1))],
    [packets.packet(255, 1, full.subarray(0, 1))],
    [packets.packet(0, 0, full.subarray(0, 0))],
    [
      packets.packet(0, 2 * full.length, full),
      packets.packet(0, 2 * full.length, full),
    ],
    [packets.packet(0, full.length + 5, full), packets.encode(["up"])],
  ];
  for (const pieces of broken) {
    const [said, ...rest] = hear(mark, pieces);
    assert(said instanceof RangeError, Deno.inspect(said));
    assertMatch(said.message, /^A packet of writer \d+ has \d+ bytes left$/);
    assertEquals(rest, []);
  }
});

Deno.test("PacketReader goes on after what is no message", () => {
  const mark = makeMark();
  const packets = new Packets(mark);
  const heard = hear(mark, [
    // What cannot be read, is of no kind, and has the length of another kind.
    packets.cut(Uint8Array.of(0, 1, 2, 3)),
    packets.cut(Uint8Array.of(9)),
    packets.cut(Uint8Array.of(1, 0, 0)),
    packets.encode(["up"]),
  ]);
  assertEquals(heard, [["unreadable"], undefined, undefined, ["up"]]);
});

Deno.test("PacketReader does not believe a length before the bytes are there", () => {
  const mark = makeMark();
  const packets = new Packets(mark);
  const full = new Uint8Array(PACKET_BYTES - HEADER_BYTES);
  const before = Deno.memoryUsage().external;
  // Of each writer four gigabytes, of which nothing else comes.
  hear(mark, [0, 1].map((writer) => packets.packet(writer, 2 ** 32 - 1, full)));
  assert(Deno.memoryUsage().external - before < 2 ** 28);
});

Deno.test("PacketWriter writes each message in pieces of which none is too long for a pipe", async () => {
  const mark = makeMark();
  const program = `
    const lengths = [];
    Deno.stderr.writeSync = (bytes) => lengths.push(bytes.length) && bytes.length;
    const { PacketWriter } = await import("${POOL}packets.ts");
    const packets = new PacketWriter("${mark}", "main");
    packets.write(["entered", 1, 1]);
    packets.write(["ready"]);
    packets.write(["x".repeat(20_000)]);
    console.log(JSON.stringify(lengths));
  `;
  const module = `data:text/javascript,${encodeURIComponent(program)}`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-check", "--quiet", module],
  }).output();
  const lengths = JSON.parse(new TextDecoder().decode(stdout)) as number[];
  assertEquals(lengths[0], HEADER_BYTES + 13);
  assert(lengths.every((length) => length <= PACKET_BYTES), `${lengths}`);
  const sum = lengths.reduce((all, length) => all + length);
  assert(sum > 20_000);
  assertEquals(
    lengths.slice(2, -1).every((length) => length === PACKET_BYTES),
    true,
  );
});

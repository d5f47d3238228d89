// Messages on the way into a worker process, one after another.
// @group processes

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  concat,
  encodeFrame,
  FrameReader,
  read,
} from "../../executors/pool/process/frames.ts";
import { serialize } from "../../executors/pool/process/serialize.ts";
import { UNREADABLE } from "../../executors/pool/wire/protocol.ts";
import { forSeeds } from "./helpers/random.ts";

/** All messages of some pieces. */
function readAll(pieces: readonly Uint8Array[]): unknown[] {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => [...reader.push(piece)]);
}

/** A frame of a body that need not be a message. */
function frameOf(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}

const MESSAGES = [
  ["ready"],
  ["run", [[0, 2, ["a", "b"], false]], true],
  ["run", [[1, 1, [new Uint8Array([1, 2, 3])], false]], false],
  [],
  "x".repeat(100_000),
  undefined,
  { list: new Map([[1, new Set(["a"])]]) },
];

Deno.test("FrameReader finds messages in whatever pieces they come", async () => {
  const frames = MESSAGES.map((message) => encodeFrame(message, []));
  const bytes = concat(
    frames,
    frames.reduce((sum, { length }) => sum + length, 0),
  );
  assertEquals(readAll([bytes]), MESSAGES);
  assertEquals(readAll(frames), MESSAGES);
  await forSeeds(100, ({ below, pick }) => {
    const pieces: Uint8Array[] = [];
    const most = pick([2, 5, 100, 100_000]);
    for (let at = 0; at < bytes.length;) {
      const length = below(most);
      pieces.push(bytes.slice(at, at + length));
      at += length;
      // Each of many that are as small takes its time.
      if (most < 100 && at > 500) {
        pieces.push(bytes.slice(at));
        break;
      }
    }
    assertEquals(readAll(pieces), MESSAGES);
  });
});

Deno.test("FrameReader gives a message as soon as its last byte is there", () => {
  const reader = new FrameReader();
  const frame = encodeFrame(["ready"]);
  for (let at = 0; at < frame.length; at++) {
    const messages = [...reader.push(frame.slice(at, at + 1))];
    assertEquals(messages.length, at === frame.length - 1 ? 1 : 0);
  }
  assertEquals([...reader.push(new Uint8Array())], []);
});

Deno.test("FrameReader goes on after what cannot be read", () => {
  const unreadable = [
    new Uint8Array(),
    new Uint8Array([1, 2, 3]),
    // Cut short.
    serialize(["ready"]).subarray(0, -1),
  ];
  for (const body of unreadable) {
    const messages = readAll([frameOf(body), encodeFrame(["watch"])]);
    assertEquals(messages, [UNREADABLE, ["watch"]]);
    assertEquals(read(body), UNREADABLE);
  }
});

Deno.test("FrameReader gives what has been read whoever waits in between", () => {
  const reader = new FrameReader();
  const [one, two] = [encodeFrame([1]), encodeFrame([2])];
  const messages = reader.push(concat([one, two], one.length + two.length));
  for (const message of messages) {
    assertEquals(message, [1]);
    break;
  }
  // What nobody has asked for is there at the next piece.
  assertEquals([...reader.push(encodeFrame([3]))], [[2], [3]]);
});

Deno.test("FrameReader does not change what is in its pieces later", () => {
  const reader = new FrameReader();
  const bytes = new Uint8Array([1, 2, 3]);
  const frame = encodeFrame([bytes], []);
  const [message] = [...reader.push(frame)] as [Uint8Array[]];
  frame.fill(0);
  assertEquals(message, [bytes]);
});

Deno.test("encodeFrame() writes nothing of a message that cannot be cloned", () => {
  assertThrows(() => encodeFrame([() => {}]), DOMException);
  const buffer = new ArrayBuffer(8);
  assertThrows(() => encodeFrame([buffer, () => {}], [buffer]), DOMException);
  assert(!buffer.detached);
});

Deno.test("concat() puts pieces one after another", () => {
  const pieces = [[1], [], [2, 3]].map((bytes) => Uint8Array.from(bytes));
  assertEquals(concat(pieces, 3), Uint8Array.from([1, 2, 3]));
  assertEquals(concat([], 0), new Uint8Array());
});

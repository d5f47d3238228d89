/**
 * Bytes that were messages, spoilt, for what reads them.
 *
 * @module
 */

import {
  encodeFrame,
  FrameReader,
  read,
} from "../../../executors/pool/process/frames.ts";
import {
  makeMark,
  PacketReader,
} from "../../../executors/pool/process/packets.ts";
import { serialize } from "../../../executors/pool/process/serialize.ts";
import type { Random } from "../helpers/random.ts";
import { babble, Packets, spoil } from "./babble.ts";
import { invent } from "./odd.ts";

/** How many buffers of each kind a round reads. */
const BUFFERS = 20;

/** Reads spoilt bytes, which may not be messages, but never does harm. */
export function spoilBytes(random: Random): void {
  for (let count = BUFFERS; count > 0; count--) {
    const message = invent(random, { head: 3, tail: 9, ended: 5 });
    read(spoil(random, serialize(message)));
    readFrames(random, message);
    readPackets(random, message);
  }
}

function readFrames(random: Random, message: unknown): void {
  const bytes = spoil(random, encodeFrame(message));
  const reader = new FrameReader();
  for (const piece of pieces(random, bytes)) [...reader.push(piece)];
}

function readPackets(random: Random, message: unknown): void {
  const mark = makeMark();
  const packets = new Packets(mark);
  const listener = { message() {}, text() {}, broken() {} };
  const reader = new PacketReader(mark, listener);
  try {
    for (
      const bytes of [
        spoil(random, packets.encode(message)),
        ...babble(random, packets),
        packets.encode(message),
      ]
    ) for (const piece of pieces(random, bytes)) reader.push(piece);
  } catch {
    // Whoever reads packets ends the worker that writes such.
  }
  reader.end();
}

/** Bytes as a pipe brings them. */
function* pieces(
  { below }: Random,
  bytes: Uint8Array<ArrayBuffer>,
): Iterable<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + below(2000);
    yield bytes.slice(at, at + length);
    at += length;
  }
}

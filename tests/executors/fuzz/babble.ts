/**
 * Messages of a worker process as bytes, and bytes that are none.
 *
 * @module
 */

import { concat } from "../../../executors/pool/process/frames.ts";
import { serialize } from "../../../executors/pool/process/serialize.ts";
import type { Random } from "../helpers/random.ts";

// As packets.ts has it.
const PACKET_BYTES = Deno.build.os === "linux" ? 4096 : 512;
const MARK_BYTES = 15;
const HEADER_BYTES = MARK_BYTES + 1 + 4;
const BODY_BYTES = PACKET_BYTES - HEADER_BYTES;
const SERIALIZED = 0;
const ENTERED = 1;

/** Writes as a worker process does. */
export class Packets {
  readonly #mark: Uint8Array;

  /** `mark` is in hexadecimal digits. */
  constructor(mark: string) {
    this.#mark = Uint8Array.from(
      { length: MARK_BYTES },
      (_, i) => parseInt(mark.slice(2 * i, 2 * i + 2), 16),
    );
  }

  /** All packets of a message. */
  encode(message: unknown): Uint8Array<ArrayBuffer> {
    return this.cut(bodyOf(message));
  }

  /** All packets of a message that has these bytes. */
  cut(body: Uint8Array, writer = 0): Uint8Array<ArrayBuffer> {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += BODY_BYTES) {
      const part = body.subarray(at, at + BODY_BYTES);
      packets.push(this.packet(writer, body.length - at, part));
    }
    const length = packets.reduce((sum, { length }) => sum + length, 0);
    return concat(packets, length);
  }

  /** One packet, whatever it says of itself. */
  packet(
    writer: number,
    left: number,
    part: Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(HEADER_BYTES + part.length);
    bytes.set(this.#mark);
    bytes[MARK_BYTES] = writer;
    new DataView(bytes.buffer).setUint32(MARK_BYTES + 1, left);
    bytes.set(part, HEADER_BYTES);
    return bytes;
  }
}

/** Some of what a task can write to the error stream of its worker, in pieces. */
export function babble(
  { below, pick }: Random,
  packets: Packets,
): Uint8Array<ArrayBuffer>[] {
  const done = bodyOf(["done", 0, 0, [], undefined, undefined]);
  const packet = packets.cut(done);
  const writer = pick([0, 1, 2, 255]);
  switch (below(10)) {
    // Lengths that are not so.
    case 0:
      return [packets.packet(writer, pick([0, 1, 2 ** 32 - 1]), done)];
    case 1:
      return [packets.packet(writer, done.length + 1000, done)];
    case 2:
      return [packets.packet(0, 2 ** 31, done), packets.packet(0, 1, done)];
    // What is not whole.
    case 3:
      return [packet.subarray(0, below(packet.length))];
    // A message of one writer within one of the other.
    case 4:
      return [
        packets.packet(0, done.length + BODY_BYTES, new Uint8Array(BODY_BYTES)),
        packets.cut(done, 1),
        packets.packet(0, done.length, done),
      ];
    case 5:
      return [packets.cut(Uint8Array.of(ENTERED, below(256), 1), writer)];
    case 6:
      return [packets.cut(Uint8Array.of(below(256)), writer)];
    case 7:
      return [packets.cut(spoil({ below, pick }, done), writer)];
    case 8:
      return [spoil({ below, pick }, packet)];
    default:
      return [Uint8Array.from({ length: below(5000) }, () => below(256))];
  }
}

/** So much of something long is spoilt; the rest is lost. */
const MAX_SPOILT_BYTES = 20_000;

/** A copy, not quite. */
export function spoil(
  { below, pick }: Random,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const spoilt = [...bytes.subarray(0, MAX_SPOILT_BYTES)];
  for (let count = 1 + below(4); count > 0; count--) {
    const at = below(spoilt.length + 1);
    switch (below(4)) {
      case 0:
        spoilt[at] = below(256);
        break;
      case 1:
        spoilt.splice(at, below(8));
        break;
      case 2:
        spoilt.splice(at, 0, ...spoilt.slice(at, at + below(16)));
        break;
      default:
        // What many lengths look like.
        spoilt.splice(at, 4, ...pick([[255, 255, 255, 127], [255, 255, 3, 0]]));
    }
  }
  return Uint8Array.from(spoilt);
}

function bodyOf(message: unknown): Uint8Array<ArrayBuffer> {
  if (isEntered(message)) {
    const body = new Uint8Array(13);
    body[0] = ENTERED;
    const view = new DataView(body.buffer);
    view.setFloat64(1, message[1]);
    view.setUint32(9, message[2]);
    return body;
  }
  const bytes = serialize(message);
  const body = new Uint8Array(1 + bytes.length);
  body[0] = SERIALIZED;
  body.set(bytes, 1);
  return body;
}

/** An "entered" that has a form of its own; others are written like any message. */
function isEntered(
  message: unknown,
): message is ["entered", number, number] {
  return Array.isArray(message) && message[0] === "entered" &&
    message.length === 3 && isUint32(message[1]) && isUint32(message[2]);
}

function isUint32(value: unknown): boolean {
  return typeof value === "number" && value === value >>> 0;
}

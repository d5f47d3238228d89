/**
 * Messages on a pipe that nobody else writes to, from the host to a worker
 * process: the length of each in 4 bytes, then its bytes.
 *
 * @module
 */

import { UNREADABLE } from "../wire/protocol.ts";
import { deserialize, serialize } from "./serialize.ts";

const LENGTH_BYTES = 4;

/** Encodes a message with its length; throws what {@linkcode serialize} throws. */
export function encodeFrame(
  message: unknown,
  transferables?: readonly Transferable[],
): Uint8Array<ArrayBuffer> {
  const body = serialize(message, transferables);
  const frame = new Uint8Array(LENGTH_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

/** Finds the messages in bytes that arrive in pieces. */
export class FrameReader {
  /**
   * The pieces of a frame that is not whole, how many bytes they have, and how
   * many are needed to go on.
   */
  #pieces: Uint8Array[] = [];
  #have = 0;
  #need = LENGTH_BYTES;
  #inBody = false;

  /**
   * Takes a piece; yields the messages that are whole with it, {@linkcode
   * UNREADABLE} for one that cannot be read.
   */
  *push(piece: Uint8Array): Iterable<unknown> {
    this.#pieces.push(piece);
    this.#have += piece.length;
    while (this.#have >= this.#need) {
      const bytes = this.#take(this.#need);
      this.#inBody = !this.#inBody;
      if (this.#inBody) {
        this.#need = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      } else {
        this.#need = LENGTH_BYTES;
        yield read(bytes);
      }
    }
  }

  #take(length: number): Uint8Array {
    const all = this.#pieces.length === 1
      ? this.#pieces[0]!
      : concat(this.#pieces, this.#have);
    // An empty part would keep the whole buffer alive.
    this.#pieces = all.length > length ? [all.subarray(length)] : [];
    this.#have -= length;
    return all.subarray(0, length);
  }
}

/** Decodes a message; {@linkcode UNREADABLE} if it cannot be read. */
export function read(bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return UNREADABLE;
  }
}

/** Joins pieces, which have `length` bytes together. */
export function concat(
  pieces: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

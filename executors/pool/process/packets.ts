/**
 * Messages on a pipe that others write to as well: the standard error stream of
 * a worker process, where tasks print, and programs that they start.
 *
 * ```text
 * text of a task ─────────┐
 * message ──► packet ─────┼──► one pipe ──► mark? ──yes──► message
 *             packet ─────┘                  └──no───► text
 * ```
 *
 * A message is cut into packets that the system writes in one piece, whoever
 * else writes. A packet begins with a mark that nobody can print by chance, as
 * the mark is random and no UTF-8.
 *
 * ```text
 * mark (15 bytes) | writer (1) | bytes of the message left, these included (4) | bytes
 * ```
 *
 * @module
 */

import {
  partOfBytes,
  setBytes,
  setFloat64,
  setUint32,
} from "../../runtime/builtins.ts";
import type { ToHost } from "../wire/protocol.ts";
import { concat, read } from "./frames.ts";
import { serialize } from "./serialize.ts";
import { writeStandardError } from "./standard_error.ts";

/** PIPE_BUF: longer writes may be mixed with those of others. POSIX promises 512. */
const PACKET_BYTES = Deno.build.os === "linux" ? 4096 : 512;
const MARK_BYTES = 15;
const HEADER_BYTES = MARK_BYTES + 1 + 4;
const BODY_BYTES = PACKET_BYTES - HEADER_BYTES;

/** The first byte of each mark, which is in no text. */
const MARK_START = 0xff;

/** As the global class was. */
const Bytes = Uint8Array;

/** The threads of a worker process that write, each its own messages. */
const WRITERS = ["task", "main"] as const;

/** One of the threads of a worker process. */
type Writer = typeof WRITERS[number];

/** The first byte of a message whose other bytes {@linkcode serialize} has made. */
const SERIALIZED = 0;
/**
 * The first byte of an "entered" message: two numbers follow, as that is
 * quicker and each call may have one.
 */
const ENTERED = 1;
const ENTERED_BYTES = 13;

/** A mark for one worker, in hexadecimal digits. */
export function makeMark(): string {
  const mark = crypto.getRandomValues(new Uint8Array(MARK_BYTES));
  mark[0] = MARK_START;
  return Array.from(mark, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** The first bytes that a worker process reads: its mark. */
export function encodeMark(mark: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(mark);
}

/** The length of an encoded mark. */
export const ENCODED_MARK_BYTES = 2 * MARK_BYTES;

function bytesOf(mark: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: MARK_BYTES },
    (_, i) => parseInt(mark.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Writes messages to the standard error stream of this process. */
export class PacketWriter {
  readonly #packet = new Uint8Array(PACKET_BYTES);
  readonly #view = new DataView(this.#packet.buffer);

  constructor(mark: string, writer: Writer) {
    this.#packet.set(bytesOf(mark));
    this.#packet[MARK_BYTES] = WRITERS.indexOf(writer);
  }

  /**
   * Writes a message; throws, and writes nothing, if the message cannot be
   * cloned: see {@linkcode serialize}.
   */
  write(message: ToHost, transferables?: readonly Transferable[]): void {
    if (message[0] === "entered") return this.#writeEntered(message);
    const bytes = serialize(message, transferables);
    const body = new Bytes(bytes.length + 1);
    body[0] = SERIALIZED;
    setBytes(body, bytes, 1);
    for (let at = 0; at < body.length; at += BODY_BYTES) {
      const part = partOfBytes(body, at, at + BODY_BYTES);
      setBytes(this.#packet, part, HEADER_BYTES);
      this.#send(part.length, body.length - at);
    }
  }

  #writeEntered(
    message: Extract<ToHost, readonly ["entered", ...unknown[]]>,
  ): void {
    const position = message[1];
    const calls = message[2];
    this.#packet[HEADER_BYTES] = ENTERED;
    // Positions of a worker that lives long have more than 32 bits.
    setFloat64(this.#view, HEADER_BYTES + 1, position);
    setUint32(this.#view, HEADER_BYTES + 9, calls);
    this.#send(ENTERED_BYTES, ENTERED_BYTES);
  }

  #send(length: number, left: number): void {
    setUint32(this.#view, MARK_BYTES + 1, left);
    writeStandardError(partOfBytes(this.#packet, 0, HEADER_BYTES + length));
  }
}

/**
 * How many bytes are set aside for a message at once; a longer one gets more as
 * it arrives, as its length may be a lie.
 */
const FIRST_BYTES = 2 ** 24;

/** A message of which some packets have arrived. */
interface OpenMessage {
  readonly length: number;
  bytes: Uint8Array<ArrayBuffer>;
  have: number;
}

/** Hears of all that arrives on the pipe. */
interface PacketListener {
  /** A message has arrived, of which nothing has been checked. */
  message(message: unknown): void;
  /** Bytes have arrived that are no part of a message. */
  text(bytes: Uint8Array): void;
  /** Bytes with the mark are no packet, or do not follow from the packets before. */
  broken(error: RangeError): void;
}

/** Tells messages from text. */
export class PacketReader {
  readonly #mark: Uint8Array;
  readonly #listener: PacketListener;
  readonly #open: (OpenMessage | undefined)[] = [];
  #rest: Uint8Array = new Uint8Array();

  constructor(mark: string, listener: PacketListener) {
    this.#mark = bytesOf(mark);
    this.#listener = listener;
  }

  /** Some bytes have arrived. */
  push(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0
      ? piece
      : concat([this.#rest, piece], this.#rest.length + piece.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at < bytes.length) {
      const start = this.#findMark(bytes, at);
      if (start > at) this.#listener.text(bytes.subarray(at, start));
      at = start;
      if (at + HEADER_BYTES > bytes.length) break;
      const left = view.getUint32(at + MARK_BYTES + 1);
      const end = at + HEADER_BYTES + Math.min(left, BODY_BYTES);
      if (end > bytes.length) break;
      this.#received(
        bytes[at + MARK_BYTES]!,
        left,
        bytes.subarray(at + HEADER_BYTES, end),
      );
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  /** The pipe has ended. */
  end(): void {
    if (this.#rest.length > 0) this.#listener.text(this.#rest);
    this.#rest = new Uint8Array();
  }

  /** Where the next mark begins, or may begin if more arrives; else the end. */
  #findMark(bytes: Uint8Array, from: number): number {
    let at = bytes.indexOf(MARK_START, from);
    while (at >= 0 && !this.#isMark(bytes, at)) {
      at = bytes.indexOf(MARK_START, at + 1);
    }
    return at < 0 ? bytes.length : at;
  }

  #isMark(bytes: Uint8Array, at: number): boolean {
    const length = Math.min(MARK_BYTES, bytes.length - at);
    for (let i = 0; i < length; i++) {
      if (bytes[at + i] !== this.#mark[i]) return false;
    }
    return true;
  }

  #received(writer: number, left: number, part: Uint8Array): void {
    const open = this.#open[writer] ?? {
      length: left,
      bytes: new Uint8Array(Math.min(left, FIRST_BYTES)),
      have: 0,
    };
    if (
      writer >= WRITERS.length || left === 0 || left !== open.length - open.have
    ) {
      const error = `A packet of writer ${writer} has ${left} bytes left`;
      return this.#listener.broken(new RangeError(error));
    }
    const have = open.have + part.length;
    if (have > open.bytes.length) {
      const most = Math.min(open.length, 2 * open.bytes.length);
      open.bytes = new Uint8Array(open.bytes.buffer.transfer(most));
    }
    open.bytes.set(part, open.have);
    open.have = have;
    this.#open[writer] = have < open.length ? open : undefined;
    if (have === open.length) this.#listener.message(decode(open.bytes));
  }
}

/** Decodes a message; the listener has to check it. */
function decode(bytes: Uint8Array<ArrayBuffer>): unknown {
  if (bytes[0] === SERIALIZED) return read(bytes.subarray(1));
  if (bytes[0] !== ENTERED || bytes.length !== ENTERED_BYTES) return undefined;
  const view = new DataView(bytes.buffer);
  return ["entered", view.getFloat64(1), view.getUint32(9)];
}

/**
 * Makes lines of bytes. Bytes stay bytes until their line is complete, which is
 * safe: in UTF-8 a line feed is no part of another character.
 *
 * @module
 */

import type { ErrorText } from "./map_block.ts";

/** Some whole lines, each with its line feed. */
export interface Lines {
  readonly text: string;
  /** Why a line is no text; then there is one line. */
  readonly error?: ErrorText;
}

/** How lines are read. */
export interface LineReaderOptions {
  /** Whether lines are strings, so that an empty one at the end is a line too. */
  readonly raw: boolean;
  /** How many bytes a line may have. */
  readonly maxLineBytes?: number;
}

/** The name of the error for a line that is no text. */
export const NO_TEXT = "EncodingError";

/** How many bytes are read at a time: more is no faster, and takes memory. */
const CHUNK_BYTES = 64 * 1024;

/**
 * How many bytes of a long line are read at a time, so that one which is too
 * long is noticed soon.
 */
const MAX_READ_BYTES = 1024 * 1024;

/** How many bytes a line may have: half of a string's limit, as the result is often longer. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

const LINE_FEED = 10;

/** The characters that JSON ignores: tab, line feed, carriage return, space. */
const BLANKS: ReadonlySet<number | undefined> = new Set([9, LINE_FEED, 13, 32]);

/**
 * Reads lines.
 *
 * @param read Reads some bytes, and tells how many; 0 at the end.
 * @param options How the lines are read.
 */
export async function* readLines(
  read: (buffer: Uint8Array) => Promise<number>,
  { raw, maxLineBytes = MAX_LINE_BYTES }: LineReaderOptions,
): AsyncGenerator<Lines> {
  const decode = lineDecoder();
  const tooLong = {
    text: "\n",
    error: {
      name: "RangeError",
      message: `The line is longer than ${maxLineBytes} bytes`,
    },
  };
  let buffer = new Uint8Array(CHUNK_BYTES);
  /** How many bytes there are of incomplete lines. */
  let length = 0;
  let isTooLong = false;
  for (;;) {
    if (length === buffer.length) buffer = resize(buffer, 2 * length);
    const count = await read(buffer.subarray(length, length + MAX_READ_BYTES));
    if (count === 0) break;
    const end = endOfLines(buffer, length, length + count, raw);
    length += count;
    let start = 0;
    if (isTooLong) {
      // The line is too long: none of it is kept, and its end is looked for.
      start = buffer.subarray(0, length).indexOf(LINE_FEED) + 1;
      if (start === 0) {
        length = 0;
        continue;
      }
      isTooLong = false;
      yield tooLong;
    }
    if (end > start) {
      yield* decode(buffer.subarray(start, end));
      start = end;
    }
    buffer.copyWithin(0, start, length);
    length -= start;
    if (length > maxLineBytes) {
      isTooLong = true;
      length = 0;
    }
    if (buffer.length > CHUNK_BYTES && length < CHUNK_BYTES) {
      buffer = resize(buffer, CHUNK_BYTES);
    }
  }
  if (isTooLong) yield tooLong;
  const last = buffer.subarray(0, length);
  if (!raw && last.every((byte) => BLANKS.has(byte))) return;
  yield* decode(last);
}

/**
 * Where the lines end that can be given out. Empty lines at the end of a file
 * are no values, so they wait for a line behind them, unless there are more of
 * them than anybody would have there.
 */
function endOfLines(
  buffer: Uint8Array,
  from: number,
  to: number,
  raw: boolean,
): number {
  const feed = buffer.subarray(from, to).lastIndexOf(LINE_FEED);
  if (feed < 0) return 0;
  const end = from + feed + 1;
  if (raw) return end;
  let filled = end;
  while (filled > 0 && BLANKS.has(buffer[filled - 1])) filled--;
  if (end - filled > CHUNK_BYTES) return end;
  return filled === 0 ? 0 : buffer.indexOf(LINE_FEED, filled) + 1;
}

function resize(buffer: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const resized = new Uint8Array(length);
  resized.set(buffer.subarray(0, length));
  return resized;
}

/** Makes a decoder for the lines of one file. */
function lineDecoder(): (bytes: Uint8Array) => Generator<Lines> {
  // Some programs put a byte order mark in front of a file; elsewhere it is a character.
  let decoder = new TextDecoder("utf-8", { fatal: true });
  const next = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return function* (bytes) {
    const text = tryDecode(decoder, bytes);
    if (text !== undefined) {
      decoder = next;
      if (text !== "") yield { text: withLineFeed(text) };
      return;
    }
    for (const line of splitLines(bytes)) {
      const text = tryDecode(decoder, line);
      decoder = next;
      yield text === undefined
        ? { text: "\n", error: { name: NO_TEXT, message: "It is no UTF-8" } }
        : { text: withLineFeed(text) };
    }
  };
}

function* splitLines(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, start) + 1 || bytes.length;
    yield bytes.subarray(start, end);
    start = end;
  }
}

function tryDecode(
  decoder: TextDecoder,
  bytes: Uint8Array,
): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function withLineFeed(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

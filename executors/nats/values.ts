/**
 * Values as bytes between a client and a node: by the serializer of V8, as
 * between processes, each block an array with a mark in front, by which each
 * side knows what it reads. (In front of the bytes, the mark would cost another
 * copy of each value, which is a third of all for a large one.)
 *
 * ```text
 * [mark, value]   [mark, value, value, value, …]
 * ```
 *
 * Plain values, copies of which share nothing, travel many in a block; each
 * other one travels alone, so that what cannot be read is the failure of one
 * call. What V8 has written, V8 reads in any version that this package runs on.
 *
 * Nothing that was read is believed: fields of any name, `__proto__` too, come
 * out as fields of their own, and there are as many values as were announced.
 *
 * @module
 */

import { deserialize, serialize } from "../pool/process/serialize.ts";
import { because } from "../text.ts";

/**
 * So many bytes of values are in one message at most, but for a value that has
 * more by itself: a server takes 1 MiB, and there is more in a message.
 */
export const MAX_VALUE_BYTES = 700_000;

/** No value is larger. */
export const MAX_LARGE_BYTES: number = 2 ** 30;

/** What comes first; the number is the version of all this. */
const MARK = "FUT1";

/** The first of many values, as bytes. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many values those are. */
  readonly count: number;
}

/** What came is not what a client or a node of this version sends. */
export class UnreadableError extends Error {}

/**
 * A block of one value.
 *
 * @param value The value.
 * @param transferables What in it is moved: here it is detached.
 * @throws {DOMException} If it cannot be cloned, or is too large.
 */
export function encodeValue(
  value: unknown,
  transferables: readonly Transferable[] = [],
): Uint8Array<ArrayBuffer> {
  return encodeValues([value], transferables);
}

/**
 * A block of the arguments of one call, which may share parts.
 *
 * @param values The arguments.
 * @param transferables What in them is moved: here it is detached.
 * @throws {DOMException} If they cannot be cloned, or are too large.
 */
export function encodeValues(
  values: readonly unknown[],
  transferables: readonly Transferable[] = [],
): Uint8Array<ArrayBuffer> {
  const bytes = serialize([MARK, ...values], transferables);
  if (bytes.length <= MAX_LARGE_BYTES) return bytes;
  throw new DOMException(
    `${bytes.length} bytes are more than the ${MAX_LARGE_BYTES} of the largest value, and could not be cloned.`,
    "DataCloneError",
  );
}

/**
 * Plain values as bytes: all of them, or as many of the first as fit.
 *
 * @param values At least one, each plain, and sharing nothing with others.
 * @param arity How many of them belong together: arguments of one call.
 * @param most How many bytes they may have, unless fewer values do not.
 */
export function encodePlain(
  values: readonly unknown[],
  arity = 1,
  most: number = MAX_VALUE_BYTES,
): Block {
  let count = values.length;
  while (true) {
    const bytes = serialize([MARK, ...values.slice(0, count)]);
    if (bytes.length <= most || count <= arity) {
      return { bytes, count };
    }
    // If they are of one size, that many fit; the last may be the largest.
    const fitting = count * most / bytes.length;
    count = Math.max(
      arity,
      Math.min(Math.floor(fitting / arity) * arity, count - arity),
    );
  }
}

/**
 * The values of a block.
 *
 * @param bytes The block.
 * @param count How many there are to be.
 * @throws {UnreadableError} If that is not what came.
 */
export function decodeValues(bytes: Uint8Array, count: number): unknown[] {
  let block: unknown;
  try {
    block = deserialize(bytes);
  } catch (cause) {
    throw new UnreadableError(`Cannot read a value${because(cause)}`, {
      cause,
    });
  }
  if (!Array.isArray(block) || block[0] !== MARK) {
    throw new UnreadableError(
      "What came is no value of this version of @concurrent/futures",
    );
  }
  if (block.length === count + 1) return block.slice(1);
  throw new UnreadableError(`What came is not an array of ${count} values`);
}

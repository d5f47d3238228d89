/**
 * Outcomes as messages: plain values many in a block, each other value and each
 * error in a block of its own, as many blocks in a message as the server takes,
 * and what is too large for one in parts.
 *
 * ```text
 * outcomes ──encodeOutcomes──► pieces ──packPieces──► messages
 *                                └─ large ──► parts ──┘
 * ```
 *
 * @module
 */

import { canSerialize } from "../../pool/process/serialize.ts";
import { resultError } from "../../pool/wire/clone_error.ts";
import { encodeError } from "../../pool/wire/codec.ts";
import { copyPlain, NOT_PLAIN } from "../../pool/wire/plain.ts";
import type { CallTiming } from "../../stats.ts";
import type { Ended } from "../messages.ts";
import type { LargeValue } from "../parts.ts";
import { type Block, encodePlain, encodeValue } from "../values.ts";

/** What a message says of a block takes about so many bytes, and the name of a worker. */
const ABOUT_BYTES = 160;

/** A name of a worker is not longer in a message. */
const MAX_NAME = 100;

/** What became of one call. */
export interface Outcome {
  readonly call: number;
  readonly failed: boolean;
  /** What it returned or has thrown. */
  readonly value: unknown;
  /** How long it has taken, about. */
  readonly ms: number;
  /** Who made it, and when, if somebody wants to know. */
  readonly timing: CallTiming | undefined;
}

/** Outcomes that are in one block, and the block. */
export interface Piece {
  /** All that is said of them, but for where the block is. */
  readonly about: Omit<Ended, "calls" | "bytes" | "large">;
  readonly block: Block;
}

/** The parts of one message. */
export interface Packed {
  readonly outcomes: readonly Ended[];
  readonly blocks: readonly Uint8Array[];
}

/**
 * Writes outcomes.
 *
 * @param outcomes What became of calls, each of another call.
 * @param most How large a block of several values may be.
 */
export function encodeOutcomes(
  outcomes: readonly Outcome[],
  most: number,
): Piece[] {
  const sorted = outcomes.toSorted((a, b) => a.call - b.call);
  const pieces: Piece[] = [];
  for (let at = 0; at < sorted.length;) {
    const values = plainFrom(sorted, at);
    if (values.length === 0) {
      pieces.push(encodeOne(sorted[at++]!));
      continue;
    }
    for (let from = 0; from < values.length;) {
      const block = encodeMany(values.slice(from), most);
      const { call, ms, timing } = sorted[at + from]!;
      pieces.push({ about: about(call, false, ms, timing), block });
      from += block.count;
    }
    at += values.length;
  }
  return pieces;
}

/**
 * Puts pieces into messages.
 *
 * @param pieces The pieces.
 * @param most How large all blocks of a message may be, with what is said of them.
 * @param store Stores a block that is larger, which is of one value then.
 */
export async function packPieces(
  pieces: readonly Piece[],
  most: number,
  store: (bytes: Uint8Array) => Promise<LargeValue>,
): Promise<Packed[]> {
  const messages: { outcomes: Ended[]; blocks: Uint8Array[] }[] = [];
  let room = 0;
  for (const { about, block } of pieces) {
    const { bytes, count } = block;
    const isLarge = bytes.length + ABOUT_BYTES + MAX_NAME > most;
    const ended: Ended = isLarge
      ? { ...about, calls: 1, large: await store(bytes) }
      : { ...about, calls: count, bytes: bytes.length };
    const size = ABOUT_BYTES + (about.worker?.length ?? 0) +
      (isLarge ? 0 : bytes.length);
    if (size > room) {
      messages.push({ outcomes: [], blocks: [] });
      room = most;
    }
    room -= size;
    const { outcomes, blocks } = messages.at(-1)!;
    outcomes.push(ended);
    if (!isLarge) blocks.push(bytes);
  }
  return messages;
}

/** Copies of the plain values of calls that follow one another, from one index on. */
function plainFrom(outcomes: readonly Outcome[], from: number): unknown[] {
  const values: unknown[] = [];
  const first = outcomes[from]!.call;
  for (let i = from; i < outcomes.length; i++) {
    const { call, failed, value, timing } = outcomes[i]!;
    // When a call began is said of one alone.
    if (failed || call !== first + values.length) break;
    if (timing !== undefined && values.length > 0) break;
    const copy = copyPlain(value);
    if (copy === NOT_PLAIN) break;
    values.push(copy);
    if (timing !== undefined) break;
  }
  return values;
}

function encodeMany(values: readonly unknown[], most: number): Block {
  let block = encodePlain(values);
  while (block.bytes.length > most && block.count > 1) {
    block = encodePlain(values.slice(0, Math.ceil(block.count / 2)));
  }
  return block;
}

function encodeOne({ call, failed, value, ms, timing }: Outcome): Piece {
  if (failed) return encodeFailure(call, value, ms, timing);
  try {
    const block = { bytes: encodeValue(value), count: 1 };
    return { about: about(call, false, ms, timing), block };
  } catch (cause) {
    return encodeFailure(call, resultError(value, cause), ms, timing);
  }
}

function encodeFailure(
  call: number,
  error: unknown,
  ms: number,
  timing: CallTiming | undefined,
): Piece {
  const encoded = encodeError(error, undefined, canSerialize);
  const block = { bytes: encodeValue(encoded), count: 1 };
  return { about: about(call, true, ms, timing), block };
}

function about(
  from: number,
  failed: boolean,
  ms: number,
  timing: CallTiming | undefined,
): Piece["about"] {
  if (timing === undefined) return { from, failed, ms };
  const { worker, started, ended } = timing;
  return {
    from,
    failed,
    ms,
    worker: worker.slice(0, MAX_NAME),
    ...started !== undefined ? { started } : {},
    ...ended !== undefined ? { ended } : {},
  };
}

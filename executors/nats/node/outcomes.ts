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
import { forwardError } from "../../pool/wire/codec.ts";
import { copyPlain, NOT_PLAIN } from "../../pool/wire/plain.ts";
import type { CallTiming } from "../../stats.ts";
import type { Ended } from "../messages.ts";
import type { LargeValue } from "../parts.ts";
import { type Block, encodePlain, encodeValue } from "../values.ts";

/** What a message says of a block takes about so many bytes, and the name of a worker. */
const ABOUT_BYTES = 160;

/** A name of a worker is not longer in a message. */
const MAX_NAME = 100;

/** Why calls have failed the arguments of which could not be read. */
export const UNREAD: unique symbol = Symbol("unread");

/** What became of calls that follow one another: one, if it failed, or is timed. */
export interface Outcome {
  /** The number of the first. */
  readonly call: number;
  readonly failed: boolean;
  /** What each has returned, or the only one has thrown. */
  readonly values: readonly unknown[];
  /** How long each has taken, about. */
  readonly ms: number;
  /** Who made the only one, and when, if somebody wants to know. */
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
  const pieces: Piece[] = [];
  let run: PlainRun | undefined;
  const endRun = () => {
    if (run !== undefined) pieces.push(...encodeRun(run, most));
    run = undefined;
  };
  for (const outcome of outcomes.toSorted((a, b) => a.call - b.call)) {
    const { failed, values, ms, timing } = outcome;
    for (const [i, value] of values.entries()) {
      const call = outcome.call + i;
      const copy = failed || timing !== undefined
        ? NOT_PLAIN
        : copyPlain(value);
      if (copy === NOT_PLAIN) {
        endRun();
        pieces.push(encodeOne(call, failed, value, ms, timing));
        continue;
      }
      if (run?.end !== call) endRun();
      run ??= { end: call, values: [], ms };
      run.end++;
      run.values.push(copy);
    }
  }
  endRun();
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

/** Copies of plain values of calls that follow one another. */
interface PlainRun {
  /** The number after the last of the calls. */
  end: number;
  readonly values: unknown[];
  readonly ms: number;
}

function encodeRun({ end, values, ms }: PlainRun, most: number): Piece[] {
  const pieces: Piece[] = [];
  const first = end - values.length;
  for (let from = 0; from < values.length;) {
    const block = encodePlain(values.slice(from), 1, most);
    const said = about(first + from, false, ms, undefined);
    pieces.push({ about: said, block });
    from += block.count;
  }
  return pieces;
}

function encodeOne(
  call: number,
  failed: boolean,
  value: unknown,
  ms: number,
  timing: CallTiming | undefined,
): Piece {
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
  const encoded = error === UNREAD ? null : forwardError(error, canSerialize);
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

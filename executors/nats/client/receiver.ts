/**
 * The way of outcomes, and of what calls report, from a node to those who wait
 * for them.
 *
 * ```text
 * `report` ─► ledger: whose are they, and are they new? ──► job.report()
 *
 * `done` ──► ledger: whose are they, and do they count? ──► values, from parts too
 *                                                              │
 * job.resolveAll(), job.reject() ◄── the call is out of the ledger
 * ```
 *
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import type { Job } from "../../job/job.ts";
import { logLostReport } from "../../job/reports.ts";
import { canSerialize } from "../../pool/process/serialize.ts";
import {
  cloneError,
  lostResultError,
  unreadable,
} from "../../pool/wire/clone_error.ts";
import { decodeError, type EncodedError } from "../../pool/wire/codec.ts";
import type { CallTiming } from "../../stats.ts";
import {
  decodeMessage,
  type Done,
  type Ended,
  type Read,
} from "../messages.ts";
import { PartLostError, type Parts } from "../parts.ts";
import { decodeValues, UnreadableError } from "../values.ts";
import { type Batch, TAKEN } from "./batch.ts";
import type { Ledger } from "./ledger.ts";

/** Hears of outcomes, for what can be learned from them. */
export interface ReceiverOwner {
  /** Calls of a batch have ended at a node, and took so long together. */
  ended(batch: Batch, calls: number, ms: number): void;
  /** A value of a batch is in parts. */
  hasParts(batch: Batch): void;
}

/** Takes the outcomes of one client. */
export class Receiver {
  readonly #client: string;
  readonly #ledger: Ledger;
  readonly #owner: ReceiverOwner;
  /** How many messages are being read. */
  #reading = 0;

  constructor(client: string, ledger: Ledger, owner: ReceiverOwner) {
    this.#client = client;
    this.#ledger = ledger;
    this.#owner = owner;
  }

  /** Whether outcomes have come that were not given yet. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** Gives what a message tells; once this is over, it need not come again. */
  receive(message: Msg, parts: Parts): Promise<void> | void {
    let done: Read<"done">;
    try {
      done = decodeMessage(message.data, "done");
    } catch {
      // Whoever says this is no node, or one that is not used.
      return;
    }
    const batch = this.#ledger.find(done.head.batch, done.head.ticket);
    if (batch === undefined) return;
    if (done.head.outcomes.every((ended) => "bytes" in ended)) {
      this.#giveAll(batch, done.head, done.blocks);
    } else return this.#readParts(batch, done, parts);
  }

  /** Gives what calls have reported; of what has come before, nothing. */
  report({ head, blocks }: Read<"report">): void {
    const batch = this.#ledger.find(head.batch, head.ticket);
    if (batch === undefined) return;
    const { before, reports } = head;
    for (let i = batch.reports - before; i < reports.length; i++) {
      // Whoever hears of one may do anything to the others; and what a node has
      // that is lost, others do by now.
      if (batch.state !== TAKEN || before > batch.reports) return;
      batch.reports++;
      this.#tell(batch, reports[i]!.call, blocks[i]!);
    }
  }

  #tell(batch: Batch, at: number, block: Uint8Array): void {
    const piece = batch.piece(at, at + 1);
    if (piece === undefined) return;
    const { job, call } = piece;
    let values: unknown[];
    try {
      values = decodeValues(block, 1);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      return logLostReport(job.fn);
    }
    job.report(values[0], call);
  }

  async #readParts(
    batch: Batch,
    { head, blocks }: Read<"done">,
    parts: Parts,
  ): Promise<void> {
    this.#owner.hasParts(batch);
    this.#reading++;
    try {
      const inMessage = blocks.values();
      const all: (Uint8Array | undefined)[] = [];
      for (const ended of head.outcomes) {
        all.push(
          "bytes" in ended
            ? inMessage.next().value
            : await this.#read(batch, ended.large, parts),
        );
      }
      this.#giveAll(batch, head, all);
    } finally {
      this.#reading--;
    }
  }

  /** A value in parts; nothing if they are gone: nobody has the call then, so it is made again. */
  async #read(
    { id }: Batch,
    large: Parameters<Parts["get"]>[2],
    parts: Parts,
  ): Promise<Uint8Array | undefined> {
    try {
      return await parts.get(this.#client, id, large);
    } catch (error) {
      if (error instanceof PartLostError) return undefined;
      // However often it came, it would not be what was announced.
      if (error instanceof UnreadableError) return new Uint8Array();
      // The connection was lost: the message comes again.
      throw error;
    }
  }

  #giveAll(
    batch: Batch,
    { outcomes }: Done,
    blocks: readonly (Uint8Array | undefined)[],
  ): void {
    let calls = 0;
    let ms = 0;
    for (const ended of outcomes) {
      calls += ended.calls;
      ms += ended.calls * ended.ms;
    }
    if (calls > 0) this.#owner.ended(batch, calls, ms);
    for (const [i, ended] of outcomes.entries()) {
      const block = blocks[i];
      if (block !== undefined) this.#give(batch, ended, block);
    }
  }

  #give(batch: Batch, ended: Ended, block: Uint8Array): void {
    const { from, calls, failed } = ended;
    const to = from + calls;
    let values: unknown[] | undefined;
    try {
      values = decodeValues(block, calls);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
    }
    // One piece at a time: whoever hears of it may do anything to the others.
    for (let at = from; at < to;) {
      const piece = this.#ledger.settle(batch, at, to);
      if (piece === undefined) return;
      const { job, call, count } = piece;
      at = piece.at + count;
      if (job.timed) job.timing = timingOf(batch, ended);
      if (values === undefined) {
        for (let i = 0; i < count; i++) {
          job.reject(lostResultError(job), call + i);
        }
      } else if (failed) {
        const encoded = values[0] as EncodedError | null;
        const error = encoded === null
          ? cloneError(
            { fn: job.fn, args: argsOf(job, call) },
            unreadable(),
            canSerialize,
          )
          : decodeError(encoded);
        job.reject(error, call);
      } else {
        const first = piece.at - from;
        job.resolveAll(values, first, first + count, call);
      }
    }
  }
}

/** The arguments of one call of a job. */
function argsOf({ args, count }: Job, call: number): readonly unknown[] {
  const arity = args.length / count;
  return args.slice(call * arity, (call + 1) * arity);
}

function timingOf(
  batch: Batch,
  { worker, started, ended }: Ended,
): CallTiming {
  return {
    worker: worker === undefined ? batch.name : `${batch.name}/${worker}`,
    ...started === undefined ? {} : { started },
    ...ended === undefined ? {} : { ended },
  };
}

/**
 * The work items of a `map()`: calls that travel together, and their outcomes.
 *
 * @module
 */

import { CancelledError } from "./errors.ts";
import type { Tally, TaskOutcome } from "./stats.ts";
import { isTransfer } from "./transfer.ts";
import { type AnyFunction, WorkItem } from "./work_item.ts";

/** The map that a chunk belongs to. */
export interface ChunkOwner {
  readonly fn: AnyFunction;
  readonly settings: { readonly chunkSize: number };
  readonly tally: Tally;
  /** Calls of this chunk have outcomes, so many at the end of its list. */
  callsSettled(chunk: MapChunk, count: number): void;
  /** The second part of a chunk is on its own from now on. */
  chunkSplit(chunk: MapChunk, rest: MapChunk): void;
}

/** The outcome of a call that threw. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Calls whose inputs were pulled one after another, and the outcomes so far. */
export class MapChunk extends WorkItem {
  readonly #owner: ChunkOwner;
  /** Shared with the chunks that were split off; this one's part is from `#from` on. */
  readonly #args: unknown[];
  readonly #arity: number;
  #from: number;
  #count: number;
  override readonly transfers: boolean;
  /** In the order of the calls; those that have been read are emptied. */
  outcomes: unknown[] = [];
  /** How many outcomes have been read. */
  read = 0;
  /** The calls after these. */
  next: MapChunk | undefined = undefined;
  /** Nobody will read it. */
  settled = false;

  constructor(
    owner: ChunkOwner,
    index: number,
    args: unknown[],
    arity: number,
    from: number,
    count: number,
    submitted?: number,
  ) {
    super(owner.fn, owner.tally, index, submitted);
    this.#owner = owner;
    this.#args = args;
    this.#arity = arity;
    this.#from = from;
    this.#count = count;
    // Such a call is a chunk of its own, so one look is enough.
    this.transfers = count === 1 && this.args.some(isTransfer);
  }

  override get args(): unknown[] {
    const { length } = this.#args;
    const from = this.#from * this.#arity;
    const to = from + this.#count * this.#arity;
    return from === 0 && to === length
      ? this.#args
      : this.#args.slice(from, to);
  }

  override get count(): number {
    return this.#count;
  }

  override get chunkSize(): number {
    return this.#owner.settings.chunkSize;
  }

  override start(): boolean {
    return !this.settled;
  }

  override resolve(value: unknown): void {
    this.#settle(value, "finished");
  }

  override resolveAll(
    values: readonly unknown[],
    from: number,
    to: number,
  ): void {
    // Whoever watches is told of each.
    if (this.timed) return super.resolveAll(values, from, to);
    if (this.settled) return;
    const used = (this.#from + this.outcomes.length) * this.#arity;
    this.#args.fill(undefined, used, used + (to - from) * this.#arity);
    for (let i = from; i < to; i++) this.outcomes.push(values[i]);
    this.#owner.tally.finished += to - from;
    this.#owner.callsSettled(this, to - from);
  }

  override reject(error: unknown): void {
    this.#settle(new Failure(error), "failed");
  }

  override cancel(): void {
    while (!this.settled && this.outcomes.length < this.#count) {
      const error = new CancelledError("The task was cancelled");
      this.#settle(new Failure(error), "cancelled");
    }
  }

  override split(count: number): MapChunk {
    const rest = new MapChunk(
      this.#owner,
      this.index,
      this.#args,
      this.#arity,
      this.#from + count,
      this.#count - count,
      this.submitted,
    );
    rest.settled = this.settled;
    this.#count = count;
    this.#owner.chunkSplit(this, rest);
    return rest;
  }

  /** Nobody will read it: what has not been entered never is, and what runs is stopped for `reason`. */
  abandon(reason?: CancelledError): void {
    if (this.settled) return;
    // Before it is split, so that the part which is taken back is settled too.
    this.settled = true;
    for (let call = this.outcomes.length; call < this.#count; call++) {
      this.#ended("cancelled", call);
    }
    this.holder?.revoke(this);
    if (reason !== undefined && this.outcomes.length < this.#count) {
      this.holder?.stop(this, reason);
    }
  }

  #settle(outcome: unknown, what: TaskOutcome): void {
    if (this.settled) return;
    // The inputs of calls that have ended are nobody's business any more.
    const used = (this.#from + this.outcomes.length) * this.#arity;
    for (let i = 0; i < this.#arity; i++) this.#args[used + i] = undefined;
    this.outcomes.push(outcome);
    this.#ended(what, this.outcomes.length - 1);
    this.#owner.callsSettled(this, 1);
  }

  /** One of its own calls has ended, counted from 0. */
  #ended(outcome: TaskOutcome, call: number): void {
    this.callEnded(outcome, this.index + this.#from + call);
  }
}

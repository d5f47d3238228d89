/**
 * The work items of a `map()`: calls that travel together, and their outcomes.
 *
 * @module
 */

import { CancelledError } from "../errors.ts";
import type { Tally, TaskOutcome } from "../stats.ts";
import { isTransfer } from "../transfer.ts";
import { type AnyFunction, WorkItem } from "../job/work_item.ts";

/** The map that a chunk belongs to. */
export interface ChunkOwner {
  readonly fn: AnyFunction;
  readonly settings: { readonly chunkSize: number };
  readonly tally: Tally;
  /** So many calls of this chunk, from this one on, have outcomes now. */
  callsSettled(chunk: MapChunk, call: number, count: number): void;
  /** The second part of a chunk is on its own from now on. */
  chunkSplit(chunk: MapChunk, rest: MapChunk): void;
}

/** Stands for the outcome of a call that has none yet. */
const NONE: unique symbol = Symbol("none");

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
  readonly #outcomes: unknown[];
  readonly #from: number;
  #count: number;
  override readonly transfers: boolean;
  /** How many calls have no outcome. */
  #open: number;
  /** How many outcomes have been read. */
  #read = 0;
  /** The calls after these. */
  next: MapChunk | undefined = undefined;
  /** Nobody will read it. */
  settled = false;

  constructor(
    owner: ChunkOwner,
    index: number,
    args: unknown[],
    arity: number,
    outcomes: unknown[],
    from: number,
    count: number,
    submitted?: number,
  ) {
    super(owner.fn, owner.tally, index, submitted);
    this.#owner = owner;
    this.#args = args;
    this.#arity = arity;
    this.#outcomes = outcomes;
    this.#from = from;
    this.#count = this.#open = count;
    // Such a call is a chunk of its own, so one look is enough.
    this.transfers = count === 1 && this.args.some(isTransfer);
  }

  /** The calls with these arguments, `arity` for each. */
  static of(
    owner: ChunkOwner,
    index: number,
    args: unknown[],
    arity: number,
  ): MapChunk {
    const count = args.length / arity;
    const outcomes = new Array(count).fill(NONE);
    return new MapChunk(owner, index, args, arity, outcomes, 0, count);
  }

  override get args(): unknown[] {
    return this.#argsOf(0, this.#count);
  }

  override get count(): number {
    return this.#count;
  }

  override get chunkSize(): number {
    return this.#owner.settings.chunkSize;
  }

  /** Whether every call has an outcome. */
  get complete(): boolean {
    return this.#open === 0;
  }

  /** Whether every outcome has been read. */
  get exhausted(): boolean {
    return this.#read === this.#count;
  }

  /** Whether the next outcome is there. */
  get readable(): boolean {
    return !this.exhausted && this.#outcomes[this.#from + this.#read] !== NONE;
  }

  /** The next outcome. */
  read(): unknown {
    return this.take(this.#read++);
  }

  /** The outcome of a call, of which no reference is kept. */
  take(call: number): unknown {
    const outcome = this.#outcomes[this.#from + call];
    this.#outcomes[this.#from + call] = undefined;
    return outcome;
  }

  override start(): boolean {
    return !this.settled;
  }

  override invoke(call: number): unknown {
    if (this.transfers) return super.invoke(call);
    const { fn } = this;
    return this.#arity === 1
      ? fn(this.#args[this.#from + call])
      : fn(...this.#argsOf(call, call + 1));
  }

  override resolve(value: unknown, call = this.#firstOpen()): void {
    this.#settle(value, "finished", call);
  }

  override resolveAll(
    values: readonly unknown[],
    from: number,
    to: number,
    call: number,
  ): void {
    // Whoever watches is told of each.
    if (this.timed) return super.resolveAll(values, from, to, call);
    if (this.settled) return;
    const count = to - from;
    const first = this.#from + call;
    for (let i = 0; i < count; i++) {
      this.#outcomes[first + i] = values[from + i];
    }
    this.#dropArgs(call, count);
    this.#owner.tally.finished += count;
    this.#open -= count;
    this.#owner.callsSettled(this, call, count);
  }

  override reject(error: unknown, call = this.#firstOpen()): void {
    this.#settle(new Failure(error), "failed", call);
  }

  override cancel(): void {
    for (let call = 0; call < this.#count; call++) {
      const error = new CancelledError("The task was cancelled");
      this.#settle(new Failure(error), "cancelled", call);
    }
  }

  override split(count: number): MapChunk {
    const rest = new MapChunk(
      this.#owner,
      this.index,
      this.#args,
      this.#arity,
      this.#outcomes,
      this.#from + count,
      this.#count - count,
      this.submitted,
    );
    rest.settled = this.settled;
    this.#open -= rest.#count;
    this.#count = count;
    this.#owner.chunkSplit(this, rest);
    return rest;
  }

  /** Nobody will read it: what has not been entered never is, and what runs is stopped for `reason`. */
  abandon(reason?: CancelledError): void {
    if (this.settled) return;
    // Before it is split, so that the part which is taken back is settled too.
    this.settled = true;
    // Whoever is told of one may have the rest split off.
    const count = this.#count;
    for (let call = 0; call < count; call++) {
      if (this.#isOpen(call)) this.#ended("cancelled", call);
    }
    this.holder?.revoke(this);
    if (reason !== undefined && !this.complete) this.holder?.stop(this, reason);
  }

  #settle(outcome: unknown, what: TaskOutcome, call: number): void {
    if (this.settled || call >= this.#count || !this.#isOpen(call)) return;
    this.#outcomes[this.#from + call] = outcome;
    this.#dropArgs(call, 1);
    this.#open--;
    this.#ended(what, call);
    this.#owner.callsSettled(this, call, 1);
  }

  /** Whether a call has no outcome. */
  #isOpen(call: number): boolean {
    return this.#outcomes[this.#from + call] === NONE;
  }

  /** The first call that has no outcome. */
  #firstOpen(): number {
    return this.#outcomes.indexOf(NONE, this.#from) - this.#from;
  }

  /** One of its own calls has ended, counted from 0. */
  #ended(outcome: TaskOutcome, call: number): void {
    this.countCall(outcome);
    this.tellCall(outcome, this.index + this.#from + call);
  }

  /** The arguments of its calls from one up to another. */
  #argsOf(call: number, end: number): unknown[] {
    const { length } = this.#args;
    const from = (this.#from + call) * this.#arity;
    const to = (this.#from + end) * this.#arity;
    return from === 0 && to === length
      ? this.#args
      : this.#args.slice(from, to);
  }

  /** The inputs of calls that have ended are nobody's business any more. */
  #dropArgs(call: number, count: number): void {
    const from = (this.#from + call) * this.#arity;
    const to = from + count * this.#arity;
    for (let i = from; i < to; i++) this.#args[i] = undefined;
  }
}

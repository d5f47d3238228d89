/**
 * Calls as blocks of values in a message.
 *
 * ```text
 * jobs ──► copies of plain arguments, many in a block ──┐
 *     └──► what is not plain: a block for each call ────┼──► blocks, in order
 *     └──► what is too large for that: travels alone ───┘
 *     └──► what cannot be cloned: refused
 * ```
 *
 * Getters of users run meanwhile, which may do anything. So nothing of this is
 * committed: jobs that have settled are for the caller to leave out.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { canSerialize } from "../../pool/process/serialize.ts";
import { cloneError } from "../../pool/wire/clone_error.ts";
import { copyPlain, NOT_PLAIN } from "../../pool/wire/plain.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { encodePlain, encodeValues, MAX_VALUE_BYTES } from "../values.ts";

/** The arguments of calls that follow one another. */
export interface Block {
  readonly calls: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What goes into one message. */
export interface Draft {
  /** The jobs of the message, in order. */
  readonly jobs: Job[];
  readonly blocks: Block[];
  /** Jobs that did not fit any more: they are next. */
  readonly rest: Job[];
  /** Jobs of one call each that cannot be cloned, and why. */
  readonly refused: (readonly [job: Job, error: Error])[];
  /** Whether the only call is too large for a message. */
  large: boolean;
}

/**
 * Calls that have moved something, and cannot be written again; or that were
 * written, and did not fit.
 */
const written = new WeakMap<Job, Uint8Array<ArrayBuffer>>();

/**
 * Writes the arguments of jobs, of as many as fit into one message.
 *
 * @param jobs At least one; calls of one function, with as many arguments each.
 * @param room How many bytes of values a message may have.
 */
export function writeCalls(
  jobs: readonly Job[],
  room: number = MAX_VALUE_BYTES,
): Draft {
  return new Writer(jobs, Math.min(room, MAX_VALUE_BYTES)).write();
}

class Writer {
  readonly #draft: Draft = {
    jobs: [],
    blocks: [],
    rest: [],
    refused: [],
    large: false,
  };
  readonly #rest: Job[];
  readonly #arity: number;
  #room: number;
  /** Copies of the arguments of the last calls, which are in no block yet. */
  #plain: unknown[] = [];
  /** How many calls those are. */
  #calls = 0;

  constructor(jobs: readonly Job[], room: number) {
    this.#rest = jobs.toReversed();
    this.#arity = jobs[0]!.args.length / jobs[0]!.count;
    this.#room = room;
  }

  write(): Draft {
    for (let job = this.#rest.pop(); job; job = this.#rest.pop()) {
      if (!this.#add(job)) break;
    }
    this.#flush();
    this.#draft.rest.push(...this.#rest.reverse());
    return this.#draft;
  }

  /** Adds a job, or its first calls; false if nothing more fits. */
  #add(job: Job): boolean {
    const plain = this.#copy(job);
    if (plain > 0) {
      if (plain < job.count) this.#rest.push(job.split(plain));
      this.#draft.jobs.push(job);
      this.#calls += plain;
      return true;
    }
    if (job.count > 1) this.#rest.push(job.split(1));
    this.#rest.push(job);
    // What is before it comes first, and may not fit by itself.
    if (!this.#flush()) return false;
    this.#rest.pop();
    return this.#addAlone(job);
  }

  /** Copies arguments of a job; returns of how many of its first calls. */
  #copy(job: Job): number {
    if (job.transfers) return 0;
    const before = this.#plain.length;
    const { args, count } = job;
    for (const arg of args) {
      const copy = copyPlain(arg);
      if (copy === NOT_PLAIN) break;
      this.#plain.push(copy);
    }
    const copied = this.#plain.length - before;
    const calls = copied === args.length
      ? count
      : Math.floor(copied / this.#arity);
    this.#plain.length = before + calls * this.#arity;
    return calls;
  }

  /** Writes the copies; false if not all fit. */
  #flush(): boolean {
    const plain = this.#plain;
    const calls = this.#calls;
    if (calls === 0) return true;
    this.#plain = [];
    this.#calls = 0;
    const { bytes, count } = encodePlain(
      plain,
      this.#arity,
      this.#room,
    );
    const fitting = this.#arity === 0 ? calls : count / this.#arity;
    if (bytes.length > this.#room && this.#draft.blocks.length > 0) {
      this.#takeBack(calls);
      return false;
    }
    this.#takeBack(calls - fitting);
    this.#push(fitting, bytes);
    return fitting === calls && !this.#draft.large;
  }

  /** The last calls do not fit. */
  #takeBack(calls: number): void {
    const { jobs } = this.#draft;
    while (calls > 0) {
      const last = jobs.at(-1)!;
      if (last.count > calls) this.#rest.push(last.split(last.count - calls));
      else this.#rest.push(jobs.pop()!);
      calls -= this.#rest.at(-1)!.count;
    }
  }

  /** Adds a call whose arguments are not plain; false if nothing more fits. */
  #addAlone(job: Job): boolean {
    let bytes = written.get(job);
    try {
      bytes ??= encodeValues(
        job.args.map(unwrapTransfer),
        job.args.filter(isTransfer).flatMap(({ transferables }) =>
          transferables
        ),
      );
    } catch (error) {
      this.#draft.refused.push([job, cloneError(job, error, canSerialize)]);
      return true;
    }
    const fits = bytes.length <= this.#room;
    if (job.transfers || !fits) written.set(job, bytes);
    if (!fits && this.#draft.blocks.length > 0) {
      this.#rest.push(job);
      return false;
    }
    this.#draft.jobs.push(job);
    this.#push(1, bytes);
    return !this.#draft.large;
  }

  #push(calls: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#draft.large = bytes.length > this.#room;
    this.#room -= bytes.length;
    this.#draft.blocks.push({ calls, bytes });
  }
}

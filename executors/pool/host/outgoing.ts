/**
 * The way of jobs to one worker.
 *
 * ```text
 * add() ──► outbox ──► copy ──► check ──► commit to the ledger ──► post
 *             │          │
 *             │          └ getters of users run, which may do anything
 *             └─ revokeAll(): the jobs that have not been committed are nobody's
 * ```
 *
 * 1. Copy. Calls with plain arguments travel together, many in a message; each
 *    other call travels alone: see plain.ts.
 * 2. Check. Jobs that getters have settled are left out. If getters had the
 *    outbox revoked, no job in it is this worker's any more, and the copies are
 *    thrown away.
 * 3. Commit. The jobs get their positions, and the worker holds them. From here
 *    on, no code of a user runs before the message has left.
 * 4. Post. The channel itself clones a call that travels alone. Whatever its
 *    getters do, they find the job in the ledger, like any other that was sent;
 *    the jobs behind it in the outbox are checked after that.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import type { Job, JobHolder } from "../../job/job.ts";
import { NO_OPTIONS } from "../../job/options.ts";
import type { Channel } from "../channel.ts";
import { cloneError } from "../wire/clone_error.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import type { About, Segment } from "../wire/protocol.ts";
import { costOf, type FunctionTable, type PoolFunction } from "./functions.ts";
import type { Ledger } from "./ledger.ts";
import type { Silence } from "./silence.ts";

/** A job that cannot be cloned, and why. */
type Refused = readonly [job: Job, error: Error];

/** Sends jobs to one worker. */
export class Outgoing {
  readonly #holder: JobHolder;
  readonly #channel: Channel;
  readonly #ledger: Ledger;
  readonly #functions: FunctionTable;
  readonly #silence: Silence;
  /** The jobs that are to be sent; another array once they were revoked. */
  #outbox: Job[] = [];
  /** The index in the outbox of the first job that has not been committed. */
  #next = 0;
  /** How many calls the jobs hold that have not been committed. */
  calls = 0;

  constructor(
    holder: JobHolder,
    channel: Channel,
    ledger: Ledger,
    functions: FunctionTable,
    silence: Silence,
  ) {
    this.#holder = holder;
    this.#channel = channel;
    this.#ledger = ledger;
    this.#functions = functions;
    this.#silence = silence;
  }

  /** Takes a job for the next messages. */
  add(job: Job, cost: number): void {
    this.#outbox.push(job);
    this.calls += job.count;
    this.#ledger.reserve(job.count, cost);
  }

  /** Sends the jobs in the outbox; returns those that could not be cloned. */
  send(): Refused[] {
    const refused: Refused[] = [];
    const outbox = this.#outbox;
    while (this.#next < outbox.length) {
      this.#sendPlain(outbox);
      if (this.#outbox !== outbox) return refused;
      const alone = outbox[this.#next];
      if (alone === undefined) break;
      const error = this.#sendAlone(alone);
      if (error !== undefined) refused.push([alone, error]);
      if (this.#outbox !== outbox) return refused;
    }
    this.#outbox = [];
    this.#next = 0;
    return refused;
  }

  /** Takes the jobs that have not been committed out of the outbox. */
  revokeAll(): Job[] {
    const revoked = this.#outbox.slice(this.#next);
    for (const job of revoked) this.#leaveOut(job);
    this.#outbox = [];
    this.#next = 0;
    return revoked;
  }

  /** Tells the worker of a function, unless the worker knows it. */
  define(fn: PoolFunction): void {
    if (!this.#ledger.define(fn)) return;
    this.#channel.send(["define", fn.id, fn.reference]);
  }

  /** Sends the next jobs of the outbox in one message, up to the first call that has to travel alone. */
  #sendPlain(outbox: Job[]): void {
    const from = this.#next;
    let draft = new Draft();
    let to = from;
    let calls = 0;
    while (to < outbox.length) {
      const job = outbox[to]!;
      calls = draft.add(this.#functions.of(job.fn).id, job);
      if (calls < job.count) break;
      to++;
      calls = 0;
    }
    if (this.#outbox !== outbox) return;
    // Of the last job, the calls behind those that could be copied.
    const rest = calls > 0 ? outbox[to]!.split(calls) : undefined;
    const end = rest === undefined ? to : to + 1;
    const settled = isAnySettled(outbox, from, end);
    if (settled) draft = draft.without(outbox, from);
    for (let i = from; i < end; i++) {
      const job = outbox[i]!;
      if (settled && job.settled) this.#leaveOut(job);
      else this.#commit(job);
    }
    this.#next = to;
    if (rest !== undefined) outbox[to] = rest;
    this.#post(draft.segments);
  }

  /** Sends the first call of the next job alone, so that no other fails if this one cannot be cloned; returns the error in that case. */
  #sendAlone(job: Job): Error | undefined {
    if (job.settled) {
      this.#next++;
      this.#leaveOut(job);
      return;
    }
    if (job.count === 1) this.#next++;
    else this.#outbox[this.#next] = job.split(1);
    const { args } = job;
    const { id } = this.#functions.of(job.fn);
    const segment = segmentOf(id, false, aboutOf(job));
    segment[1] = 1;
    segment[2] = args.map(unwrapTransfer);
    const transferables = args.filter(isTransfer).flatMap((arg) =>
      arg.transferables
    );
    this.#commit(job);
    try {
      this.#post([segment], transferables);
    } catch (error) {
      this.#ledger.withdraw();
      job.holder = undefined;
      return cloneError(job, error, (value) => this.#channel.carries(value));
    }
  }

  /** Notes that a job is sent, before it is: the worker may enter the job before `send()` returns. */
  #commit(job: Job): void {
    const fn = this.#functions.of(job.fn);
    this.define(fn);
    this.calls -= job.count;
    job.holder = this.#holder;
    this.#ledger.add(job, fn, costOf(job, fn));
  }

  /** A job of the outbox is not sent. */
  #leaveOut(job: Job): void {
    this.calls -= job.count;
    const fn = this.#functions.of(job.fn);
    this.#ledger.release(job.count, costOf(job, fn));
  }

  #post(segments: readonly Segment[], transferables?: Transferable[]): void {
    if (segments.length === 0) return;
    const before = monotonicTime();
    this.#channel.send(["run", segments], transferables);
    // A message that takes long to send may take long to read.
    this.#silence.sent(monotonicTime() - before);
  }
}

function isAnySettled(
  outbox: readonly Job[],
  from: number,
  to: number,
): boolean {
  for (let i = from; i < to; i++) if (outbox[i]!.settled) return true;
  return false;
}

/** What is unusual about the calls of a job, if anything is. */
function aboutOf(job: Job): About | undefined {
  const { options, traces } = job;
  // Without options, no call is tried again: most tiny calls are done with here.
  if (options === NO_OPTIONS && traces === undefined) return undefined;
  const { attempt } = job;
  const { quiet, onReport, maxReportBytes } = options;
  const isUsual = attempt === 1 && !quiet && onReport === undefined &&
    traces === undefined;
  if (isUsual) return undefined;
  return {
    ...attempt > 1 && { attempt },
    ...quiet && { quiet },
    ...onReport !== undefined && { reports: maxReportBytes },
    ...traces !== undefined && { traces },
  };
}

/** A segment to which calls are being added. */
type DraftSegment = [
  fn: number,
  count: number,
  args: unknown[],
  oneJob: boolean,
  about?: About,
];

/** A segment without calls. */
function segmentOf(
  fn: number,
  oneJob: boolean,
  about: About | undefined,
): DraftSegment {
  return about === undefined ? [fn, 0, [], oneJob] : [fn, 0, [], oneJob, about];
}

/** The copies of calls that are to travel together. */
class Draft {
  readonly #segments: DraftSegment[] = [];

  /** The segments of the message. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Adds the first calls of a job, as many as have only plain arguments; returns how many that are. */
  add(fn: number, job: Job): number {
    if (job.transfers) return 0;
    const { args, count } = job;
    const arity = args.length / count;
    const segment = this.#segment(fn, count > 1, arity, aboutOf(job));
    const copies = segment[2];
    const before = copies.length;
    const plain = pushPlain(args, copies);
    const calls = plain === args.length ? count : Math.floor(plain / arity);
    if (calls < count) copies.length = before + calls * arity;
    segment[1] += calls;
    if (segment[1] === 0) this.#segments.pop();
    return calls;
  }

  /** The same draft without jobs that have settled; its jobs are those of the outbox from an index on. */
  without(outbox: readonly Job[], from: number): Draft {
    const kept = new Draft();
    let index = from;
    for (const [fn, count, args, oneJob, about] of this.#segments) {
      const calls = oneJob ? count : 1;
      const size = calls * args.length / count;
      for (let at = 0; at < count; at += calls) {
        if (outbox[index++]!.settled) continue;
        const segment = kept.#segment(fn, oneJob, size / calls, about);
        const first = at / calls * size;
        segment[2].push(...args.slice(first, first + size));
        segment[1] += calls;
      }
    }
    return kept;
  }

  /** The segment to which calls are added next: single calls of the same shape share one, if nothing is unusual. */
  #segment(
    fn: number,
    oneJob: boolean,
    arity: number,
    about: About | undefined,
  ): DraftSegment {
    const last = this.#segments.at(-1);
    if (
      !oneJob && last !== undefined && last[0] === fn && !last[3] &&
      last[2].length === last[1] * arity && about === undefined &&
      last.length === 4
    ) return last;
    const segment = segmentOf(fn, oneJob, about);
    this.#segments.push(segment);
    return segment;
  }
}

/** Adds copies of arguments to `target`, up to the first that is not plain; returns how many. */
function pushPlain(args: readonly unknown[], target: unknown[]): number {
  for (let i = 0; i < args.length; i++) {
    const copy = copyPlain(args[i]);
    if (copy === NOT_PLAIN) return i;
    target.push(copy);
  }
  return args.length;
}

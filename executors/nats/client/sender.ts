/**
 * The way of calls from the queue to the server.
 *
 * ```text
 * queue ──► as many calls as sizing.ts says ──► outgoing.ts: blocks
 *   ▲                                             │
 *   ├── what did not fit ◄────────────────────────┤
 *   │                                             ▼
 *   └── recalled ◄── ledger: a batch ──► `run`, until it is stored
 * ```
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import type { JobQueue } from "../../job/queue.ts";
import { monotonicTime } from "../../runtime/clock.ts";
import { nameOf, printable } from "../../text.ts";
import {
  type Code,
  encodeMessage,
  type Run,
  type Values,
} from "../messages.ts";
import { type Batch, OVER, SENT, TAKEN } from "./batch.ts";
import type { Codes } from "./codes.ts";
import type { Ledger } from "./ledger.ts";
import { type Draft, writeCalls } from "./outgoing.ts";
import type { Session } from "./session.ts";
import { Sizing } from "./sizing.ts";

/** What a message has beside its values and the source of its function, at most. */
const AROUND_BYTES = 2 ** 16;

/** So many batches are shown to whoever looks at an executor. */
const MAX_DESCRIBED = 20;

/** What is known of a batch beside the ledger. */
export interface Sent {
  /** The number of its function. */
  readonly fn: number;
  /** How long one of its calls may take. */
  readonly timeout: number;
  /** Its number in the stream, and since when it has that. */
  seq?: number;
  stored?: number;
  /** Whether parts of its values are with the server. */
  hasParts: boolean;
  /** Publishes it again, if that has failed. */
  again?: () => void;
  /** How often in a row its node did not name it. */
  missing: number;
  /** When its node got it, and when all must have ended. */
  taken?: number;
  deadline?: number;
}

/** Who uses a sender. */
export interface SenderOwner {
  /** Jobs come back that were not sent. */
  putBack(jobs: readonly Job[]): void;
  /** Whether what has not begun is not to be sent any more. */
  readonly givesUp: boolean;
}

/** Sends the calls of one client. */
export class Sender {
  readonly sizing = new Sizing();
  /** Whether there have been values in parts. */
  hasStored = false;
  /** What is known of each batch that is not over. */
  readonly sent = new Map<Batch, Sent>();
  readonly #client: string;
  readonly #queue: JobQueue;
  readonly #ledger: Ledger;
  readonly #codes: Codes;
  readonly #owner: SenderOwner;

  constructor(
    client: string,
    queue: JobQueue,
    ledger: Ledger,
    codes: Codes,
    owner: SenderOwner,
  ) {
    this.#client = client;
    this.#queue = queue;
    this.#ledger = ledger;
    this.#codes = codes;
    this.#owner = owner;
  }

  /** Whether no job waits. */
  get isEmpty(): boolean {
    this.peek();
    return this.#queue.isEmpty;
  }

  /** The job that is next; those before it that have an outcome are dropped. */
  peek(): Job | undefined {
    let job = this.#queue.peek();
    while (job !== undefined && this.#ledger.hasEnded(job)) {
      this.#queue.shift();
      job = this.#queue.peek();
    }
    return job;
  }

  /** Sends what nodes with so many workers have room for. */
  send(session: Session, workers: number): void {
    while (this.#sendNext(session, workers));
    this.sizing.forgetLast();
  }

  /** Sends one message, or fails a job; false if there is nothing to be done now. */
  #sendNext(session: Session, workers: number): boolean {
    const job = this.peek();
    if (job === undefined) return false;
    const fn = this.sizing.idOf(job);
    const messages = this.sizing.messagesFor(workers, fn) -
      this.#ledger.underway;
    if (messages <= 0) return false;
    let code: Code | undefined;
    try {
      code = this.#codes.find(fn, job.fn, session.parts);
    } catch (error) {
      this.#reject(this.#queue.shift()!, () => error);
      return true;
    }
    if (code === undefined) return false;
    const most = this.sizing.callsOf(job, this.#queue.available, messages);
    const jobs = this.#take(fn, this.#ledger.travelsAlone(job) ? 1 : most);
    this.#sendJobs(session, fn, code, jobs);
    return true;
  }

  /** Takes up to so many calls that can travel in one message. */
  #take(fn: number, most: number): Job[] {
    const jobs: Job[] = [];
    const first = this.#queue.peek()!;
    let left = most;
    for (let job = this.peek(); job && left > 0; job = this.peek()) {
      const fits = job === first ||
        this.sizing.idOf(job) === fn && isLike(job, first) &&
          !this.#ledger.travelsAlone(job);
      if (!fits) break;
      this.#queue.shift();
      jobs.push(job);
      if (job.count > left) this.#queue.unshift([job.split(left)]);
      left -= job.count;
    }
    return jobs;
  }

  #sendJobs(
    session: Session,
    fn: number,
    code: Code,
    jobs: readonly Job[],
  ): void {
    const [{ attempt, timed, options }] = jobs as [Job, ...Job[]];
    const { timeout, quiet, onReport } = options;
    const arity = jobs[0]!.args.length / jobs[0]!.count;
    const room = roomOf(session, code);
    if (room <= 0) {
      for (const job of jobs) this.#reject(job, () => tooLong(job));
      return;
    }
    const draft = writeCalls(jobs, room);
    this.#owner.putBack(draft.rest);
    // A getter has shut the executor down. What may have been begun goes on: it
    // travels alone.
    const [first] = draft.jobs;
    if (this.#owner.givesUp && first && !this.#ledger.mayHaveBegun(first)) {
      this.#owner.putBack(draft.jobs.splice(0));
    }
    if (draft.jobs.length > 0) {
      const batch = this.#ledger.add(draft.jobs);
      const sent: Sent = { fn, timeout, hasParts: draft.large, missing: 0 };
      this.sent.set(batch, sent);
      this.hasStored ||= draft.large;
      const run: Omit<Run, "args"> = {
        type: "run",
        client: this.#client,
        batch: batch.id,
        code,
        calls: batch.count,
        ...draft.jobs.length === batch.count
          ? {}
          : { jobs: draft.jobs.map(({ count }) => count) },
        arity,
        ...timeout === Infinity ? {} : { timeout },
        timed,
        ...attempt === 1 ? {} : { attempt },
        ...quiet ? { quiet: true } : {},
        ...onReport === undefined ? {} : { reports: true },
        ...first!.traces === undefined
          ? {}
          : { traces: draft.jobs.flatMap(({ traces }) => traces!) },
      };
      // What getters have settled is not wanted.
      for (const job of draft.jobs) if (job.settled) batch.revoke(job);
      const bytes = draft.blocks.reduce(
        (sum, { bytes }) => sum + bytes.length,
        0,
      );
      this.sizing.sent(fn, batch.count, bytes);
      const write = () => this.#write(session, batch, run, draft);
      this.#publish(session, batch, sent, write);
    }
    // Done callbacks may do anything to the executor, so they come last.
    for (const [job, error] of draft.refused) this.#reject(job, () => error);
  }

  /** A job cannot be sent; it may have been before. */
  #reject(job: Job, error: () => unknown): void {
    this.#ledger.forget(job);
    job.rejectAll(error);
  }

  /** Where the batches are, the oldest first. */
  describe(): string[] {
    return [...this.sent].slice(0, MAX_DESCRIBED).map(([batch, sent]) => {
      const { id, count, left, name } = batch;
      const { seq, missing } = sent;
      const where = batch.state === SENT
        ? seq === undefined ? "not stored" : `message ${seq}`
        : `${batch.state === TAKEN ? "at" : "lost with"} ${printable(name)}`;
      const doubt = missing > 0 ? `, not named ${missing} times` : "";
      return `${id}: ${left} of ${count} calls ${where}${doubt}`;
    });
  }

  /** Tries again what could not be published. */
  retry(): void {
    for (const sent of this.sent.values()) {
      const { again } = sent;
      delete sent.again;
      again?.();
    }
  }

  /** Publishes a batch; if that fails, it is to be tried again unless it is not wanted any more, or taken, as it was stored without a word. */
  async #publish(
    session: Session,
    batch: Batch,
    sent: Sent,
    write: () => Promise<Uint8Array>,
  ): Promise<void> {
    let message: Uint8Array | undefined;
    try {
      message = await write();
      if (batch.state === OVER && batch.holder === undefined) return;
      sent.seq = await session.run(batch.id, message);
      sent.stored = monotonicTime();
      if (batch.state === OVER && batch.holder === undefined) {
        await session.withdraw(sent.seq);
      }
    } catch {
      // The server is full, or away.
      const known = message;
      const again = known === undefined ? write : () => Promise.resolve(known);
      if (batch.state === SENT) {
        sent.again = () => void this.#publish(session, batch, sent, again);
      }
    }
  }

  async #write(
    session: Session,
    batch: Batch,
    run: Omit<Run, "args">,
    { blocks, large }: Draft,
  ): Promise<Uint8Array> {
    if (large) {
      const args = [await this.#store(session, batch, blocks[0]!.bytes)];
      return encodeMessage({ ...run, args });
    }
    return encodeMessage(
      {
        ...run,
        args: blocks.map(({ calls, bytes }) => ({
          calls,
          bytes: bytes.length,
        })),
      },
      blocks.map(({ bytes }) => bytes),
    );
  }

  async #store(
    session: Session,
    { id }: Batch,
    bytes: Uint8Array,
  ): Promise<Values> {
    const large = await session.parts.put(this.#client, id, "0", bytes);
    return { calls: 1, large };
  }
}

/** Whether calls can travel with others of the same function. */
function isLike(job: Job, first: Job): boolean {
  return job.options.timeout === first.options.timeout &&
    job.options.quiet === first.options.quiet &&
    job.attempt === first.attempt &&
    !job.options.onReport === !first.options.onReport &&
    job.args.length * first.count === first.args.length * job.count;
}

/** How many bytes of values a message may have, besides the source of its function. */
function roomOf({ nats }: Session, code: Code): number {
  const head = code.kind === "source" ? 3 * code.source.length : 0;
  return (nats.info?.max_payload ?? 2 ** 20) - AROUND_BYTES - head;
}

function tooLong({ fn }: Job): Error {
  return new RangeError(
    `Task ${
      nameOf(fn)
    } has a source that is too long for a message: export it from a module as task(import.meta, …)`,
  );
}

/**
 * One batch in the hands of a node, from its delivery until nothing of it is
 * here any more; streams.ts has what is said on the way.
 *
 * ```text
 * ASKING ── go ──► HELD ── no call is open, all is stored ──► OVER
 *   │  └── none of its calls is wanted ─────────────────────► │
 *   └───────── the client is gone ──┴───────────────────────► │
 * ```
 *
 * A call is open from `go` until it has ended, or was stopped, or given back.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import type { Executor } from "../../executor.ts";
import { logLostReport } from "../../job/reports.ts";
import { startTimer } from "../../runtime/timer.ts";
import type { CallTiming } from "../../stats.ts";
import type { AnyFunction } from "../../task.ts";
import { nameOf } from "../../text.ts";
import {
  encodeMessage,
  type Go,
  type Report,
  type Returned,
  type Run,
  type Values,
} from "../messages.ts";
import { type LargeValue, PartLostError } from "../parts.ts";
import { decodeValues, encodeValue, UnreadableError } from "../values.ts";
import { LocalCalls } from "./local_calls.ts";
import {
  encodeOutcomes,
  type Outcome,
  packPieces,
  UNREAD,
} from "./outcomes.ts";
import type { Delivery } from "./pulls.ts";
import { Reports } from "./reports.ts";

/** A value that is written has so many bytes more than without a mark, at most. */
const MARK_BYTES = 32;

/** So long outcomes wait for others of their batch. */
const GATHER_MS = 10;

/** What a batch needs of its node. */
export interface BatchHost {
  readonly executor: Executor;
  /** Whether the node begins nothing more. */
  readonly leaving: boolean;
  /** How many workers a batch has for itself, about. */
  readonly share: number;
  /** How many bytes of values a message may have. */
  readonly room: number;
  /** Asks the client whether the batch may be begun, until there is an answer; `undefined` if it is over before. */
  take(batch: Batch): Promise<Go | undefined>;
  /** The batch has its ticket, and calls. */
  taken(batch: Batch): void;
  /** Gives calls back, until the client says yes, or the batch is over. */
  back(batch: Batch, calls: readonly number[], why: Returned): Promise<void>;
  /** Finds the function of a batch. */
  find(batch: Batch): Promise<AnyFunction>;
  /** Reads a large argument. */
  read(batch: Batch, large: LargeValue): Promise<Uint8Array>;
  /** Stores a large result; `undefined` if the batch is over before. */
  store(batch: Batch, bytes: Uint8Array): Promise<LargeValue | undefined>;
  /** Says to the client what calls have reported, until it has heard that, or the batch is over. */
  report(batch: Batch, message: Uint8Array): Promise<void>;
  /** Publishes outcomes until they are stored, or the batch is over. */
  publish(batch: Batch, message: Uint8Array, id: string): Promise<void>;
  /** The executor takes no calls any more. */
  broken(error: unknown): void;
  /** No call of the batch is open any more, and none goes on that was stopped. */
  freed(batch: Batch): void;
  /** The client has not answered for long. */
  unanswered(batch: Batch): void;
  /** The client has answered. */
  answered(batch: Batch): void;
  /** Others have been at work for long, and the batch has waited behind them. */
  waitedLong(batch: Batch): void;
  /** The batch is over: its message can be acknowledged. */
  over(batch: Batch): void;
}

/** See above. */
export class Batch {
  readonly run: Run;
  /**
   * How its message has come: again if the server has not heard in time that the
   * node is at it, or if the client has published it twice. None of it is left
   * when the server has lost its data.
   */
  readonly deliveries: Delivery[];
  /** By which the node has it, once it does. */
  ticket: string | undefined;
  readonly #blocks: readonly Uint8Array[];
  readonly #host: BatchHost;
  readonly #calls: LocalCalls;
  readonly #open = new Set<number>();
  readonly #reports: Reports;
  #outcomes: Outcome[] = [];
  /** Since when workers are at it, which is said once; `undefined` while others are before it. */
  #turn: number | undefined;
  #stopWaiting: (() => void) | undefined;
  #hasOutcome = false;
  /** When its turn came, it was begun, or has told of outcomes, whichever was last. */
  #since: number = monotonicTime();
  #stopGathering: (() => void) | undefined;
  /** How many messages there were. */
  #messages = 0;
  /** How much is on its way, and has to be answered before the batch is over. */
  #unanswered = 0;
  #over = false;

  constructor(
    run: Run,
    blocks: readonly Uint8Array[],
    delivery: Delivery,
    host: BatchHost,
  ) {
    this.run = run;
    this.#blocks = blocks;
    this.deliveries = [delivery];
    this.#host = host;
    this.#reports = new Reports(
      (head, blocks) => this.#say(head, blocks),
      () => host.room,
    );
    const options = { ...run, maxReportBytes: host.room };
    this.#calls = new LocalCalls(host.executor, options, {
      returned: (call, values, timing) =>
        this.#ended(call, false, values, timing),
      threw: (call, error, timing) => this.#ended(call, true, [error], timing),
      reported: (call, value) => this.#reported(call, value),
      lost: (calls, begun, error) => {
        host.broken(error);
        this.#giveBack(calls, begun ? "begun" : "not begun");
      },
      rested: () => {
        if (this.#open.size === 0) host.freed(this);
      },
    });
  }

  /** Whether nothing of it is here any more. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Whether a call of it goes on that was stopped, and keeps its place. */
  get isGoingOn(): boolean {
    return this.#calls.areGoingOn;
  }

  /** How many of its calls have not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** For how long it has had its turn, in milliseconds; `undefined` if no call of it has ended then. */
  get worked(): number | undefined {
    if (this.#turn === undefined || !this.#hasOutcome) return undefined;
    return monotonicTime() - this.#turn;
  }

  /** Workers are free for it. */
  turn(): void {
    if (this.#turn !== undefined) return;
    if (this.ticket !== undefined) this.#stopWaiting?.();
    this.#turn = this.#since = monotonicTime();
  }

  /**
   * Goes its way.
   *
   * @param silentMs After so long without an answer, the host is told.
   * @param longMs After so long behind others, with calls, the host is told.
   */
  async start(silentMs: number, longMs: number): Promise<void> {
    const asking = startTimer(silentMs, () => this.#host.unanswered(this));
    this.#stopWaiting = asking;
    const go = await this.#host.take(this);
    asking();
    if (go === undefined || this.#over) return;
    this.ticket = go.ticket;
    for (const call of go.calls) this.#open.add(call);
    this.#host.answered(this);
    this.#host.taken(this);
    if (this.#turn === undefined) {
      this.#stopWaiting = startTimer(
        longMs,
        () => this.#host.waitedLong(this),
      );
    }
    if (go.calls.length === 0) this.#closed();
    else if (this.#host.leaving) this.#giveBack(go.calls, "not begun");
    else await this.#begin();
  }

  /** The client does not want these calls any more. */
  stop(calls: readonly number[]): void {
    for (const call of calls) this.#open.delete(call);
    this.#calls.stop(calls);
    if (this.#open.size === 0) this.#closed();
  }

  /** Gives back what has not been entered: of all calls, or of some. */
  giveBack(calls: Iterable<number> = this.#open): void {
    const open = [...calls].filter((call) => this.#open.has(call));
    this.#giveBack(this.#calls.takeBack(open), "not begun");
  }

  /**
   * Gives back all that is open, and stops what of it runs.
   *
   * @returns How many calls had been entered, or may have been.
   */
  giveUp(): number {
    this.giveBack();
    const calls = [...this.#open];
    this.#calls.stop(calls);
    this.#giveBack(calls, "begun");
    return calls.length;
  }

  /** Nobody wants to hear of it any more. */
  abandon(): void {
    if (this.#over) return;
    this.#stopGathering?.();
    this.#outcomes = [];
    this.#calls.stop(this.#open);
    this.#open.clear();
    this.#end();
  }

  /** Reads what the calls need, and submits them. */
  async #begin(): Promise<void> {
    const { args } = this.run;
    let fn: AnyFunction;
    try {
      fn = await this.#host.find(this);
    } catch (error) {
      return this.#refuse([...this.#open], error);
    }
    if (this.#turn !== undefined) this.#turn = this.#since = monotonicTime();
    let call = 0;
    let block = 0;
    for (const values of args) {
      const bytes = "bytes" in values ? this.#blocks[block++] : undefined;
      await this.#submit(fn, call, values, bytes);
      call += values.calls;
    }
  }

  /** Submits calls the arguments of which are together. */
  async #submit(
    fn: AnyFunction,
    first: number,
    values: Values,
    bytes: Uint8Array | undefined,
  ): Promise<void> {
    const end = first + values.calls;
    const { arity } = this.run;
    let args: unknown[];
    try {
      if (!this.#isOpen(first, end)) return;
      bytes ??= await this.#host.read(
        this,
        (values as { large: LargeValue }).large,
      );
      args = decodeValues(bytes, values.calls * arity);
    } catch (error) {
      return this.#refuse(range(first, end), error);
    }
    for (let from = first; from < end;) {
      const to = this.#endOfGroup(from, end);
      if (from === to) from++;
      else {
        const own = args.slice((from - first) * arity, (to - first) * arity);
        this.#calls.submit(from, fn, own, to - from);
        from = to;
      }
    }
  }

  #isOpen(from: number, end: number): boolean {
    return range(from, end).some((call) => this.#open.has(call));
  }

  /** Where the open calls from one on end that belong to one job of the client. */
  #endOfGroup(from: number, end: number): number {
    let last = from + 1;
    const { jobs } = this.run;
    if (jobs !== undefined) {
      last = 0;
      for (const count of jobs) if ((last += count) > from) break;
    }
    let to = from;
    while (to < Math.min(last, end) && this.#open.has(to)) to++;
    return to;
  }

  /** Calls cannot be made here. */
  #refuse(calls: readonly number[], error: unknown): void {
    const open = calls.filter((call) => this.#open.has(call));
    // The client has what the server has lost.
    if (error instanceof PartLostError) {
      return this.#giveBack(open, "unreadable");
    }
    const why = error instanceof UnreadableError ? UNREAD : error;
    for (const call of open) this.#ended(call, true, [why], undefined);
  }

  #ended(
    call: number,
    failed: boolean,
    values: readonly unknown[],
    timing: CallTiming | undefined,
  ): void {
    for (let i = 0; i < values.length; i++) this.#open.delete(call + i);
    this.#hasOutcome = true;
    const { started, ended } = timing ?? {};
    const ms = started !== undefined && ended !== undefined
      ? Math.max(0, ended - started)
      : 0;
    this.#outcomes.push({ call, failed, values, ms, timing });
    if (this.#open.size === 0) this.#closed();
    else {
      this.#stopGathering ??= startTimer(GATHER_MS, () => this.#tell());
    }
  }

  /** A call reports a value. */
  #reported(call: number, value: unknown): void {
    if (!this.#open.has(call)) return;
    const block = this.#encodeReport(value);
    if (block === undefined || this.#reports.add(call, block)) return;
    this.#calls.stop([call]);
    const error = new RangeError(
      `Task ${nameOf(this.run.code)} reports more than its client hears`,
    );
    this.#ended(call, true, [error], undefined);
  }

  /** A report as bytes; nothing if a task has spoken for its worker, which looks whether it can be written. */
  #encodeReport(value: unknown): Uint8Array | undefined {
    try {
      const block = encodeValue(value);
      if (block.length <= this.#host.room + MARK_BYTES) return block;
    } catch {
      // Neither does it fit.
    }
    logLostReport(this.run.code);
  }

  #say(
    head: Pick<Report, "before" | "reports">,
    blocks: readonly Uint8Array[],
  ): Promise<void> {
    const { batch } = this.run;
    const ticket = this.ticket!;
    const message = { type: "report", ticket, batch, ...head } as const;
    return this.#host.report(this, encodeMessage(message, blocks));
  }

  #giveBack(calls: readonly number[], why: Returned): void {
    const open = calls.filter((call) => this.#open.delete(call));
    if (open.length > 0) {
      this.#awaitAnswer(this.#host.back(this, open, why));
    }
    if (this.#open.size === 0 && this.ticket !== undefined) this.#closed();
  }

  /** No call is open any more. */
  #closed(): void {
    if (this.#over) return;
    if (!this.isGoingOn) this.#host.freed(this);
    this.#tell();
    this.#endIfAnswered();
  }

  /** Tells the client what has ended. */
  #tell(): void {
    this.#stopGathering?.();
    this.#stopGathering = undefined;
    const outcomes = this.#withDurations(this.#outcomes);
    this.#outcomes = [];
    if (outcomes.length > 0) this.#awaitAnswer(this.#publish(outcomes));
  }

  async #publish(outcomes: readonly Outcome[]): Promise<void> {
    const flushed = this.#reports.flushed();
    // What a call has reported comes before what became of it.
    if (flushed !== undefined) await flushed;
    const { batch } = this.run;
    const ticket = this.ticket!;
    const { room } = this.#host;
    const pieces = encodeOutcomes(outcomes, room);
    const messages = await packPieces(pieces, room, async (bytes) => {
      const large = await this.#host.store(this, bytes);
      if (large !== undefined) return large;
      throw new PartLostError("The batch is over");
    });
    await Promise.all(messages.map(({ outcomes, blocks }) => {
      const head = { type: "done", ticket, batch, outcomes } as const;
      const id = `${ticket}-${this.#messages++}`;
      return this.#host.publish(this, encodeMessage(head, blocks), id);
    }));
  }

  /** What is not timed has taken as long as others of its batch, about. */
  #withDurations(outcomes: readonly Outcome[]): Outcome[] {
    const now = monotonicTime();
    const passed = now - this.#since;
    this.#since = now;
    const calls = outcomes.reduce((sum, { values }) => sum + values.length, 0);
    const ms = passed * Math.min(calls, this.#host.share) / calls;
    return outcomes.map((outcome) =>
      outcome.timing?.ended === undefined ? { ...outcome, ms } : outcome
    );
  }

  async #awaitAnswer(answer: Promise<void>): Promise<void> {
    this.#unanswered++;
    // It fails only if the batch is over.
    await answer.catch(() => {});
    this.#unanswered--;
    this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    const closed = this.ticket !== undefined && this.#open.size === 0;
    if (closed && this.#unanswered === 0) this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWaiting?.();
    this.#reports.end();
    this.#host.over(this);
  }
}

function range(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, i) => from + i);
}

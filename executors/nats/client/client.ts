/**
 * The client of a pool on a NATS server: from the queue of an executor to nodes,
 * and back.
 *
 * ```text
 * enqueue() ──► queue ──► sender.ts ──`run`──► server ──► node
 *                 ▲          │                              │
 *                 │      ledger.ts: what was sent ◄─`take`──┤
 *                 │          ▲  ▲                           │
 *                 ├─ lost ───┘  └─ watch.ts: `held` ───────►│
 *                 │                                         │
 * job.resolve(), reject() ◄── receiver.ts ◄──── `done` ◄────┘
 * ```
 *
 * It is connected while something is to be done, and for a second more. What is
 * the case is looked at twice a second then; all else follows messages.
 *
 * @module
 */

import {
  BrokenExecutorError,
  ShutdownError,
  TimeoutError,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import type { JobQueue } from "../../job/queue.ts";
import type { Engine } from "../../pool/engine.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { startTimer } from "../../runtime/timer.ts";
import type { Activity } from "../../stats.ts";
import type { AnyFunction } from "../../task.ts";
import { because, nameOf, printable } from "../../text.ts";
import type { Described } from "../code/describe.ts";
import type { ConnectionSettings } from "../connection_options.ts";
import type { Hello, MessageOf } from "../messages.ts";
import { Subjects } from "../subjects.ts";
import { type Batch, SENT, TAKEN, type Ticket } from "./batch.ts";
import { Codes } from "./codes.ts";
import { Ledger, type LedgerOwner } from "./ledger.ts";
import { Line, type LineOwner } from "./line.ts";
import { Presence, type Versions } from "./presence.ts";
import { Receiver, type ReceiverOwner } from "./receiver.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import type { Session, SessionListener } from "./session.ts";
import { Watch, type WatchOwner } from "./watch.ts";
import { WorkTimes } from "./work_times.ts";

/** How often it is looked whether all is well. */
const LOOK_MS = 500;

/** After so long without a node, a warning says what to type. */
const NO_NODE_MS = 10_000;

/** After so long without a word of a node, it is looked whether the server still has a batch, a few at a time. */
const UNTAKEN_MS = 10_000;
const SEARCHES = 4;

/** A node ends calls whose time is up; one that does not say so is waited for as long as this. */
const OVERTIME_MS = 10_000;

/** Nodes answer within this, or are not there for who asks now. */
const ROLL_CALL_MS = 500;

/** How a client works. */
export interface ClientSettings {
  readonly connection: ConnectionSettings;
  readonly maxDeliveries: number;
  readonly versions: Versions;
  readonly describe: (fn: AnyFunction) => Described | Promise<Described>;
  /** Told once, if there is no server to work with. */
  readonly onBroken: (error: () => BrokenExecutorError) => void;
}

// The life of a client. States only move forward.
//
//   OPEN     takes jobs
//   CLOSING  takes no more; what is pending runs
//   BROKEN   there is no server: what is pending fails
//   CLOSED   no job is left, and no connection
//
//   OPEN -> CLOSING            close(), terminate()
//   OPEN, CLOSING -> BROKEN    the server cannot be reached, or refuses
//   CLOSING, BROKEN -> CLOSED  nothing is left
const OPEN = 0;
const CLOSING = 1;
const BROKEN = 2;
const CLOSED = 3;
type Life = typeof OPEN | typeof CLOSING | typeof BROKEN | typeof CLOSED;

/** Somebody who waits for a node. */
interface Start {
  resolve(): void;
  reject(error: Error): void;
}

/** See above. */
export class Client
  implements
    Engine,
    LedgerOwner,
    LineOwner,
    ReceiverOwner,
    SenderOwner,
    SessionListener,
    WatchOwner {
  readonly #queue: JobQueue;
  readonly #settings: ClientSettings;
  readonly #ledger: Ledger;
  readonly #codes: Codes;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #presence: Presence;
  readonly #watch: Watch;
  readonly #line: Line;
  readonly #times = new WorkTimes();
  #life: Life = OPEN;
  /** Why it is broken. */
  #broken: (() => BrokenExecutorError) | undefined;
  /** Whether what has not begun is cancelled, whenever it comes back. */
  #cancels = false;
  #starts: Start[] = [];
  /** How many ask who is there. */
  #visitors = 0;
  readonly #whenClosed: (() => void)[] = [];
  #closing = false;
  #scheduled = false;
  #stopLooking: (() => void) | undefined;
  /** Since when there is something to do and no node, and whether that was said. */
  #alone: number | undefined;
  #warned = false;

  /** Works off a queue; connects when there is something in it. */
  constructor(queue: JobQueue, settings: ClientSettings) {
    const client = crypto.randomUUID().replaceAll("-", "");
    const subjects = new Subjects(settings.connection.pool);
    this.#queue = queue;
    this.#settings = settings;
    this.#ledger = new Ledger(client, settings.maxDeliveries, this);
    this.#codes = new Codes(
      client,
      settings.describe,
      () => this.#schedule(),
    );
    this.#sender = new Sender(client, queue, this.#ledger, this.#codes, this);
    this.#receiver = new Receiver(client, this.#ledger, this);
    this.#presence = new Presence(
      settings.versions,
      (message) => console.warn(message),
    );
    this.#watch = new Watch(
      this.#ledger,
      this.#presence,
      this.#sender.sent,
      this,
    );
    this.#line = new Line(client, subjects, settings.connection, this);
  }

  /** How many workers the nodes have. */
  get workers(): number {
    return this.#presence.workers;
  }

  wake(): void {
    this.#schedule();
  }

  /** Resolves when a node is there. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#starts.push({ resolve, reject });
      this.#schedule();
    });
  }

  /** The nodes that answer now. */
  async nodes(): Promise<Hello[]> {
    this.#visitors++;
    this.#schedule();
    try {
      const session = await this.#line.whenOpen();
      const asked = monotonicTime();
      session.who(this.#settings.versions);
      await new Promise<void>((resolve) => startTimer(ROLL_CALL_MS, resolve));
      return this.#presence.since(asked);
    } catch (error) {
      throw this.#broken?.() ?? error;
    } finally {
      this.#visitors--;
      this.#schedule();
    }
  }

  close(cancelFutures: boolean): Promise<void> {
    this.#life = Math.max(this.#life, CLOSING) as Life;
    this.#settleStarts();
    if (cancelFutures) {
      this.#cancels = true;
      for (const batch of this.#ledger.inState(SENT)) {
        this.putBack(this.#ledger.recall(batch));
      }
      this.putBack(this.#queue.takeAll());
    }
    return new Promise((resolve) => {
      this.#whenClosed.push(resolve);
      this.#schedule();
    });
  }

  terminate(): Promise<void> {
    const closed = this.close(true);
    for (const batch of this.#ledger.inState(TAKEN)) {
      this.#line.session?.stop(
        batch.holder!.node,
        batch.holder!.ticket,
        batch.open,
        "terminated",
      );
    }
    const { sent, begun } = this.#ledger.takeAll();
    for (const job of [...sent, ...this.#queue.takeAll()]) {
      this.#ledger.forget(job);
      begun.push(job);
    }
    this.#queue.end((job) => {
      if (this.#ledger.mayHaveBegun(job)) job.rejectAll(() => terminated(job));
      else job.cancel();
    });
    for (const job of begun) job.rejectAll(() => terminated(job));
    return closed;
  }

  /** Whether calls are timed goes with each message. */
  watch(): void {}

  activity(): Activity {
    const nodes = this.#presence.since(-Infinity);
    const busy = (node: string) =>
      this.#ledger.ofNode(node).filter(({ state }) => state === TAKEN).length;
    return {
      running: this.#ledger.running,
      ...this.#times.of(nodes, busy),
    };
  }

  describe(): Record<string, unknown> {
    return {
      queued: this.#queue.calls,
      sent: this.#ledger.running,
      nodes: this.#presence.since(-Infinity).map(({ name, workers }) =>
        `${printable(name)}: ${workers} workers`
      ),
    };
  }

  // What messages say.

  hello(hello: Hello): void {
    this.#presence.heard(hello);
    this.#times.seen(hello);
    this.#schedule();
  }

  take({ node, batch: id }: MessageOf<"take">): MessageOf<"go"> {
    if (this.#presence.isRefused(node)) this.#takeFrom(id);
    const batch = this.#ledger.take(id, node);
    const sent = batch && this.#sender.sent.get(batch);
    if (batch === undefined || sent === undefined) {
      return { type: "go", ticket: "none", calls: [] };
    }
    sent.taken = monotonicTime();
    sent.missing = 0;
    sent.deadline = sent.taken + batch.left * sent.timeout + OVERTIME_MS;
    return { type: "go", ticket: batch.holder!.ticket, calls: batch.open };
  }

  /** A node that is not used has the message of a batch, and forgets it: it is sent again. */
  #takeFrom(id: string): void {
    for (const batch of this.#ledger.inState(SENT)) {
      if (batch.id === id) this.putBack(this.#ledger.recall(batch));
    }
    this.#schedule();
  }

  back({ batch: id, ticket, calls }: MessageOf<"back">): void {
    const batch = this.#ledger.find(id, ticket);
    if (batch !== undefined) {
      this.putBack(this.#ledger.giveBack(batch, calls));
    }
    this.#schedule();
  }

  done(
    message: Parameters<SessionListener["done"]>[0],
    session: Session,
  ): Promise<void> | void {
    return this.#receiver.receive(message, session.parts);
  }

  // What follows from them.

  ended(batch: Batch, calls: number, ms: number): void {
    const sent = this.#sender.sent.get(batch);
    if (sent !== undefined) this.#sender.sizing.took(sent.fn, ms / calls);
    this.#times.ended(batch.holder!.node, calls, ms);
  }

  hasParts(batch: Batch): void {
    const sent = this.#sender.sent.get(batch);
    if (sent !== undefined) sent.hasParts = true;
  }

  nameOf(node: string): string {
    return this.#presence.nameOf(node);
  }

  stop(holder: Ticket, _batch: Batch, calls: readonly number[]): void {
    this.#watch.stop(this.#line.session, holder, calls, "cancelled");
    this.#schedule();
  }

  over(batch: Batch): void {
    const sent = this.#sender.sent.get(batch);
    this.#sender.sent.delete(batch);
    this.#schedule();
    if (sent === undefined) return;
    if (batch.holder === undefined && sent.seq !== undefined) {
      this.#line.later((session) => session.withdraw(sent.seq!));
    }
    if (sent.hasParts) {
      this.#line.later((session) => session.dropParts(batch.id));
    }
  }

  lost(batch: Batch, counts: boolean): void {
    const { again, failed } = this.#ledger.lose(batch, counts);
    this.putBack(again);
    this.#schedule();
    const node = printable(batch.name);
    for (const job of failed) {
      job.reject(
        new WorkerCrashedError(
          counts
            ? `Node ${node} was lost with task ${
              nameOf(job.fn)
            }, as all ${this.#settings.maxDeliveries} that have taken it`
            : `Node ${node} does not have task ${
              nameOf(job.fn)
            } any more, and may have begun it`,
        ),
      );
    }
  }

  get givesUp(): boolean {
    return this.#cancels;
  }

  /** Jobs are next to be sent, unless what has not begun is cancelled. */
  putBack(jobs: readonly Job[]): void {
    if (!this.#cancels) return this.#queue.putBack(jobs);
    const begun = jobs.filter((job) => this.#ledger.mayHaveBegun(job));
    this.#queue.putBack(begun);
    for (const job of jobs) if (!begun.includes(job)) job.cancel();
  }

  // The line to the server.

  get isNeeded(): boolean {
    return this.#life !== CLOSED && this.#life !== BROKEN && (
      this.#sender.peek() !== undefined || !this.#ledger.isEmpty ||
      this.#starts.length > 0 ||
      this.#life === OPEN && (this.#visitors > 0 || this.#watch.isStopping)
    );
  }

  opened(session: Session, kept: boolean, again: boolean): void {
    // Others come back later than this client.
    if (again) this.#watch.reconnected();
    else this.#presence.clear();
    if (!kept) this.#codes.forgetStored();
    session.who(this.#settings.versions);
    for (const [batch, sent] of [...this.#sender.sent]) {
      if (batch.state !== SENT) continue;
      // What was not stored may have been, and is not taken under this name any more.
      if (!kept || sent.seq === undefined) {
        this.putBack(this.#ledger.recall(batch));
      } else sent.stored = -Infinity;
    }
    this.#schedule();
  }

  lostConnection(message: string): void {
    this.#watch.disconnected();
    console.warn(message);
  }

  failed(error: unknown): void {
    if (this.#life >= BROKEN) return;
    const broken = error instanceof BrokenExecutorError
      ? () => new BrokenExecutorError(error.message, { cause: error.cause })
      : () =>
        new BrokenExecutorError(
          `Cannot use NATS at ${this.#settings.connection.servers.join(", ")}${
            because(error)
          }`,
          { cause: error },
        );
    this.#life = BROKEN;
    this.#broken = broken;
    this.#settings.onBroken(broken);
    this.#settleStarts();
    const { sent, begun } = this.#ledger.takeAll();
    for (const job of [...sent, ...begun]) job.rejectAll(broken);
    this.#queue.end((job) => job.rejectAll(broken));
    this.#schedule();
  }

  // Turns.

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#cancels) this.putBack(this.#queue.takeAll());
    this.#settleStarts();
    const needed = this.isNeeded;
    this.#line.use(needed);
    if (needed) this.#stopLooking ??= startTimer(LOOK_MS, () => this.#look());
    else this.#rest();
    const { session } = this.#line;
    if (session !== undefined && needed) {
      this.#sender.send(session, this.#presence.workers);
    }
    if (!needed && this.#life > OPEN) this.#end();
  }

  #rest(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#alone = undefined;
  }

  #look(): void {
    this.#stopLooking = undefined;
    const { session } = this.#line;
    this.#warnIfAlone();
    if (session !== undefined) {
      session.pull();
      this.#sender.retry();
      this.#watch.look(session);
      if (this.#presence.workers === 0) this.#withoutNodes(session);
      else this.#search(session);
      this.#endOvertime();
    }
    this.#schedule();
  }

  /** Nothing is sent without a node; what was sent, and nobody has taken, can be cancelled again. */
  #withoutNodes(session: Session): void {
    session.who(this.#settings.versions);
    for (const batch of this.#ledger.inState(SENT)) {
      this.putBack(this.#ledger.recall(batch));
    }
  }

  #warnIfAlone(): void {
    if (this.#presence.workers > 0) {
      this.#alone = undefined;
      return;
    }
    this.#alone ??= monotonicTime() - LOOK_MS;
    if (this.#warned || monotonicTime() - this.#alone < NO_NODE_MS) return;
    this.#warned = true;
    const { pool, servers } = this.#settings.connection;
    const option = pool === "default" ? "" : ` --pool ${pool}`;
    console.warn(
      `No node serves pool "${pool}" at ${
        servers.join(", ")
      }: start one with futures serve ${servers[0]}${option}`,
    );
  }

  /** Looks whether the server still has what nobody has taken for long; what it has not goes back to the queue. */
  #search(session: Session): void {
    let searches = 0;
    const now = monotonicTime();
    for (const [batch, sent] of this.#sender.sent) {
      const { seq, stored = Infinity } = sent;
      if (batch.state !== SENT || seq === undefined) continue;
      if (now - stored < UNTAKEN_MS) continue;
      if (++searches > SEARCHES) return;
      sent.stored = now;
      session.has(batch.id, seq).then((has) => {
        if (!has) this.putBack(this.#ledger.recall(batch));
        this.#schedule();
      }, () => sent.stored = stored);
    }
  }

  /** A node that is there, and has calls for longer than it may, is not believed any more. */
  #endOvertime(): void {
    const now = monotonicTime();
    for (const [batch, { deadline = Infinity, timeout }] of this.#sender.sent) {
      if (batch.state !== TAKEN || now < deadline) continue;
      this.stop(batch.holder!, batch, batch.open);
      for (
        let piece = this.#ledger.settle(batch, 0, batch.count);
        piece !== undefined;
        piece = this.#ledger.settle(batch, 0, batch.count)
      ) {
        const { job, call, count } = piece;
        for (let i = call; i < call + count; i++) {
          job.reject(
            new TimeoutError(
              `Task ${
                nameOf(job.fn)
              } ran longer than its timeout of ${timeout} ms`,
            ),
            i,
          );
        }
      }
    }
  }

  #settleStarts(): void {
    if (this.#starts.length === 0) return;
    if (this.#life !== OPEN) {
      const error = () =>
        this.#broken?.() ??
          new ShutdownError("Shut down before a node was there");
      for (const start of this.#starts.splice(0)) start.reject(error());
    } else if (this.#presence.workers > 0) {
      for (const start of this.#starts.splice(0)) start.resolve();
    }
  }

  async #end(): Promise<void> {
    if (this.#life !== CLOSED) {
      if (this.#whenClosed.length === 0 || this.#closing) return;
      this.#closing = true;
      await this.#line.close(this.#codes.stored);
      this.#life = CLOSED;
    }
    for (const resolve of this.#whenClosed.splice(0)) resolve();
  }
}

function terminated({ fn }: Job): WorkerTerminatedError {
  return new WorkerTerminatedError(
    `The pool was terminated while a node ran task ${nameOf(fn)}`,
  );
}

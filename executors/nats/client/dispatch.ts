/**
 * What becomes of calls between the queue and those who wait for them: sent,
 * begun by a node, given back, lost, over. All parts of a client that know calls
 * meet here; client.ts decides when something is done, and by which line.
 *
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import {
  type BrokenExecutorError,
  TimeoutError,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import type { JobQueue } from "../../job/queue.ts";
import { monotonicTime } from "../../runtime/clock.ts";
import type { Activity } from "../../stats.ts";
import type { AnyFunction } from "../../task.ts";
import { nameOf, printable } from "../../text.ts";
import type { Described } from "../code/describe.ts";
import type { Hello, MessageOf, Read } from "../messages.ts";
import { type Batch, SENT, TAKEN, type Ticket } from "./batch.ts";
import { Codes } from "./codes.ts";
import { Ledger, type LedgerOwner, type Loss } from "./ledger.ts";
import { Presence, type Versions } from "./presence.ts";
import { Receiver, type ReceiverOwner } from "./receiver.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import type { Session } from "./session.ts";
import { Watch, type WatchOwner } from "./watch.ts";
import { WorkTimes } from "./work_times.ts";

/** After so long without a word of a node, it is looked whether the server still has a batch, a few at a time. */
const UNTAKEN_MS = 10_000;
const SEARCHES = 4;

/** A node ends calls whose time is up; one that does not say so is waited for as long as this. */
const OVERTIME_MS = 10_000;

/** How calls are sent. */
export interface DispatchSettings {
  readonly maxDeliveries: number;
  readonly versions: Versions;
  readonly describe: (fn: AnyFunction) => Described | Promise<Described>;
}

/** Who has the line, and decides when something is done. */
export interface DispatchOwner {
  /** By what to say something; nothing while that is not possible. */
  session(): Session | undefined;
  /** Says something if that is possible. */
  later(say: (session: Session) => Promise<void>): void;
  /** There may be something to do. */
  changed(): void;
}

/** See above. */
export class Dispatch
  implements LedgerOwner, ReceiverOwner, SenderOwner, WatchOwner {
  readonly presence: Presence;
  readonly watch: Watch;
  readonly #queue: JobQueue;
  readonly #settings: DispatchSettings;
  readonly #owner: DispatchOwner;
  readonly #ledger: Ledger;
  readonly #codes: Codes;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #times = new WorkTimes();
  /** Whether what has not begun is cancelled, whenever it comes back. */
  #cancels = false;

  constructor(
    client: string,
    queue: JobQueue,
    settings: DispatchSettings,
    owner: DispatchOwner,
  ) {
    this.#queue = queue;
    this.#settings = settings;
    this.#owner = owner;
    this.presence = new Presence(
      settings.versions,
      (message) => console.warn(message),
    );
    this.#ledger = new Ledger(client, settings.maxDeliveries, this);
    this.#codes = new Codes(client, settings.describe, () => owner.changed());
    this.#sender = new Sender(client, queue, this.#ledger, this.#codes, this);
    this.#receiver = new Receiver(client, this.#ledger, this);
    this.watch = new Watch(
      this.#ledger,
      this.presence,
      this.#sender.sent,
      this,
    );
  }

  /** Whether a call has no outcome. */
  get hasCalls(): boolean {
    return !this.#sender.isEmpty || !this.#ledger.isEmpty;
  }

  /** Whether a node was told to stop something, and has not said that it has. */
  get isStopping(): boolean {
    return this.watch.isStopping;
  }

  /** Whether there have been parts of values, or bundles. */
  get hasStored(): boolean {
    return this.#codes.stored || this.#sender.hasStored;
  }

  get givesUp(): boolean {
    return this.#cancels;
  }

  // When there is something to do.

  /** The line is open; see {@linkcode LineOwner.opened}. */
  opened(session: Session, kept: boolean, again: boolean): void {
    // Others come back later than this client.
    if (again) this.watch.reconnected();
    else this.presence.clear();
    // What this client has stored went with its last connection, or nodes may have
    // taken it for gone since, and removed it.
    this.#codes.forgetStored();
    session.who(this.#settings.versions);
    for (const [batch, sent] of [...this.#sender.sent]) {
      if (batch.state !== SENT) continue;
      // What was not stored may have been, and is not taken under this name any more.
      if (!kept || sent.seq === undefined) {
        this.putBack(this.#ledger.recall(batch));
      } else sent.stored = -Infinity;
    }
  }

  /** Sends what there is room for. */
  send(session: Session): void {
    this.#sender.send(session, this.presence.workers);
  }

  /** Looks whether all is well. */
  look(session: Session): void {
    this.#sender.retry();
    this.watch.look(session);
    if (this.presence.workers === 0) this.#withoutNodes(session);
    else this.#search(session);
    this.#endOvertime();
  }

  /** Cancels what no node was told to begin, now and when it comes back. */
  cancelPending(): void {
    this.#cancels = true;
    for (const batch of this.#ledger.inState(SENT)) {
      // What may have begun before stays sent: called back, it would be sent
      // again at once, and that for ever, as this is done in each turn.
      if (
        batch.open.some((call) => this.#ledger.mayHaveBegun(batch.job(call)!))
      ) {
        continue;
      }
      this.putBack(this.#ledger.recall(batch));
    }
    this.putBack(this.#queue.takeAll());
  }

  /** Ends everything, of which what has not begun was cancelled. */
  terminate(): void {
    for (const { holder, open, state } of this.#sender.sent.keys()) {
      if (state !== TAKEN) continue;
      const { node, ticket } = holder!;
      this.#owner.session()?.stop(node, ticket, open, "terminated");
    }
    this.#giveUp((job) => () => terminated(job), (job) => job.cancel());
  }

  /** There is no server. */
  fail(broken: () => BrokenExecutorError): void {
    this.#giveUp(() => broken, (job) => job.rejectAll(broken));
  }

  /** Ends everything that may have begun by an error, and the rest as it is said. */
  #giveUp(
    errorOf: (job: Job) => () => Error,
    how: (job: Job) => void,
  ): void {
    const { sent, begun } = this.#ledger.takeAll();
    const pending: Job[] = [];
    for (const job of [...sent, ...this.#queue.takeAll()]) {
      if (!this.#ledger.mayHaveBegun(job)) pending.push(job);
      else {
        this.#ledger.forget(job);
        begun.push(job);
      }
    }
    this.#queue.end((job) => {
      if (this.#ledger.mayHaveBegun(job)) job.rejectAll(errorOf(job));
      else how(job);
    });
    pending.forEach(how);
    for (const job of begun) job.rejectAll(errorOf(job));
  }

  /** How busy nodes are with the calls of this client, and were. */
  activity(): Activity {
    const nodes = this.presence.since(-Infinity);
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
      connected: this.#owner.session() !== undefined,
      nodes: this.presence.since(-Infinity).map(({ name, workers }) =>
        `${printable(name)}: ${workers} workers`
      ),
      batches: this.#sender.describe(),
    };
  }

  // What messages say, and what follows.

  hello(hello: Hello): void {
    this.presence.heard(hello);
    this.#times.seen(hello);
  }

  take({ node, batch: id }: MessageOf<"take">): MessageOf<"go"> {
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

  back({ batch: id, ticket, calls, why }: MessageOf<"back">): void {
    const batch = this.#ledger.find(id, ticket);
    if (batch !== undefined) {
      const loss = this.#ledger.giveBack(batch, calls, why === "begun");
      this.#again(batch, loss, false);
      if (why === "unreadable") this.#codes.forgetStored();
    }
    this.#owner.changed();
  }

  report(report: Read<"report">): void {
    this.#receiver.report(report);
  }

  done(message: Msg, session: Session): Promise<void> | void {
    return this.#receiver.receive(message, session.parts);
  }

  // What follows from them.

  ended(batch: Batch, calls: number, ms: number): void {
    const sent = this.#sender.sent.get(batch);
    if (sent !== undefined) this.#sender.sizing.took(sent.fn, ms / calls);
    this.#times.ended(batch.holder!.node, calls, ms);
  }

  hasParts(batch: Batch): void {
    this.#sender.hasStored = true;
    const sent = this.#sender.sent.get(batch);
    if (sent !== undefined) sent.hasParts = true;
  }

  nameOf(node: string): string {
    return this.presence.nameOf(node);
  }

  stop(holder: Ticket, _batch: Batch, calls: readonly number[]): void {
    this.watch.stop(this.#owner.session(), holder, calls, "cancelled");
    this.#owner.changed();
  }

  unread({ node, ticket }: Ticket, calls: readonly number[]): void {
    // Once: if it is lost, some calls are made in vain.
    this.#owner.session()?.stop(node, ticket, calls, "unread");
  }

  over(batch: Batch): void {
    const sent = this.#sender.sent.get(batch);
    this.#sender.sent.delete(batch);
    this.#owner.changed();
    if (sent === undefined) return;
    if (batch.holder === undefined && sent.seq !== undefined) {
      this.#owner.later((session) => session.withdraw(sent.seq!));
    }
    if (sent.hasParts) {
      this.#owner.later((session) => session.dropParts(batch.id));
    }
  }

  lost(batch: Batch, counts: boolean): void {
    this.#again(batch, this.#ledger.lose(batch, counts), counts);
  }

  /** A node does not have calls any more: they are made again, or fail. */
  #again(batch: Batch, { again, failed }: Loss, counts: boolean): void {
    this.putBack(again);
    this.#owner.changed();
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

  /** Jobs are next to be sent, unless what has not begun is cancelled. */
  putBack(jobs: readonly Job[]): void {
    if (!this.#cancels) return this.#queue.putBack(jobs);
    const begun = jobs.filter((job) => this.#ledger.mayHaveBegun(job));
    this.#queue.putBack(begun);
    for (const job of jobs) if (!begun.includes(job)) job.cancel();
  }

  /** Nothing is sent without a node; what was sent, and nobody has taken, can be cancelled again. */
  #withoutNodes(session: Session): void {
    session.who(this.#settings.versions);
    for (const batch of this.#ledger.inState(SENT)) {
      this.putBack(this.#ledger.recall(batch));
    }
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
        this.#owner.changed();
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
}

function terminated({ fn }: Job): WorkerTerminatedError {
  return new WorkerTerminatedError(
    `The pool was terminated while a node ran task ${nameOf(fn)}`,
  );
}

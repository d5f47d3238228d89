/**
 * All that a client knows of the calls that it has sent. Nothing here talks to
 * anybody: what is to be said follows from what this returns.
 *
 * ```text
 * add() ──► SENT ──take()──► TAKEN ──settle()──► over: the outcome is given
 *             │                │
 *             │                ├─ giveBack() ─► jobs for the queue, or to fail if
 *             │                │                they were begun
 *             │                └─ lose() ─────► one job for each call: for the
 *             │                                 queue, or to fail; an outcome
 *             │                                 that comes after all counts
 *             └─ recall() ────────────────────► jobs for the queue
 * ```
 *
 * A call leaves the ledger before its outcome is given, as done callbacks may do
 * anything to an executor.
 *
 * @module
 */

import type { CancelledError, TimeoutError } from "../../errors.ts";
import type { Job, JobHolder } from "../../job/job.ts";
import {
  Batch,
  type BatchOwner,
  LOST,
  OVER,
  type Piece,
  SENT,
  TAKEN,
  type Ticket,
} from "./batch.ts";

/** Hears of what follows from calls that nobody wants any more, and of batches that are over. */
export interface LedgerOwner {
  /** A node is to stop calls. */
  stop(holder: Ticket, batch: Batch, calls: readonly number[]): void;
  /** A node need not begin calls, as nobody waits for what comes of them. */
  unread(holder: Ticket, calls: readonly number[]): void;
  /** No call of the batch is left. */
  over(batch: Batch): void;
  /** What a node is called where people read it. */
  nameOf(node: string): string;
}

/** What is to be done with the calls of a batch that was lost. */
export interface Loss {
  /** They go back to the queue, each a job by itself. */
  readonly again: Job[];
  /** They were lost too often. */
  readonly failed: Job[];
}

/** A call that may have been begun somewhere, and is to be made again. */
interface Lost {
  /** How often it was lost with a node. */
  losses: number;
  /** Where it still has its place: an outcome may come from each. */
  places: { readonly batch: Batch; readonly call: number }[];
}

/** The accounts of one client. */
export class Ledger implements BatchOwner {
  readonly #maxDeliveries: number;
  readonly #owner: LedgerOwner;
  /** What comes before the numbers of tickets, which are like no other in the pool. */
  readonly #client: string;
  readonly #batches = new Map<string, Batch>();
  /** How many batches are with the server, or with nodes. */
  underway = 0;
  #named = 0;
  #tickets = 0;
  readonly #lost = new Map<Job, Lost>();
  /** Jobs that were lost, and have an outcome: some may wait in the queue. */
  readonly #ended = new WeakSet<Job>();
  /** Holds calls that were lost until they are sent again: they may have been begun, so they count as running. */
  readonly #limbo: JobHolder = {
    name: "",
    entered: () => true,
    revoke: (job) => void (job.settled && this.#end(job)),
    stop: (job) => this.#end(job),
  };

  /**
   * Makes an empty one.
   *
   * @param client The name of the client.
   * @param maxDeliveries How often a call may be lost with a node until it fails.
   * @param owner Hears what follows.
   */
  constructor(client: string, maxDeliveries: number, owner: LedgerOwner) {
    this.#client = client;
    this.#maxDeliveries = maxDeliveries;
    this.#owner = owner;
  }

  /** Whether nothing is on its way, and nobody has anything. */
  get isEmpty(): boolean {
    return this.#batches.size === 0;
  }

  /** How many calls may have been begun, and have no outcome. */
  get running(): number {
    let running = 0;
    for (const { state, left } of this.#batches.values()) {
      if (state === TAKEN) running += left;
    }
    for (const { holder } of this.#lost.keys()) {
      if (!(holder instanceof Batch) || holder.state !== TAKEN) running++;
    }
    return running;
  }

  /** The batches in this state. */
  inState(state: Batch["state"]): Batch[] {
    return [...this.#batches.values()].filter((batch) => batch.state === state);
  }

  /** The batches that a node has, or had when it was heard of last. */
  ofNode(node: string): Batch[] {
    return [...this.#batches.values()].filter(({ holder }) =>
      holder?.node === node
    );
  }

  /** The nodes that have something, or had. */
  get nodes(): Set<string> {
    const nodes = new Set<string>();
    for (const { holder } of this.#batches.values()) {
      if (holder !== undefined) nodes.add(holder.node);
    }
    return nodes;
  }

  nameOf(node: string): string {
    return this.#owner.nameOf(node);
  }

  /** Jobs are about to be sent in one message. */
  add(jobs: readonly Job[]): Batch {
    const batch = new Batch((++this.#named).toString(36), jobs, this);
    this.#batches.set(batch.id, batch);
    this.underway++;
    for (const job of jobs) {
      this.#lost.get(job)?.places.push({ batch, call: job.position });
    }
    return batch;
  }

  /** Whether a job that comes out of the queue has an outcome: it was lost, and that came late. */
  hasEnded(job: Job): boolean {
    return this.#ended.has(job);
  }

  /** Whether a job may have been begun somewhere. */
  mayHaveBegun(job: Job): boolean {
    return this.#lost.has(job);
  }

  /** Whether calls have to travel alone. */
  travelsAlone(job: Job): boolean {
    return this.#maxDeliveries === 1 || this.#lost.has(job);
  }

  /**
   * A node asks whether it may make the calls of a batch.
   *
   * @returns The batch, which that node has from now on, unless another has it.
   */
  take(id: string, node: string): Batch | undefined {
    const batch = this.#batches.get(id);
    if (batch?.state === SENT) {
      batch.state = TAKEN;
      const ticket = `${this.#client}-${(++this.#tickets).toString(36)}`;
      batch.holder = { node, ticket };
      return batch;
    }
    return batch?.state === TAKEN && batch.holder!.node === node
      ? batch
      : undefined;
  }

  /** The batch for which a ticket was given, if calls of it have no outcome. */
  find(id: string, ticket: string): Batch | undefined {
    const batch = this.#batches.get(id);
    return batch?.holder?.ticket === ticket ? batch : undefined;
  }

  /**
   * Calls of a batch have outcomes: takes the first that had none.
   *
   * @param from The number of the first.
   * @param to The number after the last.
   * @returns Those of them that belong to one job, and where they are; nothing
   * if all had outcomes.
   */
  settle(
    batch: Batch,
    from: number,
    to: number,
  ): (Piece & { at: number }) | undefined {
    const piece = batch.piece(from, to);
    if (piece === undefined) return undefined;
    if (this.#lost.has(piece.job)) this.#end(piece.job);
    else {
      batch.clear(piece.at, piece.count);
      this.#look(batch);
    }
    return piece;
  }

  /** A batch did not get to a node: returns its jobs, for the queue. */
  recall(batch: Batch): Job[] {
    return batch.state === SENT ? this.#takeOut(batch, batch.open) : [];
  }

  /**
   * A node gives calls back, and nothing more will come of them from there.
   *
   * @param begun Whether they may have been begun; that is no loss that counts.
   */
  giveBack(batch: Batch, calls: readonly number[], begun: boolean): Loss {
    const loss: Loss = { again: [], failed: [] };
    // Those of a batch that counts as lost are on their way again.
    if (batch.state !== TAKEN) return loss;
    if (begun) {
      for (const call of calls) if (batch.job(call)) batch.single(call);
    }
    for (const job of this.#takeOut(batch, calls)) {
      if (!begun || job.settled) loss.again.push(job);
      else this.#loseOne(job, loss, []);
    }
    return loss;
  }

  /**
   * A node does not have a batch any more.
   *
   * @param counts Whether that is one more node that its calls were lost with.
   */
  lose(batch: Batch, counts: boolean): Loss {
    const loss: Loss = { again: [], failed: [] };
    if (batch.state !== TAKEN) return loss;
    batch.state = LOST;
    this.underway--;
    for (const call of batch.open) {
      const job = batch.single(call);
      // Nobody wants it, and nobody has said so: a map that was left early.
      if (job.settled) {
        this.#lost.has(job) ? this.#end(job) : batch.clear(call);
        continue;
      }
      this.#loseOne(job, loss, [{ batch, call }], counts);
    }
    this.#look(batch);
    return loss;
  }

  /** A call may have been begun, and is to be made again if it may be. */
  #loseOne(
    job: Job,
    { again, failed }: Loss,
    places: Lost["places"],
    counts = false,
  ): void {
    const lost = this.#lost.get(job) ?? { losses: 0, places };
    this.#lost.set(job, lost);
    if (counts) lost.losses++;
    if (lost.losses >= this.#maxDeliveries || this.#maxDeliveries === 1) {
      this.#end(job);
      failed.push(job);
    } else {
      job.holder = this.#limbo;
      again.push(job);
    }
  }

  /** Everything is given up: returns what no node has been told to begin, and what may have been begun. */
  takeAll(): { sent: Job[]; begun: Job[] } {
    const sent: Job[] = [];
    const begun: Job[] = [];
    for (const batch of this.inState(SENT)) sent.push(...this.recall(batch));
    for (const batch of this.inState(TAKEN)) {
      for (const call of batch.open) {
        const job = batch.single(call);
        if (this.#lost.has(job)) this.#end(job);
        else batch.clear(call);
        begun.push(job);
      }
      this.#look(batch);
    }
    return { sent, begun };
  }

  /** A job that waits in the queue, or was about to be sent, is given up. */
  forget(job: Job): void {
    this.#end(job);
  }

  withdraw(batch: Batch, job: Job): Job | undefined {
    if (batch.state !== SENT || this.#lost.has(job)) return undefined;
    this.#takeOut(batch, batch.callsOf((one) => one === job));
    return job;
  }

  unwanted(
    batch: Batch,
    job: Job,
    reason?: CancelledError | TimeoutError,
  ): void {
    const calls = batch.callsOf((one) => one === job);
    if (calls.length === 0) return;
    const { holder } = batch;
    if (batch.state === TAKEN) {
      // The node gives back what it has not begun.
      if (reason === undefined) return this.#owner.unread(holder!, calls);
      this.#owner.stop(holder!, batch, calls);
    }
    if (this.#lost.has(job)) return this.#end(job);
    for (const call of calls) batch.clear(call);
    this.#look(batch);
  }

  /** A call that was lost has an outcome, or is not wanted, wherever it is. */
  #end(job: Job): void {
    const { places } = this.#lost.get(job) ?? { places: [] };
    this.#lost.delete(job);
    this.#ended.add(job);
    for (const { batch, call } of places) {
      batch.clear(call);
      this.#look(batch);
    }
  }

  #takeOut(batch: Batch, calls: readonly number[]): Job[] {
    const jobs = batch.extract(calls);
    for (const job of jobs) {
      const lost = this.#lost.get(job);
      job.holder = lost && this.#limbo;
      if (lost === undefined) continue;
      lost.places = lost.places.filter((place) => place.batch !== batch);
      // The queue drops what nobody wants, without a word.
      if (job.settled) this.#end(job);
    }
    this.#look(batch);
    return jobs;
  }

  #look(batch: Batch): void {
    if (batch.left > 0 || batch.state === OVER) return;
    if (batch.state < LOST) this.underway--;
    batch.state = OVER;
    this.#batches.delete(batch.id);
    this.#owner.over(batch);
  }
}

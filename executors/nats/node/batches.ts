/**
 * The batches that a node has, and what each of them asks of the node.
 *
 * @module
 */

import { type NatsConnection, nuid } from "@nats-io/nats-core";
import type { Executor } from "../../executor.ts";
import type { AnyFunction } from "../../task.ts";
import {
  type Code,
  decodeMessage,
  type Go,
  type MessageOf,
  type Read,
  type Returned,
} from "../messages.ts";
import { BUNDLES, type LargeValue } from "../parts.ts";
import type { Subjects } from "../subjects.ts";
import { MAX_VALUE_BYTES } from "../values.ts";
import { Batch, type BatchHost } from "./batch.ts";
import type { Clients } from "./clients.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Delivery } from "./pulls.ts";

/** What a message takes beside its values, at most: subject, headers, head. */
const AROUND_BYTES = 2 ** 13;

/**
 * So many batches whose calls have ended are here for each worker at most:
 * outcomes that cannot be stored must not fill the memory.
 */
const MAX_UNTOLD = 4;

/**
 * A client that does not answer for so long does something else, or is stopped:
 * its batches keep no worker from others, up to a number for each worker.
 */
const SILENT_MS = 250;
const MAX_UNANSWERED = 32;

/**
 * After a batch that has taken less than this, another is already here for each
 * worker, so that workers do not wait for the server and the client between
 * them. Behind one that takes longer, a batch is given back after so long:
 * another node may have nothing to do.
 */
const BRISK_MS = 25;
const LONG_MS = 100;

/** Of shorter batches more are here: as many as take this together, up to a number. */
const AHEAD_MS = 5;
const MOST_AHEAD = 8;

/** Where functions come from. */
export interface Functions {
  /**
   * Finds a function.
   *
   * @param code What the client says of it.
   * @param read Reads the bytes of a bundle.
   */
  find(
    code: Code,
    read: (large: LargeValue) => Promise<Uint8Array>,
  ): Promise<AnyFunction>;
}

/** Hears what becomes of batches. */
export interface BatchesListener {
  /** Workers have become free, or a batch is over. */
  changed(): void;
  /** More batches may have been asked for than there should be now. */
  expectsLong(): void;
  /** The executor takes no calls any more. */
  broken(error: unknown): void;
}

/** See above. */
export class Batches implements BatchHost {
  readonly executor: Executor;
  leaving = false;
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #functions: Functions;
  readonly #dialogue: Dialogue;
  readonly #clients: Clients;
  readonly #listener: BatchesListener;
  /** By the subjects of their messages. */
  readonly #batches = new Map<string, Batch>();
  readonly #tickets = new Map<string, Batch>();
  /** Those with calls that have not ended, in order: as many as there are workers are at work, others are behind. */
  readonly #busy = new Set<Batch>();
  /** Those whose clients have not answered for long: others do not wait for them. */
  readonly #unanswered = new Set<Batch>();
  /** How many batches with calls that have not ended are to be here for each worker. */
  #perWorker = 1;
  /** What can be acknowledged as soon as it is known that it is of the server's present stream. */
  #done: Delivery[] | undefined;

  constructor(
    nats: NatsConnection,
    subjects: Subjects,
    executor: Executor,
    functions: Functions,
    dialogue: Dialogue,
    clients: Clients,
    listener: BatchesListener,
  ) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.executor = executor;
    this.#functions = functions;
    this.#dialogue = dialogue;
    this.#clients = clients;
    this.#listener = listener;
  }

  /** How many there are. */
  get size(): number {
    return this.#batches.size;
  }

  /** How many batches can be asked for. */
  get free(): number {
    const { maxWorkers } = this.executor;
    return Math.min(
      maxWorkers * this.#perWorker - this.#busy.size,
      maxWorkers * (this.#perWorker + MAX_UNTOLD) - this.#batches.size +
        Math.min(this.#unanswered.size, maxWorkers * MAX_UNANSWERED),
    );
  }

  /** How many workers have something to do. */
  get busyWorkers(): number {
    let calls = 0;
    for (const { open } of this.#batches.values()) calls += open;
    return Math.min(this.executor.maxWorkers, calls);
  }

  get share(): number {
    return Math.max(
      1,
      this.executor.maxWorkers / Math.max(1, this.#busy.size),
    );
  }

  get room(): number {
    const most = (this.#nats.info?.max_payload ?? 0) - AROUND_BYTES;
    return Math.min(MAX_VALUE_BYTES, most);
  }

  /** A message of the stream of tasks has come. */
  came(delivery: Delivery): void {
    const known = this.#batches.get(delivery.subject);
    if (known !== undefined) known.deliveries.push(delivery);
    else if (this.leaving) delivery.refuse();
    else this.#begin(delivery);
    this.#listener.changed();
  }

  /** The server is told that the node is at all of them. */
  working(): void {
    for (const { deliveries } of this.#batches.values()) {
      for (const delivery of deliveries) delivery.working();
    }
  }

  /** Nothing may be acknowledged: the connection is lost, and who knows what comes; or the node has ended, and leaves what it has to others. */
  disconnected(): void {
    this.#done ??= [];
  }

  /**
   * The stream of tasks is there.
   *
   * @param kept Whether it is the one that was there before. If not, its
   * messages have the numbers of others, which are not to be acknowledged.
   */
  connected(kept: boolean): void {
    const done = this.#done ?? [];
    this.#done = undefined;
    if (kept) {
      for (const delivery of done) delivery.acknowledge();
    } else {
      for (const { deliveries } of this.#batches.values()) {
        deliveries.length = 0;
      }
    }
  }

  /** What of a client is here. */
  held(client: string): MessageOf<"holds">["tickets"] {
    return [...this.#tickets].flatMap(([ticket, { run }]) =>
      run.client === client ? [{ ticket, batch: run.batch }] : []
    );
  }

  /** The client does not want these calls any more; false if nothing is known of the ticket. */
  stop({ ticket, calls, why }: MessageOf<"stop">): boolean {
    const batch = this.#tickets.get(ticket);
    if (why === "unread") batch?.giveBack(calls);
    else batch?.stop(calls);
    return batch !== undefined;
  }

  /** A client is gone, and wants nothing of this any more. */
  abandon(client: string): void {
    for (const batch of this.#of(client)) batch.abandon();
  }

  /** Gives back all calls that have not been entered. */
  giveBack(): void {
    for (const batch of [...this.#batches.values()]) batch.giveBack();
  }

  /** Gives back all calls; returns how many of them had been entered, or may have been. */
  giveUp(): number {
    let calls = 0;
    for (const batch of [...this.#batches.values()]) calls += batch.giveUp();
    return calls;
  }

  take(batch: Batch): Promise<Go | undefined> {
    return this.#dialogue.take(batch);
  }

  taken(batch: Batch): void {
    this.#tickets.set(batch.ticket!, batch);
  }

  back(
    batch: Batch,
    calls: readonly number[],
    why: Returned,
  ): Promise<void> {
    return this.#dialogue.back(batch, calls, why);
  }

  find(batch: Batch): Promise<AnyFunction> {
    const read = (large: LargeValue) =>
      this.#dialogue.read(batch, BUNDLES, large);
    return this.#functions.find(batch.run.code, read);
  }

  read(batch: Batch, large: LargeValue): Promise<Uint8Array> {
    return this.#dialogue.read(batch, batch.run.batch, large);
  }

  store(batch: Batch, bytes: Uint8Array): Promise<LargeValue | undefined> {
    return this.#dialogue.store(batch, nuid.next(), bytes);
  }

  report(batch: Batch, message: Uint8Array): Promise<void> {
    return this.#dialogue.report(batch, message);
  }

  publish(batch: Batch, message: Uint8Array, id: string): Promise<void> {
    return this.#dialogue.publish(batch, message, id);
  }

  broken(error: unknown): void {
    this.#listener.broken(error);
  }

  freed(batch: Batch): void {
    if (!this.#busy.has(batch)) return;
    const { worked } = batch;
    // One of which no call has ended, as it was given back, tells nothing.
    if (worked !== undefined) {
      const ahead = Math.min(Math.floor(AHEAD_MS / worked), MOST_AHEAD);
      this.#perWorker = worked < BRISK_MS ? Math.max(ahead, 2) : 1;
    }
    this.#pass(batch);
    this.#listener.changed();
  }

  unanswered(batch: Batch): void {
    if (!this.#busy.has(batch)) return;
    this.#unanswered.add(batch);
    this.#pass(batch);
    this.#listener.changed();
  }

  answered(batch: Batch): void {
    if (!this.#unanswered.delete(batch)) return;
    this.#busy.add(batch);
    if (this.#busy.size <= this.executor.maxWorkers) batch.turn();
  }

  waitedLong(batch: Batch): void {
    this.#expectLong();
    batch.giveBack();
  }

  /** Nothing is here: what comes next may take long, whatever came before. */
  rest(): void {
    if (this.#busy.size === 0) this.#expectLong();
  }

  /** No more batches are to be here than workers are free, nor asked for. */
  #expectLong(): void {
    if (this.#perWorker === 1) return;
    this.#perWorker = 1;
    this.#listener.expectsLong();
  }

  /** A batch is not at work any more: the next has its turn. */
  #pass(batch: Batch): void {
    this.#busy.delete(batch);
    const { maxWorkers } = this.executor;
    let place = 0;
    for (const next of this.#busy) {
      if (++place > maxWorkers) return;
      next.turn();
    }
  }

  over(batch: Batch): void {
    const { run, ticket, deliveries } = batch;
    this.#batches.delete(this.#subjects.task(run.client, run.batch));
    if (ticket !== undefined && this.#tickets.get(ticket) === batch) {
      this.#tickets.delete(ticket);
    }
    this.#unanswered.delete(batch);
    if (!batch.isGoingOn) this.#pass(batch);
    for (const delivery of deliveries) this.#acknowledge(delivery);
    this.#listener.changed();
  }

  #begin(delivery: Delivery): void {
    const read = this.#read(delivery);
    // To refuse it would have it come again, for ever.
    if (read === undefined) return this.#acknowledge(delivery);
    const { head, blocks } = read;
    const batch = new Batch(head, blocks, delivery, this);
    this.#batches.set(delivery.subject, batch);
    this.#busy.add(batch);
    this.#clients.add(head.client, head.batch);
    if (this.#busy.size <= this.executor.maxWorkers) batch.turn();
    batch.start(SILENT_MS, LONG_MS);
  }

  /** Reads a message, if it is one. */
  #read({ subject, data }: Delivery): Read<"run"> | undefined {
    try {
      const read = decodeMessage(data, "run");
      const { client, batch, timeout } = read.head;
      const isWhole = subject === this.#subjects.task(client, batch) &&
        timeout !== 0;
      return isWhole ? read : undefined;
    } catch {
      return undefined;
    }
  }

  #acknowledge(delivery: Delivery): void {
    if (this.#done === undefined) delivery.acknowledge();
    else this.#done.push(delivery);
  }

  #of(client: string): Batch[] {
    return [...this.#batches.values()]
      .filter(({ run }) => run.client === client);
  }
}

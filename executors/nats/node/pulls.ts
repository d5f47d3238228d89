/**
 * How calls come to a node: a request for one message is out for each place that
 * the node has for a batch; batches.ts knows how many that are.
 *
 * ```text
 * ask(n) ── n requests ──► the consumer of all nodes
 *                            │
 * came()    ◄── a message ───┤
 * expired() ◄── none came ───┤
 * lost()    ◄── not there ───┘
 * ```
 *
 * The library can do this too, but leaves open whether a request that was given
 * up has a message coming; such a message would wait for `ACK_WAIT_MS`.
 *
 * @module
 */

import {
  createInbox,
  type Msg,
  type NatsConnection,
  type Subscription,
} from "@nats-io/nats-core";
import { monotonicTime } from "../../runtime/clock.ts";
import { NODES, type Subjects } from "../subjects.ts";

/** After so long the server gives up a request. */
const EXPIRES_MS = 10_000;

/** After so long without a word, the server does not know of a request any more. */
const FORGOTTEN_MS = EXPIRES_MS + 5000;

/** The server counts in nanoseconds. */
const MS = 1_000_000;

/** What the server says if no message came while it kept the request. */
const TIMED_OUT = 408;

/** What it says of a request if too many nodes wait; the code is that of a consumer that is gone. */
const TOO_MANY = "Exceeded MaxWaiting";

/** Hears what comes of requests. */
export interface PullListener {
  /** A message came. */
  came(delivery: Delivery): void;
  /** A request has ended without a message. */
  expired(): void;
  /** There is nothing to pull from. */
  lost(): void;
}

/** A message of the stream of tasks, as the server has handed it to this node. */
export class Delivery {
  readonly #message: Msg;

  constructor(message: Msg) {
    this.#message = message;
  }

  /** Under which subject it was published. */
  get subject(): string {
    return this.#message.subject;
  }

  /** What is in it. */
  get data(): Uint8Array {
    return this.#message.data;
  }

  /** The node is at it: the server gives it to no other. */
  working(): void {
    this.#message.respond("+WPI");
  }

  /** It is done with: the server deletes it. */
  acknowledge(): void {
    this.#message.respond("+ACK");
  }

  /** The node does not want it: the server gives it to another. */
  refuse(): void {
    this.#message.respond("-NAK");
  }
}

/** The requests of one node. */
export class Pulls {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #listener: PullListener;
  readonly #next: string;
  readonly #acknowledgements: string;
  #inbox = "";
  #subscription: Subscription | undefined;
  #count = 0;
  /** When each request was sent, by its subject, the oldest first. */
  readonly #out = new Map<string, number>();

  constructor(
    nats: NatsConnection,
    subjects: Subjects,
    listener: PullListener,
  ) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#listener = listener;
    this.#next = `$JS.API.CONSUMER.MSG.NEXT.${subjects.tasks}.${NODES}`;
    this.#acknowledgements = `.${subjects.tasks}.${NODES}.`;
  }

  /** How many requests are out. */
  get out(): number {
    return this.#out.size;
  }

  /**
   * Forgets all requests: the connection is another, or the consumer is. What
   * may still come of them comes to nobody, and the server sees that.
   */
  renew(): void {
    this.#subscription?.unsubscribe();
    this.#listen();
  }

  /** Takes all requests back; what was on its way before the server knows that still comes. */
  withdraw(): void {
    if (this.#out.size === 0) return;
    const withdrawn = this.#subscription;
    this.#listen();
    withdrawn?.drain().catch(() => {});
  }

  #listen(): void {
    this.#out.clear();
    const inbox = createInbox(this.#subjects.inbox("node"));
    this.#inbox = inbox;
    this.#subscription = this.#nats.subscribe(`${inbox}.*`, {
      callback: (error, message) =>
        this.#hear(error, message, inbox === this.#inbox),
    });
  }

  /** Sends requests. */
  ask(count: number): void {
    const request = JSON.stringify({ batch: 1, expires: EXPIRES_MS * MS });
    for (let i = 0; i < count; i++) {
      const reply = `${this.#inbox}.${this.#count++}`;
      this.#out.set(reply, monotonicTime());
      this.#nats.publish(this.#next, request, { reply });
    }
  }

  /** Forgets requests that the server must have forgotten. */
  sweep(): void {
    const oldest = monotonicTime() - FORGOTTEN_MS;
    for (const [reply, sent] of this.#out) {
      if (sent < oldest) this.#out.delete(reply);
    }
  }

  /** Asks for nothing more; resolves when all that was on its way has come. */
  async stop(): Promise<void> {
    this.#out.clear();
    await this.#subscription?.drain();
  }

  #hear(error: Error | null, message: Msg, isPresent: boolean): void {
    if (error !== null) return this.#listener.lost();
    const { reply, subject, headers } = message;
    if (
      reply?.startsWith("$JS.ACK.") && reply.includes(this.#acknowledgements)
    ) {
      // It does not say to which request it belongs; the server takes the oldest.
      const [oldest] = this.#out.keys();
      if (isPresent && oldest !== undefined) this.#out.delete(oldest);
      return this.#listener.came(new Delivery(message));
    }
    if (!headers?.code || !this.#out.delete(subject)) return;
    if (headers.code === TIMED_OUT) this.#listener.expired();
    // It has no more room for requests: there is another time.
    else if (!headers.description.includes(TOO_MANY)) this.#listener.lost();
  }
}

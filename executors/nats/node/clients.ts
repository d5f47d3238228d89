/**
 * Which clients are there, as a node sees it: the server says at once that
 * nobody listens where a client should, but may say so of one that is on its
 * way back.
 *
 * ```text
 *            nobody there        again, GONE_MS later
 * present ────────────────► missed ────────────────► gone
 *    ▲                        │
 *    └── a word, or a silence ┘
 * ```
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";

/** A client that says nothing for so long is asked; one that has calls at a node asks that twice a second. */
const QUIET_MS = 1500;

/**
 * So long nobody has to be there before a client counts as gone; and so long
 * after this node's own reconnection, as others come back later.
 */
const GONE_MS = 5000;

/**
 * So long a client is asked whether it is there after the last of its batches
 * here: until then it may not have read, or deleted, what was stored for it.
 */
const LINGER_MS = 10_000;

/** So long a client that was gone is known to be. */
const REMEMBERED_MS = 60_000;

/** What is known of one client. */
interface Presence {
  heard: number;
  /** Since when nobody listens. */
  missed: number | undefined;
  /** The newest of its batches here, by which it is asked. */
  batch: string;
  /** Until when it is asked; for ever while it has batches here. */
  until: number;
}

/** The clients that have something at one node, or had until just now. */
export class Clients {
  readonly #clients = new Map<string, Presence>();
  readonly #gone: (client: string) => void;
  /** Those that were gone, and when. What is left of them may still come. */
  readonly #departed = new Map<string, number>();
  #connected = -Infinity;

  /** Tells which clients are gone, each once. */
  constructor(gone: (client: string) => void) {
    this.#gone = gone;
  }

  /** This node is connected again. */
  connected(): void {
    this.#connected = monotonicTime();
    for (const presence of this.#clients.values()) presence.missed = undefined;
  }

  /** A client has a batch here from now on. */
  add(client: string, batch: string): void {
    const presence = this.#clients.get(client);
    if (presence !== undefined) {
      presence.batch = batch;
      presence.until = Infinity;
      return;
    }
    const missed = this.#departed.get(client);
    const heard = monotonicTime();
    this.#clients.set(client, { heard, missed, batch, until: Infinity });
  }

  /** A client has said something, or at least it listens. */
  heard(client: string): void {
    const presence = this.#clients.get(client);
    if (presence === undefined) return;
    presence.heard = monotonicTime();
    presence.missed = undefined;
    this.#departed.delete(client);
  }

  /** Nobody listens where this client should. */
  missed(client: string): void {
    const presence = this.#clients.get(client);
    const now = monotonicTime();
    if (presence === undefined || now - this.#connected < GONE_MS) return;
    presence.missed ??= now;
    if (now - presence.missed < GONE_MS) return;
    this.#clients.delete(client);
    this.#remember(client, presence.missed);
    this.#gone(client);
  }

  /** No batch of this client is here any more. */
  rest(client: string): void {
    const presence = this.#clients.get(client);
    if (presence !== undefined) presence.until = monotonicTime() + LINGER_MS;
  }

  #remember(client: string, missed: number): void {
    const oldest = missed - REMEMBERED_MS;
    for (const [other, missed] of this.#departed) {
      if (missed < oldest) this.#departed.delete(other);
    }
    this.#departed.set(client, missed);
  }

  /** Whom to ask whether they are there, each with the name of a batch. */
  get quiet(): [client: string, batch: string][] {
    const now = monotonicTime();
    const quiet: [string, string][] = [];
    for (const [client, { heard, missed, batch, until }] of this.#clients) {
      if (now > until && missed === undefined) this.#clients.delete(client);
      else if (now - heard >= QUIET_MS) quiet.push([client, batch]);
    }
    return quiet;
  }
}

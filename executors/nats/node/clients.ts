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
 * A node knows each client that it has heard, or the values of which are with
 * the server: one that is killed may have stored something for calls that it has
 * never sent.
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

/** So long a client that was gone is known to be. */
const REMEMBERED_MS = 60_000;

/** By this name a client without a batch here is asked: it has no such batch. */
const NO_BATCH = "-";

/** What is known of one client. */
interface Presence {
  heard: number;
  /** Since when nobody listens. */
  missed: number | undefined;
  /** The newest of its batches here, by which it is asked. */
  batch: string;
}

/** The clients that are there, as far as one node knows. */
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

  /** A client has said something of its own accord. */
  greeted(client: string): void {
    this.add(client);
    this.heard(client);
  }

  /** A client is there, or was: it has a batch here, or values with the server. */
  add(client: string, batch: string = NO_BATCH): void {
    const presence = this.#clients.get(client);
    if (presence !== undefined) {
      if (batch !== NO_BATCH) presence.batch = batch;
      return;
    }
    const missed = this.#departed.get(client);
    this.#clients.set(client, { heard: monotonicTime(), missed, batch });
  }

  /** A client has answered, or at least it listens. */
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
    for (const [client, { heard, batch }] of this.#clients) {
      if (now - heard >= QUIET_MS) quiet.push([client, batch]);
    }
    return quiet;
  }
}

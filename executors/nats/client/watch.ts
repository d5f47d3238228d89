/**
 * Whether nodes are there, and have what they were given: asked twice a second.
 * streams.ts has what each answer means.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import { MAX_CALLS, type MessageOf } from "../messages.ts";
import { type Batch, TAKEN, type Ticket } from "./batch.ts";
import type { Ledger } from "./ledger.ts";
import type { Presence } from "./presence.ts";
import type { Sent } from "./sender.ts";
import type { HeldAnswer, Session } from "./session.ts";

/** A node that does not answer for so long is frozen, or unplugged. */
const SILENT_MS = 10_000;

/** For so long after this client's own reconnection it proves nothing that a node is not there. */
const REUNION_MS = 5000;

/** So often in a row a node has to be gone, or not to name a batch: it may just be on its way. */
const TWICE = 2;

/** So long a node is told to stop calls that it does not stop. */
const STOPPING_MS = 10_000;

/** All calls that a batch can have, for one of which nothing more is known. */
const ALL_CALLS = Array.from({ length: MAX_CALLS }, (_, call) => call);

/** Why a node is to stop. */
export type Why = MessageOf<"stop">["why"];

/** Hears what was found out. */
export interface WatchOwner {
  /** A node does not have a batch any more; `counts` if the node was lost with it. */
  lost(batch: Batch, counts: boolean): void;
}

/** One node, as far as it was asked. */
interface Asked {
  /** Whether it has not answered yet. */
  asking: boolean;
  /** When it was heard, and how often in a row nobody was there. */
  heard: number;
  nobody: number;
}

/** Calls that a node was told to stop. */
interface Stop {
  readonly holder: Ticket;
  readonly calls: Set<number>;
  readonly why: Why;
  readonly since: number;
}

/** Looks after what nodes have. */
export class Watch {
  readonly #ledger: Ledger;
  readonly #presence: Presence;
  readonly #sent: ReadonlyMap<Batch, Sent>;
  readonly #owner: WatchOwner;
  readonly #nodes = new Map<string, Asked>();
  readonly #stops = new Map<string, Stop>();
  #reconnected = -Infinity;
  /** Which connection it is: what was asked by an older one means nothing. */
  #generation = 0;

  constructor(
    ledger: Ledger,
    presence: Presence,
    sent: ReadonlyMap<Batch, Sent>,
    owner: WatchOwner,
  ) {
    this.#ledger = ledger;
    this.#presence = presence;
    this.#sent = sent;
    this.#owner = owner;
  }

  /** Whether a node was told to stop something, and has not said that it has. */
  get isStopping(): boolean {
    return this.#stops.size > 0;
  }

  /** The connection was lost, or this program could do nothing for long: what was asked before means nothing. */
  forgetAnswers(): void {
    this.#generation++;
    this.#nodes.clear();
  }

  /** It is back. */
  reconnected(): void {
    this.forgetAnswers();
    this.#reconnected = monotonicTime();
    for (const sent of this.#sent.values()) sent.missing = 0;
  }

  /** A node is to stop calls: told now, and again until it does not have them any more. */
  stop(
    session: Session | undefined,
    holder: Ticket,
    calls: readonly number[],
    why: Why,
  ): void {
    const since = monotonicTime();
    const { ticket, node } = holder;
    const known = this.#stops.get(ticket) ??
      { holder, calls: new Set(), why, since };
    for (const call of calls) known.calls.add(call);
    this.#stops.set(ticket, known);
    session?.stop(node, ticket, inOrder(calls), why);
  }

  /** Asks all nodes, those that have not answered the last question excepted. */
  look(session: Session): void {
    const now = monotonicTime();
    for (const [ticket, { since }] of this.#stops) {
      if (now - since > STOPPING_MS) this.#stops.delete(ticket);
    }
    const nodes = this.#ledger.nodes;
    for (const { node } of this.#presence.since(-Infinity)) nodes.add(node);
    for (const { holder } of this.#stops.values()) nodes.add(holder.node);
    for (const node of this.#nodes.keys()) {
      if (!nodes.has(node)) this.#nodes.delete(node);
    }
    for (const node of nodes) this.#ask(session, node);
  }

  async #ask(session: Session, node: string): Promise<void> {
    const asked = this.#nodes.get(node) ??
      { asking: false, heard: monotonicTime(), nobody: 0 };
    this.#nodes.set(node, asked);
    if (asked.asking) return;
    asked.asking = true;
    const begun = monotonicTime();
    const generation = this.#generation;
    const answer = await session.held(node);
    if (generation !== this.#generation) return;
    asked.asking = false;
    const lost = this.#judge(session, node, asked, answer, begun);
    if (lost.length === 0) return;
    // What it has published before counts, and may be on its way.
    if (await session.hasResults().catch(() => true)) return;
    if (generation !== this.#generation) return;
    for (const batch of lost) {
      if (batch.state === TAKEN) {
        this.#owner.lost(batch, typeof answer === "string");
      }
    }
  }

  /** The batches that a node does not have any more, by its answer. */
  #judge(
    session: Session,
    node: string,
    asked: Asked,
    answer: HeldAnswer,
    begun: number,
  ): Batch[] {
    const now = monotonicTime();
    const batches = this.#ledger.ofNode(node).filter(({ state }) =>
      state === TAKEN
    );
    if (answer === "nobody") {
      asked.nobody++;
      const proves = asked.nobody >= TWICE &&
        now - this.#reconnected >= REUNION_MS;
      return proves ? this.#gone(node, batches) : [];
    }
    asked.nobody = 0;
    if (answer === "silence") {
      return now - asked.heard >= SILENT_MS ? this.#gone(node, batches) : [];
    }
    asked.heard = now;
    const tickets = new Map(
      answer.tickets.map(({ ticket, batch }) => [ticket, batch]),
    );
    this.#repeatStops(session, node, tickets);
    return batches.filter((batch) => {
      const sent = this.#sent.get(batch);
      // It was given away after the node was asked.
      if (sent === undefined || (sent.taken ?? Infinity) >= begun) return false;
      if (tickets.has(batch.holder!.ticket)) sent.missing = 0;
      else sent.missing++;
      return sent.missing >= TWICE;
    });
  }

  #gone(node: string, batches: Batch[]): Batch[] {
    this.#presence.gone(node);
    for (const [ticket, { holder }] of this.#stops) {
      if (holder.node === node) this.#stops.delete(ticket);
    }
    return batches;
  }

  /** Tells a node to stop what it still has, and nobody wants. */
  #repeatStops(
    session: Session,
    node: string,
    tickets: ReadonlyMap<string, string>,
  ): void {
    for (const [ticket, { holder, calls, why }] of this.#stops) {
      if (holder.node !== node) continue;
      if (tickets.has(ticket)) session.stop(node, ticket, inOrder(calls), why);
      else this.#stops.delete(ticket);
    }
    for (const [ticket, batch] of tickets) {
      if (this.#stops.has(ticket)) continue;
      if (this.#ledger.find(batch, ticket) !== undefined) continue;
      session.stop(node, ticket, ALL_CALLS, "cancelled");
    }
  }
}

function inOrder(calls: Iterable<number>): number[] {
  return [...calls].sort((a, b) => a - b);
}

/**
 * How calls get to nodes and their outcomes back, and the three streams that
 * the server keeps for that. The client alone knows what has become of a call;
 * the server's queue is the way there, not the truth.
 *
 * ## The way of a batch
 *
 * ```text
 * client                        server                          node
 *   │ run: calls ─────────────► stream of tasks                    │
 *   │                                 │ ◄── pulls, for workers that are free, or are soon
 *   │                                 └──────────────── run ─────► │
 *   │ ◄─────────────────────────── take: "may I, for this batch?" ─┤
 *   │ go: "yes, these of its calls" ─────────────────────────────► │ enters them
 *   │ ◄── report: "my calls say …" ────────────────────────────────┤
 *   │ yes ───────────────────────────────────────────────────────► │
 *   │                           stream of results ◄─ done: outcomes│
 *   │                                 │ ──── stored ─────────────► │ acknowledges run
 *   │ ◄──────────────── done ─────────┘                            │
 *   │ settles, acknowledges done                                   │
 * ```
 *
 * 1. The client takes calls of its queue, not more than about two messages for
 *    each worker that has said hello, writes their values (values.ts), and
 *    publishes `run`. Its message id, the names of client and batch, has the
 *    server store it once, however often it is published as no acknowledgement
 *    came. (The ids of a stream are those of all clients.)
 * 2. A node with a free worker pulls `run`, or one whose workers are at batches
 *    that are over soon; if they are not, it gives the calls back after 100 ms.
 *    Nothing of it is entered yet: the node asks the client, `take`, and the
 *    client answers `go` with those of its calls that are still wanted, and a
 *    ticket. From then on the calls are in this node's hands and may have been
 *    entered. So what was aborted before is not begun, a message that comes
 *    twice is entered once, and how often a call may have been begun is known
 *    to the one who counts it. If the answer is none of them, as to whoever
 *    asks for what another has, the node acknowledges `run` and forgets it. A
 *    node asks until it has an answer, and the same node is given the same one;
 *    what it has already, it does not ask for.
 * 3. The node runs the calls in its local executor, tells the server every
 *    three seconds that it is at it (`working()`), and publishes `done` with
 *    what has ended: at once when all has, else what has ended 10 ms after the
 *    first. Its message id is the ticket, which is like no other in the pool,
 *    and a number.
 *    What calls report meanwhile, it says to the client, `report`, one message
 *    at a time and again until there is an answer; each says how many reports
 *    came before, so that none is heard twice. A `done` waits until the client
 *    has heard what its calls have reported.
 * 4. When the server has stored the last `done`, the node acknowledges `run`.
 *    If that is lost, `run` comes again, and the client says "none".
 * 5. The client settles what `done` tells, acknowledges it, and purges the
 *    parts of large values of the batch once all its calls have settled.
 *
 * ## Messages by name
 *
 * | name | way | says |
 * |---|---|---|
 * | `run` | stream of tasks | client, batch, function, options of the calls, their arguments or where their parts are |
 * | `take` → `go` | node asks client | node, batch → ticket, calls that are wanted |
 * | `report` → `yes` | node asks client | ticket, how many reports came before, values that calls have reported |
 * | `done` | stream of results | ticket, batch, number, outcomes by call, or where their parts are |
 * | `back` → `yes` | node asks client | ticket, calls, why: not begun, as it drains or others are before them; unreadable, as the server has lost what they need; begun, and stopped |
 * | `stop` | client to node | ticket, call, why: aborted, out of time elsewhere, terminated, or nobody waits for it, and it is only not to be begun |
 * | `held` → names | client asks node | client → tickets and batches of that client |
 * | `who` | client to nodes | that it is there, with versions; again until a node answers |
 * | `hello` | node to clients | name, workers, how many are busy, versions; after `who`, when it changes, and every few seconds |
 *
 * Whoever reads one looks at all of it before anything is done (as
 * pool/host/validator.ts does for workers), and drops what is none.
 *
 * ## What makes a future settle, and once
 *
 * The client keeps a ledger: each batch by its name, with those of its calls
 * that have no outcome yet, the ticket and the node that has it, and how often
 * each call may have been begun and was lost. An outcome counts if its batch
 * is there, its ticket was given for that batch, and its call has none; the
 * call leaves the ledger with it. Everything else that arrives is dropped.
 * Nothing that a server or node forgets makes a call hang, as each of these
 * ends in `done`, in a refusal, or in the batch being lost:
 *
 * - not stored: published again until it is, after a reconnection with the
 *   streams made sure of first; a full stream keeps the batch with the client;
 * - stored and not taken: its sequence is asked for when the queue has stood
 *   still for 10 s, and after each reconnection; one that the server does not
 *   have, and that nobody has taken, is published again, and counts as nothing;
 * - taken: the node is asked, see below.
 *
 * A batch that is lost goes back to the queue, each call that may have been
 * begun as a batch of its own. Only if its node was lost, or silent, is there
 * one more on the count of each; a call fails with `WorkerCrashedError` when
 * that is `maxDeliveries`. (If that is 1, so does a call without an outcome that
 * its living node does not have any more: it may have been begun.) The old
 * name stays until the calls have settled: an outcome that comes late after
 * all is as good as another, and nobody gets a `go` for the new batch then.
 * What a draining node gives back, and what was stored and not taken, counts as
 * nothing; what it had begun is known to have been, and fails if `maxDeliveries`
 * is 1.
 *
 * ## How death is noticed
 *
 * Every 500 ms the client asks each node that it knows of, `held`, and the node
 * answers with the names of the batches of that client that it has.
 *
 * | answer | means | what is done |
 * |---|---|---|
 * | names | it lives | a batch missing twice, with no `done` on its way (the consumer has none pending): lost |
 * | "no responders", twice | its connection is closed | results that the server has are waited for; what is left is lost. Within 5 s of the client's own reconnection this proves nothing: others come back later |
 * | none for 10 s | frozen, or unplugged | its batches are lost |
 *
 * - A node that dies after it has pulled and before it has asked is noticed by
 *   the server: `run` comes to another node after `ack_wait`, 10 s.
 * - A node that was frozen, and goes on, still has its batches: what it says of
 *   them is used or dropped by the ledger, and the answer to its `held` tells
 *   it to stop (`stop` is repeated as long as it names what nobody wants).
 * - A node asks each client whether it is there that has said something, or the
 *   parts of which it has found as it connected, once it says nothing any more:
 *   one that is killed may have stored values of calls that it never sent.
 * - A node that hears "no responders" from a client, 5 s or more after its own
 *   reconnection, asks for 5 s more, and then the client is gone: the node stops
 *   its calls, acknowledges each `run` of it, deletes its other messages by
 *   sequence, and purges its parts. Results go with the client's consumer, see
 *   below. A client that is only slow to answer is waited for; one that comes
 *   back after that publishes again what it misses.
 * - After every reconnection both sides make sure of streams and consumers
 *   first. If the server has lost its data, the client publishes again what
 *   nobody has taken; what nodes have comes back as ever, as they publish to
 *   the new stream. What they had published before is missing in their answers
 *   to `held`, and so is lost.
 *
 * ## Who makes what
 *
 * A client makes all streams, then says `who`; a node makes the consumer that
 * nodes share as soon as there is a stream to make it of, then says `hello`, and
 * only then anything is sent. Each client makes the consumer of its results.
 * Whoever can make a stream can have it republish anything as any subject
 * of the account, so nodes may not.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { NODES, type Subjects } from "./subjects.ts";

/** The server counts in nanoseconds. */
const MS = 1_000_000;

/**
 * So much waits in each of two streams at most: the server sets it aside for
 * every pool. About 360 messages of the largest size; most have a few kB. What
 * does not fit stays where it is, and is tried again.
 */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * After this the server forgets what is left of clients and nodes that are all
 * gone. It is also what ends messages that were acknowledged, and come back
 * when the server was killed within its flush window, never to be delivered:
 * nats-server 2.9.10 has up to 300 of them.
 */
const MAX_AGE_MS = 3_600_000;

/** A message that is published again after this may be stored twice; the ledger drops one. */
const DUPLICATES_MS = 120_000;

/**
 * A message that nobody says to be working at for so long is given to another
 * node. It is the bound for a node that dies before it has asked for its
 * calls, so no longer, and nodes say so every three seconds.
 */
export const ACK_WAIT_MS = 10_000;

/** A client that has not listened for so long is gone, and its results with it. */
const CLIENT_GONE_MS = 5000;

/** So many nodes can wait for messages at a time, with as many pulls as they have free workers. */
const MAX_PULLS = 65_536;

/** What the server says of a stream that there is not. */
const NO_STREAM = 10059;

/** What the server says of a consumer that there is not. */
const NO_CONSUMER = 10014;

/** What the server says of who makes a stream that there is, made in another way by another version. */
const STREAM_IS_OTHER = 10058;

/** The streams of one pool, by one connection. */
export class Streams {
  readonly #subjects: Subjects;
  readonly #manager: JetStreamManager;
  /** When each stream was made; another time means another stream, without what was in this one. */
  readonly #created = new Map<string, string>();

  private constructor(subjects: Subjects, manager: JetStreamManager) {
    this.#subjects = subjects;
    this.#manager = manager;
  }

  /** Asks nothing of the server yet. */
  static async of(nats: NatsConnection, subjects: Subjects): Promise<Streams> {
    // Whether there is JetStream was looked at as it was connected.
    const manager = await jetstreamManager(nats, { checkAPI: false });
    return new Streams(subjects, manager);
  }

  /**
   * Client: makes sure that all streams are there; those that are stay as they
   * are, as whoever runs the server may have given them more room, or copies.
   *
   * @returns Whether all were there before, and are those that were looked at
   * before: then they have what was stored in them.
   */
  async ensure(): Promise<boolean> {
    const { tasks, results, parts, allTasks, allResults, allParts } =
      this.#subjects;
    const limits = {
      // Memory is empty after a restart of the server.
      storage: StorageType.File,
      // The oldest is what is wanted most.
      discard: DiscardPolicy.New,
      max_age: MAX_AGE_MS * MS,
      duplicate_window: DUPLICATES_MS * MS,
    };
    const kept = await Promise.all([
      this.#ensure({
        ...limits,
        name: tasks,
        subjects: [allTasks],
        retention: RetentionPolicy.Workqueue,
        max_bytes: MAX_BYTES,
      }),
      this.#ensure({
        ...limits,
        name: results,
        subjects: [allResults],
        // Kept for the consumers that there are: those of a client that is gone
        // go with its consumer. A purge by subject would not do: it makes
        // consumers of others skip what they have not read (nats-server #3838).
        retention: RetentionPolicy.Interest,
        max_bytes: MAX_BYTES,
      }),
      this.#ensure({
        ...limits,
        name: parts,
        subjects: [allParts],
        retention: RetentionPolicy.Limits,
        // They are read by their subject, without a consumer, so that
        // several nodes can, and purges disturb nobody.
        allow_direct: true,
      }),
    ]);
    return kept.every(Boolean);
  }

  /**
   * Node: makes sure of the consumer that all nodes share.
   *
   * @returns Whether it is there; not so before a client has made the streams.
   */
  async ensureNodes(): Promise<boolean> {
    return await this.#ensureConsumer(this.#subjects.tasks, {
      name: NODES,
      durable_name: NODES,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * MS,
      // With a bound, what has reached it stays in the stream, and is never
      // delivered again (nats-server #5564). The client counts.
      max_deliver: -1,
      max_ack_pending: -1,
      max_waiting: MAX_PULLS,
    });
  }

  /**
   * Client: makes sure of the consumer of its results, from which they are
   * pulled. It goes by itself when the client does.
   *
   * @returns Whether it is there; not so before a client has made the streams.
   */
  async ensureResults(client: string): Promise<boolean> {
    return await this.#ensureConsumer(this.#subjects.results, {
      name: client,
      durable_name: client,
      // One alone: several need nats-server 2.10.
      filter_subject: this.#subjects.resultsOf(client),
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * MS,
      max_deliver: -1,
      max_ack_pending: -1,
      inactive_threshold: CLIENT_GONE_MS * MS,
    });
  }

  async #ensure(
    config: Partial<StreamConfig> & { name: string },
  ): Promise<boolean> {
    const { name } = config;
    const { created } = await this.#find(name) ??
      await this.#manager.streams.add(config).catch(async (error) => {
        const other = codeOf(error) === STREAM_IS_OTHER
          ? await this.#find(name)
          : undefined;
        if (other === undefined) throw error;
        return other;
      });
    const kept = this.#created.get(name) === created;
    this.#created.set(name, created);
    return kept;
  }

  async #find(name: string): Promise<{ created: string } | undefined> {
    try {
      return await this.#manager.streams.info(name);
    } catch (error) {
      if (codeOf(error) === NO_STREAM) return undefined;
      throw error;
    }
  }

  async #ensureConsumer(
    stream: string,
    config: Partial<ConsumerConfig> & { name: string },
  ): Promise<boolean> {
    const { consumers } = this.#manager;
    try {
      // Made again, it would be changed, or refused if it cannot be.
      await consumers.info(stream, config.name).catch(async (error) => {
        if (codeOf(error) !== NO_CONSUMER) throw error;
        await consumers.add(stream, config);
      });
      return true;
    } catch (error) {
      if (codeOf(error) === NO_STREAM) return false;
      throw error;
    }
  }
}

/** What the server calls an error. */
function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/**
 * A node: takes batches of calls, and makes them in the executor of this
 * machine. streams.ts has who says what when.
 *
 * ```text
 * Pulls ── a message ──► Batches, Batch ── calls ──► LocalCalls ──► the executor
 *                           │ ▲                          │
 *          Dialogue ◄───────┘ └───────── outcomes ───────┘
 *      (take, done, back)
 * ```
 *
 * ```text
 *           drain(), or the executor is broken       nothing is left, or time is up
 * SERVING ────────────────────────────────────► LEAVING ──────────────────► ENDED
 * ```
 *
 * @module
 */

import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type Msg, type NatsConnection, nuid } from "@nats-io/nats-core";
import { BrokenExecutorError } from "../../errors.ts";
import type { Executor } from "../../executor.ts";
import { monotonicTime } from "../../runtime/clock.ts";
import { startTimer } from "../../runtime/timer.ts";
import { because } from "../../text.ts";
import { Connection } from "../connection.ts";
import type { ConnectionSettings } from "../connection_options.ts";
import { decodeMessage, encodeMessage } from "../messages.ts";
import { Parts } from "../parts.ts";
import { Requests } from "../requests.ts";
import { Streams } from "../streams.ts";
import { PROTOCOL, Subjects } from "../subjects.ts";
import { Batches, type Functions } from "./batches.ts";
import { clientsWithParts, removeClient } from "./cleanup.ts";
import { Clients } from "./clients.ts";
import { Dialogue } from "./dialogue.ts";
import { helloOf, type Identity } from "./hello.ts";
import { Pulls } from "./pulls.ts";
import { TaskStream } from "./task_stream.ts";

/** What has to be done again and again is looked at so often. */
const BEAT_MS = 500;

/** So often the server hears that the node is at its batches; see `ACK_WAIT_MS`. */
const WORKING_MS = 3000;

/** So often clients hear that the node is there. */
const HELLO_MS = 2000;

/** So long clients have, at the end, to answer what they are given back. */
const FAREWELL_MS = 5000;

/** What a node is made of. */
export interface NodeSettings {
  readonly connection: ConnectionSettings;
  readonly identity: Identity;
  /** Makes the calls; stays its giver's. */
  readonly executor: Executor;
  readonly functions: Functions;
  /** How long what runs may go on once the node leaves. */
  readonly drainTimeout: number;
}

/** What is made of one connection. */
interface Link {
  readonly nats: NatsConnection;
  readonly streams: Streams;
  readonly manager: JetStreamManager;
  readonly requests: Requests;
  readonly parts: Parts;
}

/** See above. */
export class PoolNode {
  /** Resolves when the node has ended, with how many calls had to be given back that had been begun. */
  readonly finished: Promise<{ readonly givenBack: number }>;
  /** The part of subjects by which it is spoken to. */
  readonly #id = nuid.next();
  readonly #settings: NodeSettings;
  readonly #subjects: Subjects;
  readonly #connection: Connection;
  readonly #link: Link;
  readonly #tasks: TaskStream;
  readonly #dialogue: Dialogue;
  readonly #batches: Batches;
  readonly #pulls: Pulls;
  readonly #clients = new Clients((client) => this.#clientIsGone(client));
  /** The versions of the protocol that somebody was told of. */
  readonly #warned = new Set<number>();
  #draining: Promise<void> | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #stopBeating: () => void = () => {};
  #beats = 0;
  #lastHello = { at: -Infinity, busy: 0 };
  /** Told when a batch is over. */
  #batchIsOver: () => void = () => {};
  readonly #end = Promise.withResolvers<{ readonly givenBack: number }>();

  private constructor(
    settings: NodeSettings,
    subjects: Subjects,
    connection: Connection,
    link: Link,
  ) {
    const { nats, streams, manager, requests, parts } = link;
    this.#settings = settings;
    this.#subjects = subjects;
    this.#connection = connection;
    this.#link = link;
    this.finished = this.#end.promise;
    this.#tasks = new TaskStream(streams, manager, subjects);
    this.#dialogue = new Dialogue(
      this.#id,
      requests,
      subjects,
      parts,
      this.#clients,
    );
    this.#pulls = new Pulls(nats, subjects, {
      came: (delivery) => this.#batches.came(delivery),
      expired: () => this.#pull(),
      lost: () => this.#tasksAreLost(),
    });
    this.#batches = new Batches(
      nats,
      subjects,
      settings.executor,
      settings.functions,
      this.#dialogue,
      this.#clients,
      {
        changed: () => {
          this.#pull();
          this.#batchIsOver();
        },
        expectsLong: () => {
          if (!this.#isReady) return;
          this.#pulls.withdraw();
          this.#pull();
        },
        broken: (error) => this.#fail(error),
      },
    );
  }

  /**
   * Starts a node.
   *
   * @param settings What it is made of.
   * @returns A promise of the node, once it serves.
   * @throws {BrokenExecutorError} If it cannot.
   */
  static async serve(settings: NodeSettings): Promise<PoolNode> {
    const subjects = new Subjects(settings.connection.pool);
    let node: PoolNode | undefined;
    const inbox = subjects.inbox("node");
    const connection = new Connection(settings.connection, inbox, {
      lost: (message) => {
        if (node !== undefined) node.#disconnected(message);
      },
      back: () => {
        if (node !== undefined) node.#connected();
      },
    });
    const { nats } = await connection.hold();
    try {
      const requests = new Requests(nats, inbox);
      const link = {
        nats,
        requests,
        streams: await Streams.of(nats, subjects),
        manager: await jetstreamManager(nats, { checkAPI: false }),
        parts: await Parts.of(nats, subjects, requests),
      };
      node = new PoolNode(settings, subjects, connection, link);
      await node.#listen();
      return node;
    } catch (cause) {
      if (node !== undefined) node.#stop();
      await connection.close();
      throw new BrokenExecutorError(
        `Cannot serve pool ${settings.connection.pool}${because(cause)}`,
        { cause },
      );
    }
  }

  /** Takes nothing more, gives back what has not been entered, and resolves when the node has ended. */
  drain(): Promise<void> {
    return this.#draining ??= this.#drain();
  }

  /** Hears clients, if the server lets it, and begins to serve. */
  async #listen(): Promise<void> {
    const { nats } = this.#link;
    let refusal: Error | undefined;
    const subscribe = (subject: string, hear: (message: Msg) => void) => {
      nats.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) refusal ??= error;
          else hear(message);
        },
      });
    };
    subscribe(this.#subjects.whos, (message) => this.#hearWho(message));
    subscribe(this.#subjects.node(this.#id), (message) => this.#hear(message));
    // What the server forbids, it says before it answers this.
    await nats.flush();
    if (refusal !== undefined) throw refusal;
    await this.#findTasks();
    nats.closed().then((error) => {
      if (this.#isEnded) return;
      this.#fail(error ?? new Error("The connection to NATS was closed"));
    });
    this.#beat();
  }

  get #isReady(): boolean {
    return this.#dialogue.isConnected && this.#tasks.isThere;
  }

  /** Asks for as many messages as workers are free. */
  #pull(): void {
    if (!this.#isReady || this.#batches.leaving) return;
    this.#pulls.ask(this.#batches.free - this.#pulls.out);
  }

  #hearWho({ data, subject }: Msg): void {
    try {
      const { client, protocol } = decodeMessage(data, "who").head;
      if (subject !== this.#subjects.who(client)) return;
      this.#clients.greeted(client);
      if (protocol !== PROTOCOL) {
        this.#warnOf(protocol);
        // So that the client can say the same, though there is nothing to serve.
        return this.#publishHello();
      }
    } catch {
      return;
    }
    // The client may have made the streams just now, or anew.
    this.#tryToFindTasks().then(() => this.#sayHello());
  }

  #warnOf(protocol: number): void {
    if (this.#warned.has(protocol) || this.#warned.size > 10) return;
    this.#warned.add(protocol);
    console.warn(
      `A client of pool ${this.#settings.connection.pool} speaks version ${protocol} of the protocol, this node ${PROTOCOL}: let both have one version of @concurrent/futures`,
    );
  }

  #hear(message: Msg): void {
    try {
      if (message.reply) {
        const { client } = decodeMessage(message.data, "held").head;
        this.#clients.greeted(client);
        const tickets = this.#batches.held(client);
        message.respond(encodeMessage({ type: "holds", tickets }));
        return;
      }
      const { head } = decodeMessage(message.data, "stop");
      // It may be here in the same turn as the answer with its ticket, which is
      // looked at a little later.
      if (!this.#batches.stop(head)) {
        startTimer(0, () => this.#batches.stop(head));
      }
    } catch {
      // It is no message of ours.
    }
  }

  #sayHello(): void {
    if (this.#isReady) this.#publishHello();
  }

  #publishHello(): void {
    const busy = this.#batches.busyWorkers;
    this.#lastHello = { at: monotonicTime(), busy };
    const hello = helloOf(this.#settings.identity, {
      node: this.#id,
      workers: this.#settings.executor.maxWorkers,
      busy,
      leaving: this.#batches.leaving,
    });
    this.#link.nats.publish(
      this.#subjects.hello(this.#id),
      encodeMessage(hello),
    );
  }

  #beat(): void {
    this.#stopBeating = startTimer(BEAT_MS, () => this.#beat());
    this.#beats++;
    if (!this.#dialogue.isConnected) return;
    if (!this.#isReady) this.#tryToFindTasks();
    else {
      if (this.#beats % (WORKING_MS / BEAT_MS) === 0) this.#batches.working();
      this.#pulls.sweep();
      this.#batches.rest();
      this.#pull();
      const { at, busy } = this.#lastHello;
      const isDue = monotonicTime() - at >= HELLO_MS - BEAT_MS / 2;
      if (isDue || busy !== this.#batches.busyWorkers) this.#sayHello();
    }
    for (const [client, batch] of this.#clients.quiet) {
      this.#dialogue.probe(client, batch);
    }
  }

  async #tryToFindTasks(): Promise<void> {
    // The server is away, or busy: there is another time.
    await this.#findTasks().catch(() => {});
  }

  async #findTasks(): Promise<void> {
    const found = await this.#tasks.find();
    if (found === undefined || this.#isEnded) return;
    this.#batches.connected(found === "back");
    if (this.#batches.leaving) return;
    this.#pulls.renew();
    this.#sayHello();
    this.#pull();
    this.#findClients();
  }

  /** Some may have gone while no node was there, or this one had no connection. */
  async #findClients(): Promise<void> {
    try {
      const { manager } = this.#link;
      for (const client of await clientsWithParts(manager, this.#subjects)) {
        this.#clients.add(client);
      }
    } catch {
      // The limits of the streams delete what is left.
    }
  }

  #tasksAreLost(): void {
    this.#tasks.lose();
    this.#batches.disconnected();
  }

  #disconnected(message: string): void {
    console.warn(message);
    this.#dialogue.isConnected = false;
    this.#tasksAreLost();
  }

  #connected(): void {
    console.warn(
      `The connection to NATS at ${
        this.#settings.connection.servers.join(", ")
      } is back`,
    );
    this.#dialogue.isConnected = true;
    this.#clients.connected();
    this.#tryToFindTasks();
  }

  async #clientIsGone(client: string): Promise<void> {
    this.#batches.abandon(client);
    const { manager, parts } = this.#link;
    // What cannot be deleted, the limits of the streams delete.
    await removeClient(manager, parts, this.#subjects, client).catch(() => {});
  }

  #fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#failure ??= { error };
    this.drain();
  }

  async #drain(): Promise<void> {
    this.#batches.leaving = true;
    this.#sayHello();
    const { nats } = this.#link;
    const pullsHaveEnded = this.#pulls.stop().catch(() => {});
    this.#batches.giveBack();
    const { drainTimeout } = this.#settings;
    let givenBack = 0;
    if (!await this.#isEmptyWithin(drainTimeout)) {
      givenBack = this.#batches.giveUp();
      await this.#isEmptyWithin(FAREWELL_MS);
    }
    // What is to be acknowledged, and what was refused.
    const said = pullsHaveEnded.then(() => nats.flush()).catch(() => {});
    await within(FAREWELL_MS, said);
    this.#stop();
    await this.#connection.close();
    if (this.#failure === undefined) this.#end.resolve({ givenBack });
    else this.#end.reject(this.#failure.error);
  }

  /** Waits until no batch is left, or time is up. */
  #isEmptyWithin(ms: number): Promise<boolean> {
    const empty = new Promise<void>((resolve) => {
      this.#batchIsOver = () => {
        if (this.#batches.size === 0) resolve();
      };
      this.#batchIsOver();
    });
    return within(ms, empty);
  }

  /** Does nothing by itself any more. */
  #stop(): void {
    this.#isEnded = true;
    this.#stopBeating();
    this.#batches.disconnected();
    this.#dialogue.end();
  }
}

/** Whether something comes before time is up. */
async function within(ms: number, event: Promise<void>): Promise<boolean> {
  let stop = () => {};
  const late = new Promise<false>((resolve) => {
    stop = startTimer(ms, () => resolve(false));
  });
  const isInTime = await Promise.race([event.then(() => true), late]);
  stop();
  return isInTime;
}

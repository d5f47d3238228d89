/**
 * What a client says and asks by one connection. Nothing is decided here.
 *
 * @module
 */

import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type Message,
  type MessageOf,
  type Read,
} from "../messages.ts";
import { Parts } from "../parts.ts";
import { NoAnswerError, Requests } from "../requests.ts";
import { Streams } from "../streams.ts";
import { PROTOCOL, type Subjects } from "../subjects.ts";
import { UnreadableError } from "../values.ts";
import type { Versions } from "./presence.ts";
import { Results } from "./results.ts";

/** So long an answer of a node may take; it is asked twice a second. */
const ANSWER_MS = 2000;

/** What the server has not stored after this is published again. */
const STORED_MS = 5000;

/** What the server says of a message that there is not. */
const NO_MESSAGE = 10037;

/** What comes to a client. */
export interface SessionListener {
  /** A node is there. */
  hello(hello: Hello): void;
  /** A node asks for a batch; the answer goes back. */
  take(take: MessageOf<"take">): MessageOf<"go">;
  /** A node gives calls back. */
  back(back: MessageOf<"back">): void;
  /** A node tells what calls have reported. */
  report(report: Read<"report">): void;
  /** Outcomes have come; once this is over, they need not come again. */
  done(message: Msg, session: Session): Promise<void> | void;
}

/** What a node says of what it has: everything, or that nobody is there, or nothing. */
export type HeldAnswer = MessageOf<"holds"> | "nobody" | "silence";

/** The client's side of one connection. */
export class Session {
  readonly nats: NatsConnection;
  readonly parts: Parts;
  readonly #client: string;
  readonly #subjects: Subjects;
  readonly #streams: Streams;
  readonly #requests: Requests;
  readonly #manager: JetStreamManager;
  readonly #results: Results;

  private constructor(
    nats: NatsConnection,
    requests: Requests,
    parts: Parts,
    client: string,
    subjects: Subjects,
    streams: Streams,
    manager: JetStreamManager,
    listener: SessionListener,
  ) {
    this.nats = nats;
    this.parts = parts;
    this.#client = client;
    this.#subjects = subjects;
    this.#streams = streams;
    this.#manager = manager;
    this.#requests = requests;
    this.#results = new Results(nats, subjects, client, (message) => {
      const reading = listener.done(message, this);
      if (reading === undefined) message.respond("+ACK");
      // What could not be read comes again.
      else {reading.then(() => "+ACK", () => "-NAK").then((answer) => {
          if (!nats.isClosed()) message.respond(answer);
        });}
    });
    this.#listen(subjects.hellos, (message) => {
      listener.hello(decodeMessage(message.data, "hello").head);
    });
    this.#listen(subjects.client(client), (message) => {
      message.respond(encodeMessage(answer(message.data, listener)));
    });
  }

  /** Listens; nothing is asked of the server before {@linkcode Session.ensure}. */
  static async open(
    nats: NatsConnection,
    client: string,
    subjects: Subjects,
    listener: SessionListener,
  ): Promise<Session> {
    const requests = new Requests(nats, subjects.inbox("client"));
    return new Session(
      nats,
      requests,
      await Parts.of(nats, subjects, requests),
      client,
      subjects,
      await Streams.of(nats, subjects),
      await jetstreamManager(nats, { checkAPI: false }),
      listener,
    );
  }

  /**
   * Makes sure of the streams and of what results come by.
   *
   * @returns Whether the streams have all that was stored in them before.
   */
  async ensure(): Promise<boolean> {
    const kept = await this.#streams.ensure();
    await this.#streams.ensureResults(this.#client);
    this.#results.pull();
    return kept;
  }

  /** Whether what was made sure of is there no more: a client that could do nothing for long has no consumer. */
  get isRefused(): boolean {
    return this.#results.isRefused;
  }

  /** Asks who is there. */
  who(versions: Versions): void {
    this.#say(this.#subjects.who(this.#client), {
      type: "who",
      client: this.#client,
      protocol: PROTOCOL,
      ...versions,
    });
  }

  /**
   * Publishes a batch, however often: it is stored once.
   *
   * @returns Its number in the stream.
   */
  async run(batch: string, message: Uint8Array): Promise<number> {
    try {
      return await this.#requests.store(
        this.#subjects.task(this.#client, batch),
        message,
        STORED_MS,
        `${this.#client}-${batch}`,
      );
    } catch (error) {
      // A stream that is full says so; one that says nothing may be gone.
      if (!(error instanceof JetStreamApiError)) this.#results.refuse();
      throw error;
    }
  }

  /** Whether a batch that was stored is still there. */
  async has(batch: string, seq: number): Promise<boolean> {
    try {
      const message = await this.#manager.streams.getMessage(
        this.#subjects.tasks,
        { seq },
      );
      return message?.subject === this.#subjects.task(this.#client, batch);
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === NO_MESSAGE) {
        return false;
      }
      throw error;
    }
  }

  /** A batch that was stored is not wanted any more. */
  async withdraw(seq: number): Promise<void> {
    await this.#manager.streams.deleteMessage(this.#subjects.tasks, seq, false);
  }

  /** No value of a batch is needed any more. */
  async dropParts(batch: string): Promise<void> {
    await this.parts.dropBatch(this.#client, batch);
  }

  /** Asks a node what it has of this client. */
  async held(node: string): Promise<HeldAnswer> {
    try {
      const { data } = await this.#requests.ask(
        this.#subjects.node(node),
        encodeMessage({ type: "held", client: this.#client }),
        ANSWER_MS,
      );
      return decodeMessage(data, "holds").head;
    } catch (error) {
      return error instanceof NoAnswerError && error.isNobody
        ? "nobody"
        : "silence";
    }
  }

  /** Tells a node that calls are not wanted. */
  stop(
    node: string,
    ticket: string,
    calls: readonly number[],
    why: MessageOf<"stop">["why"],
  ): void {
    this.#say(this.#subjects.node(node), { type: "stop", ticket, calls, why });
  }

  /** Whether the server has results that have not come, or have not been acknowledged. */
  async hasResults(): Promise<boolean> {
    try {
      const { num_pending, num_ack_pending } = await this.#manager.consumers
        .info(this.#subjects.results, this.#client);
      return num_pending + num_ack_pending > 0;
    } catch (error) {
      // The consumer is gone, or its stream.
      if (error instanceof JetStreamApiError) this.#results.refuse();
      throw error;
    }
  }

  /** Takes everything of this client from the server, once it has all that was said. */
  async leave(hasParts: boolean): Promise<void> {
    const { results } = this.#subjects;
    await Promise.allSettled([
      this.#manager.consumers.delete(results, this.#client),
      hasParts ? this.parts.dropClient(this.#client) : undefined,
    ]);
    await this.nats.flush();
  }

  #say(subject: string, message: Message): void {
    if (!this.nats.isClosed()) {
      this.nats.publish(subject, encodeMessage(message));
    }
  }

  #listen(subject: string, hear: (message: Msg) => void): void {
    this.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          hear(message);
        } catch (error) {
          // It is no message of ours, and none of those we know is like it.
          if (!(error instanceof UnreadableError)) throw error;
        }
      },
    });
  }
}

/** The answer to a node, once what it says was heard. */
function answer(said: Uint8Array, listener: SessionListener): Message {
  const { head, blocks } = decodeMessage(said, "take", "back", "report");
  switch (head.type) {
    case "take":
      return listener.take(head);
    case "back":
      listener.back(head);
      break;
    case "report":
      listener.report({ head, blocks });
      break;
    default:
      head satisfies never;
  }
  return { type: "yes" };
}

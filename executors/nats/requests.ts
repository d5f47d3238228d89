/**
 * Questions over one connection, and their answers; publishing into a stream is
 * a question too, the answer to which is where the message is stored.
 *
 * ```text
 * ask(), store() ── to: question, reply: inbox.7 ──► somebody
 *    ▲                                                  │
 *    └── waiting: 7 ◄────────────────── inbox.7 ◄───────┘
 * ```
 *
 * The library can do this too, but makes an error with a stack and a timer for
 * each question, the answered ones too: with three questions for each batch,
 * that is a tenth of what a batch of tiny calls costs.
 *
 * @module
 */

import { JetStreamApiError } from "@nats-io/jetstream";
import {
  createInbox,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
} from "@nats-io/nats-core";
import { monotonicTime } from "../runtime/clock.ts";
import { startTimer } from "../runtime/timer.ts";

/** How often it is looked whether time is up. */
const LOOK_MS = 250;

/** What the server says where nobody listens. */
const NOBODY = 503;

/** Where a message has its name, by which the server drops it if it comes again. */
const NAME = "Nats-Msg-Id";

/** There is no answer. */
export class NoAnswerError extends Error {
  /** Whether nobody is there who could answer. */
  readonly isNobody: boolean;

  constructor(message: string, isNobody = false) {
    super(message);
    this.isNobody = isNobody;
  }
}

/** Somebody who waits for an answer, and until when. */
interface Waiting {
  readonly due: number;
  resolve(answer: Msg): void;
  reject(error: Error): void;
}

/** What the server answers to whoever has published into a stream. */
interface Stored {
  readonly seq?: unknown;
  readonly error?: ConstructorParameters<typeof JetStreamApiError>[0];
}

/** See above. */
export class Requests {
  readonly #nats: NatsConnection;
  readonly #inbox: string;
  /** By the last part of the subject of the answer, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #stopLooking: (() => void) | undefined;

  /**
   * Asks nothing yet.
   *
   * @param nats The connection.
   * @param prefix What the subjects of answers begin with.
   */
  constructor(nats: NatsConnection, prefix: string) {
    this.#nats = nats;
    this.#inbox = createInbox(prefix);
    const at = this.#inbox.length + 1;
    nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, answer) => {
        if (error === null) this.#hear(answer.subject.slice(at), answer);
      },
    });
    this.#watch();
  }

  /**
   * Asks.
   *
   * @param subject Whom.
   * @param question What.
   * @param ms For how long to wait for an answer.
   * @throws {NoAnswerError} If there is none, or the connection is lost before.
   */
  ask(subject: string, question: Uint8Array, ms: number): Promise<Msg> {
    return this.#ask(subject, question, ms, undefined);
  }

  /**
   * Publishes into a stream.
   *
   * @param subject A subject of the stream.
   * @param message What to store.
   * @param ms For how long to wait until it is stored.
   * @param name What the message is called, if it may be published again: of
   * several with one name, one is stored.
   * @returns Its number in the stream.
   * @throws {NoAnswerError} If it may not be stored.
   * @throws {JetStreamApiError} If the server says why it is not.
   */
  async store(
    subject: string,
    message: Uint8Array,
    ms: number,
    name?: string,
  ): Promise<number> {
    let about: MsgHdrs | undefined;
    if (name !== undefined) (about = headers()).set(NAME, name);
    const answer = (await this.#ask(subject, message, ms, about))
      .json<Stored>();
    if (answer.error !== undefined) throw new JetStreamApiError(answer.error);
    if (Number.isSafeInteger(answer.seq)) return answer.seq as number;
    throw new NoAnswerError(`What took ${subject} is no stream`);
  }

  #ask(
    subject: string,
    data: Uint8Array,
    ms: number,
    about: MsgHdrs | undefined,
  ): Promise<Msg> {
    const id = `${this.#count++}`;
    return new Promise((resolve, reject) => {
      const reply = `${this.#inbox}.${id}`;
      const options = about === undefined
        ? { reply }
        : { reply, headers: about };
      this.#nats.publish(subject, data, options);
      this.#waiting.set(id, { due: monotonicTime() + ms, resolve, reject });
      this.#look();
    });
  }

  #hear(id: string, answer: Msg): void {
    const waiting = this.#take(id);
    if (answer.headers?.code !== NOBODY) waiting?.resolve(answer);
    else waiting?.reject(new NoAnswerError("Nobody is there to answer", true));
  }

  /** Takes somebody out of those who wait; without them, there is nothing to look at. */
  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) {
      this.#stopLooking?.();
      this.#stopLooking = undefined;
    }
    return waiting;
  }

  /** Looks again and again whether time is up, while somebody waits. */
  #look(): void {
    this.#stopLooking ??= startTimer(LOOK_MS, () => {
      this.#stopLooking = undefined;
      const now = monotonicTime();
      this.#fail("No answer in time", ({ due }) => due < now);
      if (this.#waiting.size > 0) this.#look();
    });
  }

  /** Nobody waits for what was asked by a connection that is lost. */
  async #watch(): Promise<void> {
    for await (const { type } of this.#nats.status()) {
      if (type === "disconnect") this.#fail("The connection is lost");
    }
    this.#fail("The connection is closed");
  }

  #fail(why: string, which: (waiting: Waiting) => boolean = () => true): void {
    for (const [id, waiting] of [...this.#waiting]) {
      if (!which(waiting)) continue;
      this.#take(id);
      waiting.reject(new NoAnswerError(why));
    }
  }
}

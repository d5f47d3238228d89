/**
 * The results of a client, as they come: pulled from its consumer, a hundred at
 * a time, for as long as its connection is open.
 *
 * The library's own consumer does this too, and looks after itself when the
 * server is gone; here it is the client that knows when there is a consumer to
 * pull from again, as it makes it.
 *
 * @module
 */

import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { monotonicTime } from "../../runtime/clock.ts";
import type { Subjects } from "../subjects.ts";

/** So many messages come for one question. */
const PULL_MESSAGES = 100;

/** So long the server remembers a question; then it says so, unless it has forgotten it before. */
const PULL_MS = 20_000;
const FORGOTTEN_MS = PULL_MS + 5000;

/** Pulls for one connection. */
export class Results {
  readonly #nats: NatsConnection;
  readonly #subject: string;
  readonly #inbox: string;
  /** Which question is the newest: what ends older ones changes nothing. */
  #question = 0;
  /** How many messages it can still bring. */
  #left = 0;
  #asked = 0;

  /**
   * Pulls nothing before {@linkcode Results.pull}.
   *
   * @param nats The connection.
   * @param subjects The names of the pool.
   * @param client Whose results.
   * @param take What is done with each.
   */
  constructor(
    nats: NatsConnection,
    subjects: Subjects,
    client: string,
    take: (message: Msg) => void,
  ) {
    this.#nats = nats;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${subjects.results}.${client}`;
    this.#inbox = createInbox(subjects.inbox("client"));
    nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#hear(message, take);
      },
    });
  }

  /** Asks, or asks again as the server may have forgotten that it was asked. */
  pull(): void {
    if (this.#nats.isClosed()) return;
    this.#left = PULL_MESSAGES;
    this.#asked = monotonicTime();
    this.#nats.publish(
      this.#subject,
      JSON.stringify({ batch: PULL_MESSAGES, expires: PULL_MS * 1_000_000 }),
      { reply: `${this.#inbox}.${++this.#question}` },
    );
  }

  /** Whether there is nothing to pull from any more. */
  get isRefused(): boolean {
    return this.#left <= 0 || monotonicTime() - this.#asked > FORGOTTEN_MS;
  }

  /** There is nothing to pull from any more. */
  refuse(): void {
    this.#left = 0;
  }

  #hear(message: Msg, take: (message: Msg) => void): void {
    // What comes out of a stream has its own subject, not that of the question.
    const isNewest = message.subject === `${this.#inbox}.${this.#question}`;
    const { headers } = message;
    if (headers !== undefined && headers.code >= 400) {
      if (!isNewest) return;
      // The time is up, or nobody is there to answer: the server has just come
      // back, or the consumer has gone.
      if (headers.code === 408) this.pull();
      else this.refuse();
      return;
    }
    if (--this.#left <= 0) this.pull();
    take(message);
  }
}

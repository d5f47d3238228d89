/**
 * What a node asks of clients and of the server for its batches, again and
 * again until there is an answer: either may be away for a while.
 *
 * @module
 */

import { startTimer } from "../../runtime/timer.ts";
import {
  decodeMessage,
  encodeMessage,
  type Go,
  type MessageOf,
  type Returned,
} from "../messages.ts";
import { type LargeValue, PartLostError, type Parts } from "../parts.ts";
import { NoAnswerError, type Requests } from "../requests.ts";
import type { Subjects } from "../subjects.ts";
import { UnreadableError } from "../values.ts";
import type { Batch } from "./batch.ts";
import type { Clients } from "./clients.ts";

/** Whoever has not answered after this is asked again. */
const ANSWER_MS = 2000;

/** What the server has not stored after this is published again. */
const STORED_MS = 5000;

/** So long after an answer that is none, or an error, it is tried again. */
const AGAIN_MS = 250;

/** See above. */
export class Dialogue {
  readonly #node: string;
  readonly #requests: Requests;
  readonly #subjects: Subjects;
  readonly #parts: Parts;
  readonly #clients: Clients;
  /** Whether there is a connection. */
  isConnected = true;
  #ended = false;
  readonly #pauses = new Set<() => void>();

  constructor(
    node: string,
    requests: Requests,
    subjects: Subjects,
    parts: Parts,
    clients: Clients,
  ) {
    this.#node = node;
    this.#requests = requests;
    this.#subjects = subjects;
    this.#parts = parts;
    this.#clients = clients;
  }

  /** Asks whether a batch may be begun; `undefined` if it is over before there is an answer. */
  take(batch: Batch): Promise<Go | undefined> {
    return this.#again(batch, async () => {
      const { client, batch: name } = batch.run;
      const go = await this.#ask(client, "go", this.#takeOf(name));
      // Which it does not have, nobody can want.
      const areCalls = go?.calls.every((call) => call < batch.run.calls);
      return areCalls ? go : undefined;
    });
  }

  /** Gives calls back, until the client says yes, or the batch is over. */
  async back(
    batch: Batch,
    calls: readonly number[],
    why: Returned,
  ): Promise<void> {
    const { client, batch: name } = batch.run;
    const ticket = batch.ticket!;
    const message = encodeMessage({
      type: "back",
      ticket,
      batch: name,
      calls,
      why,
    });
    await this.#again(batch, () => this.#ask(client, "yes", message));
  }

  /** Says what calls have reported until the client has heard it, or the batch is over. */
  async report(batch: Batch, message: Uint8Array): Promise<void> {
    const { client } = batch.run;
    await this.#again(batch, () => this.#ask(client, "yes", message));
  }

  /** Asks a client whether it is there, by what it has answered before, or by a batch that is over. */
  async probe(client: string, batch: string): Promise<void> {
    await this.#ask(client, "go", this.#takeOf(batch));
  }

  /** Publishes outcomes until they are stored, or the batch is over. */
  async publish(
    batch: Batch,
    message: Uint8Array,
    msgID: string,
  ): Promise<void> {
    const { client, batch: name } = batch.run;
    const subject = this.#subjects.result(client, name);
    await this.#again(
      batch,
      () => this.#requests.store(subject, message, STORED_MS, msgID),
    );
  }

  /** Stores a large result; `undefined` if the batch is over before. */
  store(
    batch: Batch,
    name: string,
    bytes: Uint8Array,
  ): Promise<LargeValue | undefined> {
    const { client, batch: of } = batch.run;
    return this.#again(batch, () => this.#parts.put(client, of, name, bytes));
  }

  /**
   * Reads a large value.
   *
   * @param batch Who needs it.
   * @param of The batch, or what is like one, under which it is stored.
   * @param large Which one.
   * @throws {PartLostError} If it is not there any more.
   * @throws {UnreadableError} If it is not what was announced.
   */
  async read(
    batch: Batch,
    of: string,
    large: LargeValue,
  ): Promise<Uint8Array> {
    const { client } = batch.run;
    const bytes = await this.#again(
      batch,
      () => this.#parts.get(client, of, large),
    );
    if (bytes !== undefined) return bytes;
    throw new PartLostError("The batch is over");
  }

  /** Nothing is asked any more. */
  end(): void {
    this.#ended = true;
    for (const end of this.#pauses) end();
  }

  #takeOf(batch: string): Uint8Array {
    return encodeMessage({ type: "take", node: this.#node, batch });
  }

  /** Asks a client once. */
  async #ask<Type extends "go" | "yes">(
    client: string,
    type: Type,
    question: Uint8Array,
  ): Promise<MessageOf<Type> | undefined> {
    const subject = this.#subjects.client(client);
    try {
      const { data } = await this.#requests.ask(subject, question, ANSWER_MS);
      this.#clients.heard(client);
      return decodeMessage(data, type).head;
    } catch (error) {
      if (error instanceof NoAnswerError && error.isNobody) {
        this.#clients.missed(client);
      } else if (this.isConnected) this.#clients.heard(client);
    }
  }

  /** Does something until it is done, or the batch is over. */
  async #again<Result>(
    batch: Batch,
    run: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    while (!batch.isOver && !this.#ended) {
      if (this.isConnected) {
        try {
          const result = await run();
          if (result !== undefined) return result;
        } catch (error) {
          const isFinal = error instanceof PartLostError ||
            error instanceof UnreadableError;
          if (isFinal) throw error;
        }
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        stop();
        this.#pauses.delete(end);
        resolve();
      };
      const stop = startTimer(AGAIN_MS, end);
      this.#pauses.add(end);
      if (this.#ended) end();
    });
  }
}

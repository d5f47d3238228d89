/**
 * A client as far as a node can tell: it says what clients say, by a real
 * server, and shows what nodes answer. It never sends anything again by itself.
 *
 * @module
 */

import { jetstream, type JsMsg } from "@nats-io/jetstream";
import { type Msg, nuid } from "@nats-io/nats-core";
import {
  type Code,
  decodeMessage,
  encodeMessage,
  type Ended,
  type Go,
  type MessageOf,
  type Read,
  type Run,
  type Values,
} from "../../../executors/nats/messages.ts";
import { PROTOCOL } from "../../../executors/nats/subjects.ts";
import { decodeValues, encodePlain } from "../../../executors/nats/values.ts";
import {
  decodeError,
  type EncodedError,
} from "../../../executors/pool/wire/codec.ts";
import { until } from "../helpers/harness.ts";
import { type Link, link } from "./links.ts";
import type { NatsServer } from "./nats_server.ts";

/** What became of one call. */
export interface SeenOutcome {
  readonly failed: boolean;
  /** What it returned or has thrown. */
  readonly value: unknown;
  readonly ended: Ended;
  /** Which message told of it, counted from 0 for each client. */
  readonly message: number;
}

/** A batch that was sent, and what has come of it. */
export class SentBatch {
  readonly name: string = nuid.next();
  readonly ticket: string = nuid.next();
  /** Which nodes have asked for it, each time. */
  readonly takers: string[] = [];
  readonly outcomes = new Map<number, SeenOutcome>();
  /** Which calls were given back, and which of them had been begun. */
  readonly back: number[] = [];
  readonly begun: number[] = [];
  /** What calls have reported, each with how many outcomes there were. */
  readonly reports: {
    readonly call: number;
    readonly value: unknown;
    readonly outcomes: number;
  }[] = [];
  /** How many messages with reports have come. */
  messages = 0;
  readonly calls: number;

  constructor(calls: number) {
    this.calls = calls;
  }

  /** Resolves when there are so many outcomes, by default of all calls. */
  ended(calls = this.calls): Promise<void> {
    return until(() => this.outcomes.size >= calls);
  }

  /** What calls have returned or thrown, in order. */
  get values(): unknown[] {
    return [...this.outcomes].sort(([a], [b]) => a - b)
      .map(([, { value }]) => value);
  }
}

/** Parts of `run` that a test sets. */
export type SendOptions =
  & Partial<Pick<Run, "timeout" | "timed" | "code" | "reports" | "attempt">>
  & {
    /** Where arguments are, if not in one block. */
    args?: (batch: string) => Promise<[Values[], Uint8Array[]]>;
  };

/** See above. */
export class StandInClient implements AsyncDisposable {
  readonly name: string = nuid.next();
  readonly link: Link;
  /** The newest from each node. */
  readonly hellos = new Map<string, MessageOf<"hello">>();
  readonly batches = new Map<string, SentBatch>();
  /** What was published, by batch. */
  readonly sent = new Map<string, Uint8Array>();
  /** Which calls a node gets, if not all. */
  wanted: (batch: SentBatch, node: string) => readonly number[] = (
    { calls },
  ) => range(calls);
  /** What it answers to `take`, if that is something else; `null` is nothing. */
  answer: ((go: Go) => Uint8Array | null) | undefined;
  /** What it does right after it has answered. */
  answered: (batch: SentBatch, node: string) => void = () => {};
  /** Whether it says yes to what is given back. */
  says: "yes" | "nothing" = "yes";
  /** Whether it hears what calls report, by how many messages have come; and if so, whether it says that. */
  hears: (messages: number) => "yes" | "unsaid" | "nothing" = () => "yes";
  /** Whether it asks nodes what they have, as clients do that have something there. */
  asks = true;
  /** How many messages with outcomes have come. */
  messages = 0;
  #closed = false;
  readonly #asking = setInterval(() => {
    if (!this.asks) return;
    for (const node of this.hellos.keys()) this.held(node).catch(() => {});
  }, 500);

  private constructor(link: Link) {
    this.link = link;
  }

  /** Connects, makes streams, and says that it is there. */
  static async start(
    { url }: Pick<NatsServer, "url">,
    { pool }: { pool?: string } = {},
  ): Promise<StandInClient> {
    const options = pool === undefined ? {} : { pool };
    const client = new StandInClient(await link({ servers: url, ...options }));
    const { nats, subjects } = client.link;
    nats.subscribe(subjects.client(client.name), {
      callback: (_, message) => client.#hear(message),
    });
    nats.subscribe(subjects.hellos, {
      callback: (_, { data }) => {
        const { head } = decodeMessage(data, "hello");
        client.hellos.set(head.node, head);
      },
    });
    await client.prepare();
    return client;
  }

  /** Makes sure of streams, and says that it is there; to be called again when the server has lost its data. */
  async prepare(): Promise<void> {
    const { streams } = this.link;
    await streams.ensure();
    await streams.ensureResults(this.name);
    this.#consume();
    this.who();
  }

  /** Says that it is there. */
  who(protocol: number = PROTOCOL): void {
    const { nats, subjects } = this.link;
    const version = "0";
    const { name: client } = this;
    nats.publish(
      subjects.who(client),
      encodeMessage({ type: "who", client, protocol, deno: "0", version }),
    );
  }

  /** Resolves to names of nodes once there are so many that take calls. */
  async nodes(count = 1): Promise<string[]> {
    const present = () =>
      [...this.hellos.values()].filter(({ leaving }) => !leaving);
    await until(() => present().length >= count);
    return present().map(({ node }) => node);
  }

  /** Publishes calls of a function that uses only its arguments and globals. */
  async send(
    // deno-lint-ignore no-explicit-any
    fn: (...args: any[]) => unknown,
    calls: readonly (readonly unknown[])[],
    options: SendOptions = {},
  ): Promise<SentBatch> {
    const batch = new SentBatch(calls.length);
    this.batches.set(batch.name, batch);
    const { bytes } = encodePlain(calls.flat());
    const { args, ...rest } = options;
    const [values, blocks] = await args?.(batch.name) ??
      [[{ calls: calls.length, bytes: bytes.length }], [bytes]];
    const code: Code = { kind: "source", source: `${fn}`, name: fn.name };
    const run: Run = {
      type: "run",
      client: this.name,
      batch: batch.name,
      code,
      calls: calls.length,
      arity: calls[0]!.length,
      timed: false,
      args: values,
      ...rest,
    };
    await this.publish(batch.name, encodeMessage(run, blocks));
    return batch;
  }

  /** Publishes anything where calls are published; returns its number. */
  async publish(batch: string, bytes: Uint8Array): Promise<number> {
    this.sent.set(batch, bytes);
    const { nats, subjects } = this.link;
    const { seq } = await jetstream(nats)
      .publish(subjects.task(this.name, batch), bytes, { msgID: nuid.next() });
    return seq;
  }

  /** Tells a node that calls are not wanted any more. */
  stop(node: string, { ticket }: SentBatch, calls: readonly number[]): void {
    const { nats, subjects } = this.link;
    nats.publish(
      subjects.node(node),
      encodeMessage({ type: "stop", ticket, calls, why: "cancelled" }),
    );
  }

  /** Asks what a node has of this client, or of another. */
  async held(
    node: string,
    client: string = this.name,
  ): Promise<MessageOf<"holds">["tickets"]> {
    const { nats, subjects } = this.link;
    const question = encodeMessage({ type: "held", client });
    const { data } = await nats.request(subjects.node(node), question);
    return decodeMessage(data, "holds").head.tickets;
  }

  /** How many messages of the stream of tasks are left. */
  left(): Promise<number> {
    return this.link.messagesIn(this.link.subjects.tasks);
  }

  /** Resolves when nothing is left there. */
  async nothingIsLeft(): Promise<void> {
    while (await this.left() > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#asking);
    await this.link[Symbol.asyncDispose]();
  }

  #hear(message: Msg): void {
    const { head, blocks } = decodeMessage(
      message.data,
      "take",
      "back",
      "report",
    );
    if (head.type === "take") this.#answer(message, head);
    else if (head.type === "back") this.#takeBack(message, head);
    else this.#hearReport(message, { head, blocks });
  }

  #answer(message: Msg, { node, batch: name }: MessageOf<"take">): void {
    const batch = this.batches.get(name);
    batch?.takers.push(node);
    const calls = batch === undefined ? [] : this.wanted(batch, node);
    const go: Go = { type: "go", ticket: batch?.ticket ?? "none", calls };
    const answer = this.answer === undefined
      ? encodeMessage(go)
      : this.answer(go);
    if (answer !== null) message.respond(answer);
    if (batch !== undefined) this.answered(batch, node);
  }

  #takeBack(message: Msg, { batch, calls, why }: MessageOf<"back">): void {
    if (this.says === "nothing") return;
    this.batches.get(batch)!.back.push(...calls);
    if (why === "begun") this.batches.get(batch)!.begun.push(...calls);
    message.respond(encodeMessage({ type: "yes" }));
  }

  #hearReport(message: Msg, { head, blocks }: Read<"report">): void {
    const batch = this.batches.get(head.batch)!;
    const how = this.hears(++batch.messages);
    if (how === "nothing") return;
    const { before, reports } = head;
    if (before > batch.reports.length) throw new Error("A report is missing");
    for (let i = batch.reports.length - before; i < reports.length; i++) {
      const [value] = decodeValues(blocks[i]!, 1);
      const outcomes = batch.outcomes.size;
      batch.reports.push({ call: reports[i]!.call, value, outcomes });
    }
    if (how === "yes") message.respond(encodeMessage({ type: "yes" }));
  }

  async #consume(): Promise<void> {
    const { nats, subjects } = this.link;
    const consumer = await jetstream(nats)
      .consumers.get(subjects.results, this.name);
    try {
      for await (const message of await consumer.consume()) {
        await this.#settle(message);
        message.ack();
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  async #settle(message: JsMsg): Promise<void> {
    const { head, blocks } = decodeMessage(message.data, "done");
    const batch = this.batches.get(head.batch);
    if (batch === undefined || head.ticket !== batch.ticket) return;
    let block = 0;
    for (const ended of head.outcomes) {
      const bytes = "bytes" in ended
        ? blocks[block++]!
        : await this.link.parts.get(this.name, head.batch, ended.large);
      decodeValues(bytes, ended.calls).forEach((value, i) => {
        const { failed, from } = ended;
        if (batch.outcomes.has(from + i)) throw new Error("Told twice");
        batch.outcomes.set(from + i, {
          failed,
          value: failed ? decodeError(value as EncodedError) : value,
          ended,
          message: this.messages,
        });
      });
    }
    this.messages++;
  }
}

/** The numbers from 0 up to another. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

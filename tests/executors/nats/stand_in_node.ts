/**
 * A node as small as it can be: it speaks the messages of streams.ts over a
 * real server, calls functions by their source in a promise pool, and dies,
 * freezes or lies when a test wants it to.
 *
 * @module
 */

import { createInbox, type Msg } from "@nats-io/nats-core";
import { PromisePoolExecutor } from "../../../mod.ts";
import {
  type EncodedError,
  encodeError,
  loadFunction,
} from "../../../executors/job/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Ended,
  type Hello,
  type MessageOf,
  type Read,
  type Returned,
  type Values,
} from "../../../executors/nats/messages.ts";
import {
  decodeValues,
  encodeValue,
  MAX_VALUE_BYTES,
} from "../../../executors/nats/values.ts";
import type { NatsConnectionOptions } from "../../../executors/nats/connection_options.ts";
import { NODES, PROTOCOL } from "../../../executors/nats/subjects.ts";
import { type Link, link } from "./links.ts";

/** What a test makes of a node. */
export interface StandInOptions {
  /** How many calls it makes at a time. */
  readonly workers?: number;
  readonly name?: string;
  readonly hello?: Partial<Hello>;
  /** Called before it asks for a batch; once this has resolved, it asks. */
  readonly beforeTake?: (batch: string) => Promise<void> | void;
  /** Called with each batch that it was given; false if it is not to begin it. */
  readonly taken?: (go: MessageOf<"go">, batch: string) => boolean | void;
}

/** A batch that it has. */
interface Having {
  readonly ticket: string;
  readonly batch: string;
  readonly client: string;
  readonly stops: Map<number, AbortController>;
}

/** See above. */
export class StandInNode implements AsyncDisposable {
  readonly id: string = crypto.randomUUID().replaceAll("-", "");
  readonly has = new Map<string, Having>();
  /** Whether it neither says nor does anything for now. */
  frozen = false;
  /** What it was told to stop, in order. */
  readonly stopped: MessageOf<"stop">[] = [];
  readonly #link: Link;
  readonly #options: StandInOptions;
  readonly #executor: PromisePoolExecutor;
  readonly #inbox: string;
  #pulls = 0;
  /** The pulls that the server has not answered, and when they were made. */
  readonly #pulling = new Map<string, number>();
  /** How many batches it is at. */
  #running = 0;
  #results = 0;
  /** What it does again and again, while it is there. */
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  /** Ends the pauses that it makes. */
  readonly #pauses = new Set<() => void>();
  #gone = false;

  private constructor(link: Link, options: StandInOptions) {
    this.#link = link;
    this.#options = options;
    this.#executor = new PromisePoolExecutor({ maxWorkers: 1000 });
    this.#inbox = createInbox(link.subjects.inbox("node"));
  }

  /** Starts one, which serves as soon as a client is there. */
  static async start(
    connection: NatsConnectionOptions,
    options: StandInOptions = {},
  ): Promise<StandInNode> {
    const node = new StandInNode(await link(connection, "node"), options);
    node.#serve();
    return node;
  }

  /** Is gone, without a word. */
  async die(): Promise<void> {
    this.#gone = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const end of this.#pauses) end();
    await this.#link[Symbol.asyncDispose]();
    await this.#executor.shutdown({ wait: false, cancelFutures: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
  }

  /** Says hello, as it would be if that is different. */
  hello(other: Partial<Hello> = {}): void {
    if (this.#gone || this.frozen) return;
    const { nats, subjects } = this.#link;
    const { workers = 2, name = "stand-in", hello = {} } = this.#options;
    nats.publish(
      subjects.hello(this.id),
      encodeMessage({
        type: "hello",
        protocol: PROTOCOL,
        node: this.id,
        name,
        host: "localhost",
        workers,
        busy: Math.min(workers, this.has.size),
        deno: Deno.version.deno,
        version: "0.1.0",
        since: Date.now(),
        leaving: false,
        ...hello,
        ...other,
      }),
    );
  }

  /** Gives calls back that it has. */
  async giveBack(
    ticket: string,
    calls: readonly number[],
    why: Returned = "not begun",
  ): Promise<void> {
    const { batch, client } = this.has.get(ticket)!;
    await this.#link.nats.request(
      this.#link.subjects.client(client),
      encodeMessage({ type: "back", ticket, batch, calls, why }),
      { timeout: 5000 },
    );
    this.has.delete(ticket);
  }

  /** Says what calls of a batch have reported; resolves when the client has heard it. */
  async report(
    ticket: string,
    before: number,
    reports: readonly (readonly [call: number, block: Uint8Array])[],
    other: Partial<MessageOf<"report">> = {},
  ): Promise<void> {
    const { batch, client } = this.has.get(ticket)!;
    const answer = await this.#link.nats.request(
      this.#link.subjects.client(client),
      encodeMessage(
        {
          type: "report",
          ticket,
          batch,
          before,
          reports: reports.map(([call, { length }]) => ({
            call,
            bytes: length,
          })),
          ...other,
        },
        reports.map(([, block]) => block),
      ),
      { timeout: 5000 },
    );
    decodeMessage(answer.data, "yes");
  }

  #serve(): void {
    const { nats, subjects } = this.#link;
    nats.subscribe(subjects.whos, { callback: () => void this.#greet() });
    nats.subscribe(subjects.node(this.id), {
      callback: (_, message) => {
        if (!this.frozen) this.#answer(message);
      },
    });
    nats.subscribe(`${this.#inbox}.*`, {
      callback: (_, message) => {
        if (this.frozen) return;
        // A message from a stream does not say which pull it answers.
        const [oldest] = this.#pulling.keys();
        const isStatus = this.#pulling.has(message.subject);
        this.#pulling.delete(isStatus ? message.subject : `${oldest}`);
        const code = message.headers?.code ?? 0;
        // The time of a pull is up; after anything else, it tries again later.
        if (code === 408) this.pull();
        if (code < 400) {
          this.#run(message).catch((error) => this.#failed(error));
        }
      },
    });
    this.#timers.add(setInterval(() => {
      this.hello();
      this.pull();
    }, 2000));
    this.#pullAfterReturns();
    this.#greet();
  }

  #failed(error: unknown): void {
    if (!this.#gone) console.error("The stand-in has failed:", error);
  }

  #greeting = false;
  #greetAgain = false;

  async #greet(): Promise<void> {
    this.#greetAgain = true;
    if (this.#greeting) return;
    this.#greeting = true;
    while (this.#greetAgain) {
      this.#greetAgain = false;
      try {
        if (await this.#link.streams.ensureNodes()) {
          this.pull();
          this.hello();
        }
      } catch {
        // The server is away: the client says who again.
      }
    }
    this.#greeting = false;
  }

  /** A server that has come back knows of no pull. */
  async #pullAfterReturns(): Promise<void> {
    while (!this.#gone) {
      await this.#link.isBack();
      this.#pulling.clear();
      this.#greet();
    }
  }

  /** Pulls a message for each worker that is free. */
  pull(): void {
    const { hello = {}, workers = 2 } = this.#options;
    const { protocol = PROTOCOL } = hello;
    if (this.#gone || protocol !== PROTOCOL) return;
    const { nats, subjects } = this.#link;
    for (const [pull, made] of this.#pulling) {
      // The server has forgotten it without a word, with its consumer.
      if (performance.now() - made > 6000) this.#pulling.delete(pull);
    }
    while (this.#pulling.size + this.#running < workers) {
      const reply = `${this.#inbox}.${++this.#pulls}`;
      this.#pulling.set(reply, performance.now());
      nats.publish(
        `$JS.API.CONSUMER.MSG.NEXT.${subjects.tasks}.${NODES}`,
        JSON.stringify({ batch: 1, expires: 5_000_000_000 }),
        { reply },
      );
    }
  }

  #answer(message: Msg): void {
    try {
      decodeMessage(message.data, "held");
      const tickets = [...this.has.values()].map(({ ticket, batch }) => ({
        ticket,
        batch,
      }));
      message.respond(encodeMessage({ type: "holds", tickets }));
    } catch {
      const { head } = decodeMessage(message.data, "stop");
      this.stopped.push(head);
      const having = this.has.get(head.ticket);
      for (const call of head.calls) having?.stops.get(call)?.abort();
    }
  }

  async #run(message: Msg): Promise<void> {
    this.#running++;
    try {
      await this.#make(message, decodeMessage(message.data, "run"));
    } finally {
      this.#running--;
      this.pull();
    }
  }

  async #make(message: Msg, { head, blocks }: Read<"run">): Promise<void> {
    const { nats, subjects } = this.#link;
    const { client, batch } = head;
    await this.#options.beforeTake?.(batch);
    if (this.#gone) return;
    const answer = await nats.request(
      subjects.client(client),
      encodeMessage({ type: "take", node: this.id, batch }),
      { timeout: 5000 },
    );
    const go = decodeMessage(answer.data, "go").head;
    if (go.calls.length === 0) return void message.respond("+ACK");
    const { ticket } = go;
    const having: Having = { ticket, batch, client, stops: new Map() };
    this.has.set(ticket, having);
    if (this.#options.taken?.(go, batch) === false) return;
    const args = await this.#read(head, head.args, blocks);
    const working = setInterval(() => message.respond("+WPI"), 3000);
    this.#timers.add(working);
    try {
      const outcomes: Ended[] = [];
      const values: Uint8Array[] = [];
      for (const call of go.calls) {
        const [ended, bytes] = await this.#call(
          head,
          having,
          call,
          args[call]!,
        );
        outcomes.push(ended);
        if ("bytes" in ended) values.push(bytes);
      }
      while (this.frozen && !this.#gone) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (this.#gone) return;
      await this.#publish(
        subjects.result(client, batch),
        encodeMessage({ type: "done", ticket, batch, outcomes }, values),
      );
      message.respond("+ACK");
      this.has.delete(ticket);
    } finally {
      clearInterval(working);
      this.#timers.delete(working);
    }
  }

  /** Until it is stored; never by an answer that says so and is lost. */
  async #publish(subject: string, bytes: Uint8Array): Promise<void> {
    const id = `${this.id}-${++this.#results}`;
    const stream = this.#link.manager.jetstream();
    while (!this.#gone) {
      try {
        await stream.publish(subject, bytes, { msgID: id, timeout: 1000 });
        return;
      } catch {
        if (!this.#gone) await this.#pause(100);
      }
    }
  }

  /** Waits, but not longer than the node is there. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#pauses.add(end);
    });
  }

  async #call(
    { code, timeout, timed, client, batch }: MessageOf<"run">,
    { stops }: Having,
    call: number,
    args: unknown[],
  ): Promise<[Ended, Uint8Array]> {
    const stop = new AbortController();
    stops.set(call, stop);
    const begun = performance.now();
    let failed = false;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      if (code.kind !== "source") throw new Error(`No ${code.kind} here`);
      const fn = await loadFunction(code);
      const value = await this.#executor.submitWith(
        { signal: stop.signal, ...timeout === undefined ? {} : { timeout } },
        fn as (...args: unknown[]) => unknown,
        ...args,
      );
      bytes = encodeValue(value);
    } catch (error) {
      failed = true;
      bytes = encodeValue(encodeError(error) satisfies EncodedError);
    }
    const ms = performance.now() - begun;
    const about = {
      from: call,
      failed,
      ms,
      ...timed
        ? { worker: "worker-1", started: Date.now() - ms, ended: Date.now() }
        : {},
    };
    if (bytes.length <= MAX_VALUE_BYTES) {
      return [{ ...about, calls: 1, bytes: bytes.length }, bytes];
    }
    const { parts } = this.#link;
    const large = await parts.put(client, batch, `${this.id}-${call}`, bytes);
    return [{ ...about, calls: 1, large }, bytes];
  }

  async #read(
    { client, batch, arity }: MessageOf<"run">,
    values: readonly Values[],
    blocks: readonly Uint8Array[],
  ): Promise<unknown[][]> {
    const inMessage = blocks.values();
    const calls: unknown[][] = [];
    for (const value of values) {
      const block = "bytes" in value
        ? inMessage.next().value!
        : await this.#link.parts.get(client, batch, value.large);
      const all = decodeValues(block, value.calls * arity);
      for (let call = 0; call < value.calls; call++) {
        calls.push(all.slice(call * arity, (call + 1) * arity));
      }
    }
    return calls;
  }
}

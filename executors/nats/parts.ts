/**
 * Values that are too large for a message: in parts, in a stream of their own,
 * from which whoever has to can read them, until the batch has settled.
 *
 * ```text
 * put() ── part after part, a few at a time ──► stream of parts
 * get() ◄─ the last message of each subject ── stream of parts
 * drop() ─ all of a batch, or of a client ────► stream of parts
 * ```
 *
 * The library's object store does the same at 74 to 99 MB/s, with a consumer for
 * each reader and digests, which nobody here needs.
 *
 * @module
 */

import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import type { Requests } from "./requests.ts";
import type { Subjects } from "./subjects.ts";
import { MAX_LARGE_BYTES, UnreadableError } from "./values.ts";

/** A message has headers too, and a server takes 1 MiB of both. */
const PART_BYTES = 900_000;

/** A server that takes less than this in a message is not what this is for. */
const MIN_PART_BYTES = 2 ** 15;

/** What the server takes for the subject and headers. */
const AROUND_BYTES = 2 ** 12;

/** So many parts are on their way at a time; with one, each waits for the way back. */
const WINDOW = 8;

/** A part of 900 kB takes so long on a line of 1 Mbit/s that others use as well. */
const PART_MS = 30_000;

/** What a message has in place of a large value. */
export interface LargeValue {
  /** Its name in its batch. */
  readonly name: string;
  readonly size: number;
  /** How long its parts are, but for the last one. */
  readonly partSize: number;
}

/** In the place of a batch, where the bundles of a client are: no batch has this name. */
export const BUNDLES = "-bundles";

/** A part is gone, as its batch has settled, or with the server's data. */
export class PartLostError extends Error {}

/** The large values of a pool, by one connection. */
export class Parts {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #requests: Requests;
  readonly #manager: JetStreamManager;
  /** What is being stored, and under which subject. */
  readonly #putting = new Map<Promise<void>, string>();

  private constructor(
    nats: NatsConnection,
    subjects: Subjects,
    requests: Requests,
    manager: JetStreamManager,
  ) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#requests = requests;
    this.#manager = manager;
  }

  /** Asks nothing of the server yet. */
  static async of(
    nats: NatsConnection,
    subjects: Subjects,
    requests: Requests,
  ): Promise<Parts> {
    const manager = await jetstreamManager(nats, { checkAPI: false });
    return new Parts(nats, subjects, requests, manager);
  }

  /**
   * Stores a value.
   *
   * @param client Whose it is, or whom it is for.
   * @param batch The batch that it belongs to.
   * @param name What it is called there; whoever stores again under another
   * name does not disturb who reads.
   * @param bytes The value.
   * @throws {JetStreamApiError} If the server has no room for it.
   */
  async put(
    client: string,
    batch: string,
    name: string,
    bytes: Uint8Array,
  ): Promise<LargeValue> {
    const most = (this.#nats.info?.max_payload ?? 0) - AROUND_BYTES;
    const partSize = Math.max(MIN_PART_BYTES, Math.min(PART_BYTES, most));
    const large = { name, size: bytes.length, partSize };
    const subject = this.#subjects.value(client, batch, name);
    const putting = eachPart(large, async (part, from, to) => {
      await this.#requests.store(
        `${subject}.${part}`,
        bytes.subarray(from, to),
        PART_MS,
      );
    });
    this.#putting.set(putting, subject);
    try {
      await putting;
    } finally {
      this.#putting.delete(putting);
    }
    return large;
  }

  /**
   * Reads a value.
   *
   * @param client Whose it is, or whom it is for.
   * @param batch The batch that it belongs to.
   * @param large What {@linkcode checkLarge} has let through.
   * @throws {PartLostError} If some of it is not there.
   * @throws {UnreadableError} If it is not what was announced.
   */
  async get(
    client: string,
    batch: string,
    large: LargeValue,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const subject = this.#subjects.value(client, batch, large.name);
    const bytes = new Uint8Array(large.size);
    await eachPart(large, async (part, from, to) => {
      const { data } = await this.#read(`${subject}.${part}`);
      if (data.length !== to - from) {
        throw new UnreadableError(
          `Part ${part} of a value has ${data.length} bytes, not ${to - from}`,
        );
      }
      bytes.set(data, from);
    });
    return bytes;
  }

  /** The parts of a batch are not needed any more, whoever has stored them. */
  async dropBatch(client: string, batch: string): Promise<void> {
    await this.#drop(this.#subjects.partsOfBatch(client, batch));
  }

  /** A client is done, or gone. */
  async dropClient(client: string): Promise<void> {
    await this.#drop(this.#subjects.partsOf(client));
  }

  async #drop(filter: string): Promise<void> {
    // The server may get to a purge before what was published ahead of it.
    const prefix = filter.slice(0, -">".length);
    const putting = [...this.#putting].filter(([, subject]) =>
      subject.startsWith(prefix)
    );
    await Promise.allSettled(putting.map(([put]) => put));
    // With a consumer, it would skip what is left (nats-server #3838): this
    // stream has none.
    await this.#manager.streams.purge(this.#subjects.parts, { filter });
  }

  async #read(subject: string): Promise<Msg> {
    const answer = await this.#requests.ask(
      `$JS.API.DIRECT.GET.${this.#subjects.parts}.${subject}`,
      new Uint8Array(),
      PART_MS,
    );
    const code = answer.headers?.code ?? 0;
    if (code < 400) return answer;
    throw new PartLostError(
      `A part of a value is gone: ${answer.headers?.description}`,
    );
  }
}

/**
 * The description of a large value, if that is what came.
 *
 * @throws {UnreadableError} If it is not.
 */
export function checkLarge(value: unknown): LargeValue {
  const { name, size, partSize } = (value ?? {}) as Record<string, unknown>;
  const isName = typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name);
  if (
    isName && isBetween(size, 1, MAX_LARGE_BYTES) &&
    isBetween(partSize, MIN_PART_BYTES, PART_BYTES)
  ) return { name, size, partSize };
  throw new UnreadableError("What came is no large value");
}

function isBetween(
  value: unknown,
  least: number,
  most: number,
): value is number {
  return Number.isSafeInteger(value) && value as number >= least &&
    value as number <= most;
}

/** Does something for each part, for a few at a time; after a failure, for no more. */
async function eachPart(
  { size, partSize }: LargeValue,
  run: (part: number, from: number, to: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const work = async () => {
    while (!failed && next * partSize < size) {
      const part = next++;
      const from = part * partSize;
      await run(part, from, Math.min(size, from + partSize));
    }
  };
  const works = Array.from({ length: WINDOW }, () =>
    work().catch((error) => {
      failed = true;
      throw error;
    }));
  const outcomes = await Promise.allSettled(works);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

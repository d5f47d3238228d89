/**
 * Under which subjects a pool talks, and what its streams are called: all names
 * that a server sees are made here, of parts that cannot have a meaning of
 * their own to it.
 *
 * | subject | from | to | what |
 * |---|---|---|---|
 * | `fut.POOL.t1.CLIENT.BATCH` | client | stream of tasks | calls |
 * | `fut.POOL.r.CLIENT.BATCH` | node | stream of results | outcomes |
 * | `fut.POOL.p.CLIENT.BATCH.VALUE.N` | both | stream of parts | a part of a large value |
 * | `fut.POOL.c.CLIENT` | node | client | what concerns its calls |
 * | `fut.POOL.n.NODE` | client | node | what concerns the calls it has |
 * | `fut.POOL.h.NODE` | node | clients | that it is there, and how busy |
 * | `fut.POOL.w.CLIENT` | client | nodes | that it wants to know |
 * | `fut.POOL.i.c.…`, `fut.POOL.i.n.…` | whoever was asked | client, node | answers |
 *
 * The number is that of the protocol: each has a stream of tasks of its own, so
 * that no node takes what it could not read. All else is for all protocols, or
 * between those who have found each other.
 *
 * Who may use which is what keeps a node from submitting and a client from
 * speaking for nodes: docs/nats.conf has it in the words of the server.
 *
 * @module
 */

import { show } from "../text.ts";

/**
 * The version of what clients and nodes say to one another, values included.
 * They refuse one another if it differs.
 */
export const PROTOCOL = 1;

/** The consumer of the stream of tasks, which all nodes share. */
export const NODES = "nodes";

/** Where the name of the client is in a subject, among its parts. */
const CLIENT_AT = 3;

/** Which side of the server somebody is on. */
export type Role = "client" | "node";

/** The names of one pool. */
export class Subjects {
  /** The stream of tasks. None of these prefixes is the beginning of another, so that no pool has a stream of another's name. */
  readonly tasks: string;
  /** The stream of results. */
  readonly results: string;
  /** The stream of the parts of large values. */
  readonly parts: string;
  readonly #root: string;

  /** Names for a pool, the name of which was checked where a user gave it. */
  constructor(pool: string) {
    this.#root = `fut.${checkToken(pool)}`;
    this.tasks = `FUT_TASKS${PROTOCOL}_${pool}`;
    this.results = `FUT_RESULTS_${pool}`;
    this.parts = `FUT_PARTS_${pool}`;
  }

  /** What the stream of tasks takes. */
  get allTasks(): string {
    return `${this.#root}.t${PROTOCOL}.>`;
  }

  /** What the stream of results takes. */
  get allResults(): string {
    return `${this.#root}.r.>`;
  }

  /** What the stream of parts takes. */
  get allParts(): string {
    return `${this.#root}.p.>`;
  }

  /** A batch of calls. */
  task(client: string, batch: string): string {
    return `${this.#root}.t${PROTOCOL}.${checkToken(client)}.${
      checkToken(batch)
    }`;
  }

  /** All batches of a client. */
  tasksOf(client: string): string {
    return `${this.#root}.t${PROTOCOL}.${checkToken(client)}.>`;
  }

  /** Outcomes of a batch. */
  result(client: string, batch: string): string {
    return `${this.#root}.r.${checkToken(client)}.${checkToken(batch)}`;
  }

  /** All outcomes for a client. */
  resultsOf(client: string): string {
    return `${this.#root}.r.${checkToken(client)}.>`;
  }

  /** Where the parts of a value are, before their numbers. */
  value(client: string, batch: string, value: string): string {
    return `${this.#root}.p.${checkToken(client)}.${checkToken(batch)}.${
      checkToken(value)
    }`;
  }

  /** The parts of all values of a batch, whoever has written them. */
  partsOfBatch(client: string, batch: string): string {
    return `${this.#root}.p.${checkToken(client)}.${checkToken(batch)}.>`;
  }

  /** The parts of all values of a client, whoever has written them. */
  partsOf(client: string): string {
    return `${this.#root}.p.${checkToken(client)}.>`;
  }

  /** The client to which a part belongs that has this subject. */
  clientOfPart(subject: string): string {
    return subject.split(".")[CLIENT_AT]!;
  }

  /** Where a client hears. */
  client(client: string): string {
    return `${this.#root}.c.${checkToken(client)}`;
  }

  /** Where a node hears. */
  node(node: string): string {
    return `${this.#root}.n.${checkToken(node)}`;
  }

  /** Where a node says that it is there. */
  hello(node: string): string {
    return `${this.#root}.h.${checkToken(node)}`;
  }

  /** Where clients hear of nodes. */
  get hellos(): string {
    return `${this.#root}.h.*`;
  }

  /** Where a client asks who is there. */
  who(client: string): string {
    return `${this.#root}.w.${checkToken(client)}`;
  }

  /** Where nodes hear of clients. */
  get whos(): string {
    return `${this.#root}.w.*`;
  }

  /** Under which somebody's answers come: the library puts more behind it. */
  inbox(role: Role): string {
    return `${this.#root}.i.${role === "client" ? "c" : "n"}`;
  }
}

/**
 * A part of a subject as it is, if the server takes it for no more than that.
 * What comes off the wire becomes one too.
 *
 * @throws {RangeError} If it may be more.
 */
function checkToken(token: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(token)) {
    throw new RangeError(
      `A part of a subject must be 1 to 64 letters, digits, "_" and "-": received ${
        show(token)
      }`,
    );
  }
  return token;
}

/**
 * What clients and nodes say to one another, and how it lies in a message of the
 * server; streams.ts has who says what when.
 *
 * ```text
 * length of head │ head: JSON │ block of values │ block of values │ …
 * ```
 *
 * Heads are JSON, which nothing in can make a reader do anything; values are
 * what values.ts writes. Whoever reads a message checks all of its head before
 * anything else is done, here, and drops what is no message of this version,
 * which is `PROTOCOL` in subjects.ts.
 *
 * @module
 */

import { isTraceparent } from "../job/trace.ts";
import { checkLarge, type LargeValue } from "./parts.ts";
import { UnreadableError } from "./values.ts";

/** So many calls are in one message at most. */
export const MAX_CALLS = 256;

/** How a node finds a function. */
export type Code =
  /** By its source. */
  | { readonly kind: "source"; readonly source: string; readonly name: string }
  /** In a module that the node imports from where it is. */
  | { readonly kind: "address"; readonly module: string; readonly name: string }
  /** In a bundle that the client has stored: its SHA-256, in hexadecimal digits. */
  | {
    readonly kind: "bundle";
    readonly hash: string;
    readonly name: string;
    readonly large: LargeValue;
  }
  /** On the node: in its own program, or in what it has loaded before. */
  | { readonly kind: "named"; readonly module: string; readonly name: string };

/** Where the values of calls are: in the message, in its next block, or in parts. */
export type Values =
  | { readonly calls: number; readonly bytes: number }
  | { readonly calls: 1; readonly large: LargeValue };

/** Calls, from the client to whichever node takes them. */
export interface Run {
  readonly type: "run";
  readonly client: string;
  readonly batch: string;
  readonly code: Code;
  /** How many calls there are; they are counted from 0. */
  readonly calls: number;
  /**
   * How many calls that follow one another are one job of the client, wanted or
   * not as a whole, and so on; left out if each call is a job.
   */
  readonly jobs?: readonly number[];
  /** How many arguments each of them has. */
  readonly arity: number;
  /** How long each call may run, in milliseconds; left out for no limit. */
  readonly timeout?: number;
  /** Whether somebody wants to know who runs the calls, and when. */
  readonly timed: boolean;
  /** Whether somebody wants to hear what the calls report. */
  readonly reports?: true;
  /** Which attempt at its calls this is, counted from 1, if it is not the first. */
  readonly attempt?: number;
  /** Whether nobody wants to know what the calls return: then each is said to return `undefined`. */
  readonly quiet?: true;
  /** The spans of the calls, as traceparents, if somebody collects spans; "" for none. */
  readonly traces?: readonly string[];
  /** The arguments: in each block, those of some calls, one after another. */
  readonly args: readonly Values[];
}

/** The node asks the client whether it may make the calls of a batch. */
export interface Take {
  readonly type: "take";
  readonly node: string;
  readonly batch: string;
}

/** The answer: which calls, perhaps none, and the ticket by which the node has them. */
export interface Go {
  readonly type: "go";
  readonly ticket: string;
  readonly calls: readonly number[];
}

/** What became of calls that follow one another. */
export type Ended = Values & {
  /** The first of the calls. */
  readonly from: number;
  /**
   * Whether the block has what they returned, or the error of the only one:
   * `null` if the node could not read its arguments, as then the client, which
   * has them, can say which of them it is.
   */
  readonly failed: boolean;
  /** How long each of them has taken, about, in milliseconds. */
  readonly ms: number;
  /** The worker of the node that made the calls, and when it entered and ended the only one, if they are timed. */
  readonly worker?: string;
  readonly started?: number;
  readonly ended?: number;
};

/** Outcomes, from the node to the client. */
export interface Done {
  readonly type: "done";
  readonly ticket: string;
  readonly batch: string;
  readonly outcomes: readonly Ended[];
}

/**
 * Why calls come back: the node has not begun them and will not, or cannot as the
 * server has lost what they need, or has stopped them though they have begun, or
 * may have.
 */
export type Returned = "not begun" | "unreadable" | "begun";

/** The node gives calls back. */
export interface Back {
  readonly type: "back";
  readonly ticket: string;
  readonly batch: string;
  readonly calls: readonly number[];
  readonly why: Returned;
}

/** What calls of a batch have reported while they run, from the node to the client. */
export interface Report {
  readonly type: "report";
  readonly ticket: string;
  readonly batch: string;
  /** How many reports of the batch came before; it is said again until there is an answer. */
  readonly before: number;
  /** In order, each with a block of one value. */
  readonly reports: readonly {
    readonly call: number;
    readonly bytes: number;
  }[];
}

/** The answer: the client has them. */
export interface Yes {
  readonly type: "yes";
}

/** The client does not want calls any more. */
export interface Stop {
  readonly type: "stop";
  readonly ticket: string;
  readonly calls: readonly number[];
  /** What is "unread" is not to be begun, but may end if it runs. */
  readonly why: "cancelled" | "terminated" | "unread";
}

/** The client asks a node what it has of that client. */
export interface Held {
  readonly type: "held";
  readonly client: string;
}

/** The answer: the tickets, with their batches. */
export interface Holds {
  readonly type: "holds";
  readonly tickets: readonly {
    readonly ticket: string;
    readonly batch: string;
  }[];
}

/** A client is there, and wants to know which nodes are. */
export interface Who {
  readonly type: "who";
  readonly client: string;
  readonly protocol: number;
  readonly deno: string;
  readonly version: string;
}

/** A node is there. */
export interface Hello {
  readonly type: "hello";
  readonly protocol: number;
  /** The part of a subject by which the node is spoken to, which is like no other. */
  readonly node: string;
  /** What its user calls it. */
  readonly name: string;
  readonly host: string;
  readonly workers: number;
  /** How many of them have something to do. */
  readonly busy: number;
  readonly deno: string;
  readonly version: string;
  /** In milliseconds since 1970. */
  readonly since: number;
  /** Whether the node takes nothing more. */
  readonly leaving: boolean;
}

/** All of them. */
export type Message =
  | Run
  | Take
  | Go
  | Done
  | Back
  | Report
  | Yes
  | Stop
  | Held
  | Holds
  | Who
  | Hello;

/** A message of one type. */
export type MessageOf<Type extends Message["type"]> = Extract<
  Message,
  { readonly type: Type }
>;

/** A message that was read, and its blocks. */
export interface Read<Type extends Message["type"]> {
  readonly head: MessageOf<Type>;
  readonly blocks: readonly Uint8Array[];
}

/** How many bytes say how long the head is. */
const LENGTH_BYTES = 4;

/** No head is longer: a function's source is in one. */
const MAX_HEAD_BYTES = 2 ** 20;

/**
 * Writes a message.
 *
 * @param head What it says.
 * @param blocks The values that it has with it, in the order in which the head
 * names them.
 */
export function encodeMessage(
  head: Message,
  blocks: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = blocks.reduce(
    (sum, block) => sum + block.length,
    LENGTH_BYTES + text.length,
  );
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + text.length;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}

/**
 * Reads a message, and checks all of its head.
 *
 * @param bytes What came.
 * @param types What it is to be, one of these.
 * @throws {UnreadableError} If it is no such message.
 */
export function decodeMessage<Type extends Message["type"]>(
  bytes: Uint8Array,
  ...types: readonly [Type, ...Type[]]
): Read<Type> {
  const [head, body] = readHead(bytes);
  const type = types.find((type) => type === head.type);
  if (type === undefined) throw no(types.join(" or "));
  CHECKS[type](head as never);
  return {
    head: head as unknown as MessageOf<Type>,
    blocks: cut(body, blocksOf(head as unknown as Message)),
  };
}

function readHead(
  bytes: Uint8Array,
): [head: Record<string, unknown>, body: Uint8Array] {
  if (bytes.length < LENGTH_BYTES) throw no("message");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const end = LENGTH_BYTES + length;
  if (length > MAX_HEAD_BYTES || end > bytes.length) throw no("message");
  let head: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true })
      .decode(bytes.subarray(LENGTH_BYTES, end));
    head = JSON.parse(text);
  } catch {
    throw no("message");
  }
  if (!isRecord(head)) throw no("message");
  return [head, bytes.subarray(end)];
}

/** The values that are in the message itself. */
function blocksOf(head: Message): readonly number[] {
  const values: readonly (Values | { readonly bytes: number })[] =
    head.type === "run"
      ? head.args
      : head.type === "done"
      ? head.outcomes
      : head.type === "report"
      ? head.reports
      : [];
  return values.flatMap((value) => "bytes" in value ? [value.bytes] : []);
}

function cut(body: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  const blocks = lengths.map((length) => body.subarray(at, at += length));
  if (at !== body.length) throw no("message: its blocks have another length");
  return blocks;
}

type Fields<Type extends Message["type"]> = Partial<
  Record<keyof MessageOf<Type>, unknown>
>;

const CHECKS: {
  readonly [Type in Message["type"]]: (fields: Fields<Type>) => void;
} = {
  run(fields) {
    const { client, batch, code, calls, jobs, arity, args } = fields;
    const { attempt, quiet, reports, timeout, timed, traces } = fields;
    check("run", isToken(client) && isToken(batch));
    check("run", isCount(calls, 1, MAX_CALLS) && isCount(arity, 0, 2 ** 16));
    check("run", jobs === undefined || areJobs(jobs, calls as number));
    check("run", timeout === undefined || isDuration(timeout));
    check("run", typeof timed === "boolean");
    check("run", reports === undefined || reports === true);
    check("run", quiet === undefined || quiet === true);
    check(
      "run",
      attempt === undefined || isCount(attempt, 2, Number.MAX_SAFE_INTEGER),
    );
    check("run", traces === undefined || areTraces(traces, calls as number));
    checkCode(code);
    check("run", Array.isArray(args));
    let sum = 0;
    for (const values of args as unknown[]) sum += checkValues(values, "run");
    check("run", sum === calls);
  },
  take({ node, batch }) {
    check("take", isToken(node) && isToken(batch));
  },
  go({ ticket, calls }) {
    check("go", isToken(ticket) && areCalls(calls));
  },
  done({ ticket, batch, outcomes }) {
    check("done", isToken(ticket) && isToken(batch) && Array.isArray(outcomes));
    const known = new Set<number>();
    for (const ended of outcomes as unknown[]) checkEnded(ended, known);
  },
  back({ ticket, batch, calls, why }) {
    check("back", isToken(ticket) && isToken(batch) && areCalls(calls));
    check(
      "back",
      why === "not begun" || why === "unreadable" || why === "begun",
    );
  },
  report({ ticket, batch, before, reports }) {
    check("report", isToken(ticket) && isToken(batch));
    check("report", isCount(before, 0, Number.MAX_SAFE_INTEGER));
    check("report", Array.isArray(reports));
    for (const report of reports as unknown[]) {
      check("report", isRecord(report));
      const { call, bytes } = report as Record<string, unknown>;
      check("report", isCount(call, 0, MAX_CALLS - 1));
      check("report", isCount(bytes, 1, 2 ** 30));
    }
  },
  yes() {},
  stop({ ticket, calls, why }) {
    check("stop", isToken(ticket) && areCalls(calls));
    check(
      "stop",
      why === "cancelled" || why === "terminated" || why === "unread",
    );
  },
  held({ client }) {
    check("held", isToken(client));
  },
  holds({ tickets }) {
    check("holds", Array.isArray(tickets));
    for (const held of tickets as unknown[]) {
      check("holds", isRecord(held));
      const { ticket, batch } = held as Record<string, unknown>;
      check("holds", isToken(ticket) && isToken(batch));
    }
  },
  who({ client, protocol, deno, version }) {
    check("who", isToken(client) && isCount(protocol, 0, 2 ** 31));
    check("who", isShort(deno) && isShort(version));
  },
  hello(fields) {
    const { node, name, host, deno, version, protocol } = fields;
    const { workers, busy, since, leaving } = fields;
    check("hello", isToken(node) && isCount(protocol, 0, 2 ** 31));
    check("hello", [name, host, deno, version].every(isShort));
    check("hello", isCount(workers, 1, 2 ** 20) && isCount(busy, 0, 2 ** 20));
    check("hello", isDuration(since) && typeof leaving === "boolean");
  },
};

function checkCode(code: unknown): asserts code is Code {
  check("function", isRecord(code));
  const { kind, source, module, name, hash, large } = code as Record<
    string,
    unknown
  >;
  check("function", typeof name === "string");
  switch (kind) {
    case "source":
      return check("function", typeof source === "string");
    case "address":
    case "named":
      return check("function", typeof module === "string");
    case "bundle":
      check(
        "function",
        typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash),
      );
      checkLarge(large);
      return;
    default:
      throw no("function");
  }
}

/** Checks where values are; returns of how many calls they are. */
function checkValues(values: unknown, what: string): number {
  check(what, isRecord(values));
  const { calls, bytes, large } = values as Record<string, unknown>;
  check(what, isCount(calls, 1, MAX_CALLS));
  if (bytes !== undefined) {
    check(what, isCount(bytes, 1, 2 ** 30) && large === undefined);
  } else {
    check(what, calls === 1);
    checkLarge(large);
  }
  return calls as number;
}

/** Checks outcomes, none of which is of a call that is `known`, which those are then. */
function checkEnded(ended: unknown, known: Set<number>): void {
  const calls = checkValues(ended, "done");
  const { from, failed, ms, worker, started, ended: end } = ended as Record<
    string,
    unknown
  >;
  check("done", isCount(from, 0, MAX_CALLS - calls));
  check("done", typeof failed === "boolean" && !(failed && calls > 1));
  check("done", isDuration(ms));
  check("done", worker === undefined || isShort(worker));
  check("done", started === undefined || isDuration(started));
  check("done", end === undefined || isDuration(end));
  for (let call = from as number; call < (from as number) + calls; call++) {
    check("done", !known.has(call));
    known.add(call);
  }
}

/** Whether there is a traceparent for each of so many calls. */
function areTraces(value: unknown, calls: number): boolean {
  return Array.isArray(value) && value.length === calls &&
    value.every(isTraceparent);
}

function check(what: string, holds: boolean): void {
  if (!holds) throw no(what);
}

function no(what: string): UnreadableError {
  return new UnreadableError(
    `What came is no ${what} of this version of @concurrent/futures`,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether this can be a part of a subject. */
function isToken(value: unknown): boolean {
  return typeof value === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(value);
}

function isShort(value: unknown): boolean {
  return typeof value === "string" && value.length <= 256;
}

function isCount(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value as number >= least &&
    value as number <= most;
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** Whether these are jobs of so many calls together. */
function areJobs(value: unknown, calls: number): boolean {
  return Array.isArray(value) &&
    value.every((count) => isCount(count, 1, calls)) &&
    value.reduce((sum, count) => sum + count, 0) === calls;
}

/** Whether these are numbers of calls, in order and each once. */
function areCalls(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((call, i) =>
      isCount(call, i === 0 ? 0 : value[i - 1] + 1, MAX_CALLS - 1)
    );
}

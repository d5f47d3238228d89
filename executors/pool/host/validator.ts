/**
 * What one worker can have said. A task can speak for its worker, so nothing
 * that arrives is believed before it has been looked at here: first its shape,
 * then whether a worker that keeps the protocol could say it now. Nothing of
 * the host has changed until then, and whoever has said what cannot be is ended.
 *
 * ```text
 * up ──► ready ──► (loading ──► loaded)*, entered*, done*, unreadable*
 *   └──► unfit                                    at any time: revoked, closing
 * ```
 *
 * A report tells of every call that has ended since the one before, so it can
 * be checked to the call: those at positions that it is past, all of them, and
 * of the item that it stops at as many as are left at most.
 *
 * No loop here is longer than what the host itself has sent, or than
 * `MAX_PARTS`, whatever length an array says that it has.
 *
 * @module
 */

import { show } from "../../text.ts";
import type { HostSlots } from "../channel.ts";
import { MAX_PARTS } from "../wire/codec.ts";
import type { InFlight } from "./in_flight.ts";
import type { ToHost } from "../wire/protocol.ts";

type Said<Type extends ToHost[0]> = Extract<
  ToHost,
  readonly [Type, ...unknown[]]
>;

/** What a worker can say, going by what it was sent and has said before. */
export class Validator {
  readonly #tasks: InFlight;
  readonly #slots: HostSlots;
  /** Whether the worker was told to say when calls began and ended. */
  watched = false;
  /** How many functions it has been told of; it loads each once at most. */
  functions = 0;
  #up = false;
  #ready = false;
  #loading = false;
  #loads = 0;
  /** The position of the last report, and how many calls had ended by then. */
  #reported = 0;
  #ended = 0;
  /** The last call that was said to be entered: the position of its item, and which of those it was. */
  #entered = -1;
  #calls = 0;

  constructor(tasks: InFlight, slots: HostSlots) {
    this.#tasks = tasks;
    this.#slots = slots;
  }

  /**
   * The message, if the worker can say it now.
   *
   * @throws {RangeError} If it cannot; the message says why.
   */
  check(data: unknown): ToHost {
    const message = checkShape(data);
    switch (message[0]) {
      case "up":
        if (this.#up || this.#ready) throw lie(message, "it was up before");
        this.#up = true;
        break;
      case "ready":
        if (this.#ready) throw lie(message, "it was ready before");
        this.#ready = true;
        break;
      case "unfit":
        if (this.#ready) throw lie(message, "it was ready before");
        break;
      case "loading":
        if (!this.#busy || this.#loading || this.#loads >= this.functions) {
          throw lie(message, "it has nothing to load");
        }
        this.#loading = true;
        this.#loads++;
        break;
      case "loaded":
        if (!this.#loading) throw lie(message, "it was not loading");
        this.#loading = false;
        break;
      case "entered":
        this.#checkEntered(message);
        break;
      case "revoked":
        this.#checkRevoked(message);
        break;
      case "done":
        this.#checkDone(message);
        break;
      case "unreadable":
        if (!this.#busy || this.#tasks.item(this.#tasks.head) === undefined) {
          throw lie(message, "no result of it is due");
        }
        this.#ended++;
        break;
      case "closing":
        break;
      default:
        message satisfies never;
    }
    return message;
  }

  /** Whether it may be at a call. */
  get #busy(): boolean {
    return this.#ready && this.#tasks.places > 0;
  }

  #checkEntered(message: Said<"entered">): void {
    const [, position, calls] = message;
    const { head, tail } = this.#tasks;
    if (!this.#ready || position < head || position >= tail) {
      throw lie(message, `it can be at ${head} to ${tail - 1}`);
    }
    const count = this.#tasks.item(position)?.count ?? 0;
    if (
      calls < 1 || calls > count || position < this.#entered ||
      position === this.#entered && calls <= this.#calls ||
      !this.#slots.mayTell(position, calls)
    ) throw lie(message, "it does not enter that, or is not to say so");
    this.#entered = position;
    this.#calls = calls;
  }

  #checkRevoked(message: Said<"revoked">): void {
    const [, from, entered] = message;
    const { question } = this.#slots;
    if (question === undefined) throw lie(message, "it has not been asked");
    const [first, end] = question;
    if (from !== first || entered.length !== end - first) {
      throw lie(message, `it has been asked for ${first} to ${end - 1}`);
    }
    for (let i = 0; i < entered.length; i++) {
      const calls = entered[i];
      const item = this.#tasks.item(from + i);
      const most = item?.count ?? Infinity;
      const ended = item === undefined ? 0 : most - this.#tasks.left(from + i);
      if (!isCount(calls) || calls < ended || calls > most) {
        throw lie(
          message,
          `of ${from + i} it can have entered ${ended} to ${most}`,
        );
      }
    }
  }

  #checkDone(message: Said<"done">): void {
    const [, position, , { length }, failures, times, ended] = message;
    const { head, tail } = this.#tasks;
    if (!this.#ready || position < head || position > tail) {
      throw lie(message, `it can be at ${head} to ${tail}`);
    }
    if (
      ended !== this.#ended || position < this.#reported ||
      length === 0 && position === this.#reported
    ) {
      throw lie(
        message,
        `it goes on at ${this.#reported} after ${this.#ended} calls`,
      );
    }
    let due = 0;
    for (let at = head; at < position; at++) due += this.#tasks.left(at);
    const most = position < tail ? due + this.#tasks.left(position) : due;
    if (length < due || length > most) {
      throw lie(message, `it can have ended ${due} to ${most} calls`);
    }
    if (failures !== undefined && !areFailures(failures, length)) {
      throw lie(message, "an error belongs to each outcome that is one");
    }
    if (times !== undefined && !(this.watched && areTimes(times, length))) {
      throw lie(message, "a call has two times, if it was told to watch");
    }
    this.#reported = position;
    this.#ended += length;
  }
}

/**
 * The message, if it is one: everything in it is of its type, but for what
 * grows with the calls that it is about.
 *
 * @throws {RangeError} If it is none.
 */
export function checkShape(data: unknown): ToHost {
  if (!Array.isArray(data) || !isShape(data as unknown as ToHost)) {
    throw lie(data, "the protocol has no such message");
  }
  return data as unknown as ToHost;
}

function isShape(message: ToHost): boolean {
  const { length }: { readonly length: number } = message;
  switch (message[0]) {
    case "up":
    case "ready":
    case "loading":
    case "loaded":
    case "unreadable":
      return length === 1;
    case "unfit":
      return length === 2 && isEncoded(message[1], new Map(), message[1]);
    case "entered":
      return length === 3 && isCount(message[1]) && isCount(message[2]);
    case "revoked":
      return length === 3 && isCount(message[1]) && Array.isArray(message[2]);
    case "done":
      return length === 7 && isCount(message[1]) && isDuration(message[2]) &&
        Array.isArray(message[3]) && isList(message[4]) &&
        isList(message[5]) && isCount(message[6]);
    case "closing": {
      const [, cause, exitCode, unentered] = message;
      return (length === 3 || length === 4) &&
        (cause === undefined || isEncoded(cause, new Map(), cause)) &&
        (exitCode === undefined || Number.isSafeInteger(exitCode)) &&
        (unentered === undefined || isCount(unentered));
    }
    default:
      message satisfies never;
      return false;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** Finite, or what all workers share would be spoilt: see {@linkcode PoolFunction.learn}. */
function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0 &&
    value <= Number.MAX_SAFE_INTEGER;
}

function isList(value: unknown): boolean {
  return value === undefined || Array.isArray(value);
}

/** Indices that ascend, each with an error of its own. */
function areFailures(failures: readonly unknown[], outcomes: number): boolean {
  const { length } = failures;
  if (length === 0 || length % 2 !== 0 || length > 2 * outcomes) return false;
  const seen = new Map<unknown, unknown>();
  let last = -1;
  for (let i = 0; i < length; i += 2) {
    const index = failures[i];
    const error = failures[i + 1];
    if (!isCount(index) || index <= last || index >= outcomes) return false;
    const unread = isObject(error) && error.kind === "unread";
    if (!unread && !isEncoded(error, seen, index)) return false;
    last = index;
  }
  return true;
}

/** When each of so many calls began and ended. */
function areTimes(times: readonly unknown[], calls: number): boolean {
  if (times.length !== 2 * calls) return false;
  for (let i = 0; i < times.length; i += 2) {
    const started = times[i];
    const ended = times[i + 1];
    const fits = Number.isFinite(started) && Number.isFinite(ended) &&
      started as number <= (ended as number);
    if (!fits) return false;
  }
  return true;
}

/**
 * Whether it is an error as codec.ts encodes it: text where text belongs, and
 * no more parts than are ever encoded. What it is made of is `seen` to be
 * `its` own: decoding what many errors share would have no bound.
 */
function isEncoded(
  error: unknown,
  seen: Map<unknown, unknown>,
  its: unknown,
): boolean {
  const left: unknown[] = [error];
  let parts = 1;
  while (left.length > 0) {
    const encoded = left.pop();
    if (!isObject(encoded)) return false;
    if (seen.has(encoded)) {
      if (seen.get(encoded) !== its) return false;
      continue;
    }
    seen.set(encoded, its);
    if (encoded.kind === "value") continue;
    if (!isErrorItself(encoded)) return false;
    const { fields } = encoded;
    parts += fields.length;
    if (parts > MAX_PARTS) return false;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      if (!isField(field)) return false;
      left.push(field[1]);
      const list = errorsOf(field);
      if (list === undefined) continue;
      parts += list.length;
      if (parts > MAX_PARTS) return false;
      for (let j = 0; j < list.length; j++) left.push(list[j]);
    }
  }
  return true;
}

function isErrorItself(
  encoded: Record<string, unknown>,
): encoded is { fields: unknown[] } {
  return encoded.kind === "error" && typeof encoded.class === "string" &&
    typeof encoded.name === "string" && typeof encoded.message === "string" &&
    typeof encoded.stack === "string" && Array.isArray(encoded.fields);
}

type Field = readonly [key: string, value: unknown, enumerable: boolean];

function isField(field: unknown): field is Field {
  return Array.isArray(field) && field.length === 3 &&
    typeof field[0] === "string" && typeof field[2] === "boolean";
}

/** The errors of an `AggregateError`, if that is what a field has; see {@linkcode encodeError}. */
function errorsOf([key, encoded]: Field): readonly unknown[] | undefined {
  return key === "errors" && isObject(encoded) && encoded.kind === "value" &&
      Array.isArray(encoded.value)
    ? encoded.value
    : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** What a worker has said, and why none does. */
function lie(said: unknown, why: string): RangeError {
  return new RangeError(`A worker said ${describe(said)}, but ${why}`);
}

/** How many parts the longest message has. */
const MOST_PARTS = 7;

/** A message in few words: each part may be as large as it likes. */
function describe(said: unknown): string {
  if (!Array.isArray(said)) return describePart(said);
  const parts: string[] = [];
  for (let i = 0; i < Math.min(said.length, MOST_PARTS); i++) {
    parts.push(describePart(said[i]));
  }
  return `[${parts.join(", ")}${said.length > MOST_PARTS ? ", …" : ""}]`;
}

function describePart(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return isObject(value) ? "an object" : show(value);
}

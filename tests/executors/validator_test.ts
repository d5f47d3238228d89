// What a worker can say, message by message: what is right in the order in which
// it is, and each part of it replaced by what it cannot be.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import type { HostSlots } from "../../executors/pool/channel.ts";
import {
  type EncodedError,
  encodeError,
  MAX_PARTS,
} from "../../executors/pool/wire/codec.ts";
import { PoolFunction } from "../../executors/pool/host/functions.ts";
import { Ledger } from "../../executors/pool/host/ledger.ts";
import { SLOT_COUNT, Slots } from "../../executors/pool/wire/slots.ts";
import { Validator } from "../../executors/pool/host/validator.ts";
import { checkShape } from "../../executors/pool/wire/shape.ts";
import type { Job } from "../../executors/job/job.ts";

const FN = new PoolFunction(0, { kind: "source", source: "", name: "" });
const OTHER = new PoolFunction(1, { kind: "source", source: "1", name: "" });
const ERROR = encodeError(new TypeError("Message", { cause: [1] }));
const HUGE = 2 ** 32 - 1;

/** A worker that was sent items, each of so many calls. */
class Sent {
  readonly ledger: Ledger;
  readonly slots: HostSlots;
  readonly #worker: Slots | undefined;
  readonly validator: Validator;

  constructor(
    counts: number[],
    transport: "thread" | "process" = "thread",
    onReport?: () => void,
  ) {
    const memory = Slots.allocate();
    this.#worker = transport === "thread" ? new Slots(memory) : undefined;
    this.slots = this.#worker === undefined
      ? new AnnouncedSlots(() => true)
      : new Slots(memory);
    this.ledger = new Ledger(this.slots, Infinity);
    this.validator = new Validator(this.ledger, this.slots);
    this.ledger.define(FN);
    for (const count of counts) {
      this.ledger.reserve(count, 1);
      const options = { timeout: 1, onReport };
      const job = { count, position: 0, options } as Job;
      this.ledger.add(job, FN, 1);
    }
    if (this.slots instanceof AnnouncedSlots) this.slots.sent(counts.length);
  }

  /** The worker enters so many calls of an item. */
  enter(position: number, calls: number): this {
    for (let n = 0; n < calls; n++) this.#worker?.enter(position, n);
    return this;
  }

  /** The worker has said these, which it can. */
  says(...messages: unknown[]): this {
    for (const message of messages) {
      assertEquals(this.validator.check(message), message as never);
    }
    return this;
  }

  /** The worker cannot say any of these. */
  refuses(...messages: unknown[]): this {
    for (const message of messages) {
      assertThrows(
        () => this.validator.check(message),
        RangeError,
        "A worker said ",
      );
    }
    return this;
  }
}

/** A message with each of these at the place of one of its parts. */
function variants(
  message: readonly unknown[],
  part: number,
  ...values: unknown[]
): unknown[][] {
  return values.map((value) => message.with(part, value));
}

const NO_COUNT = [
  -1,
  0.5,
  NaN,
  Infinity,
  2 ** 53,
  1n,
  "1",
  null,
  undefined,
  {},
];
const NO_ARRAY = [
  5,
  "ab",
  {},
  { length: 1 },
  new Map(),
  new Uint8Array(1),
  null,
];

function sparse(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

Deno.test("Validator refuses what is no message", () => {
  new Sent([1]).refuses(
    ...[undefined, null, 5, 5n, "up", {}, new Map(), [], sparse(HUGE)],
    ...[["nonsense"], [["up"]], [0], { 0: "up", length: 1 }, [undefined]],
  );
});

Deno.test("Validator takes 'up' once, and before 'ready'", () => {
  new Sent([]).says(["up"]).refuses(["up"], ["up", 1]);
  new Sent([]).says(["ready"]).refuses(["up"]);
});

Deno.test("Validator takes 'ready' once", () => {
  new Sent([]).refuses(["ready", 1]).says(["ready"]).refuses(["ready"]);
});

Deno.test("Validator takes 'unfit' with an error, and before 'ready'", () => {
  const sent = new Sent([]).refuses(
    ["unfit"],
    ["unfit", ERROR, 1],
    ...variants(["unfit", 0], 1, undefined, null, 5, "error", [], {}),
    ["unfit", { kind: "unread" }],
  );
  sent.says(["unfit", ERROR], ["ready"]).refuses(["unfit", ERROR]);
});

Deno.test("Validator takes 'loading' and 'loaded' in turn, for each function once", () => {
  const sent = new Sent([1]).refuses(["loading"], ["loaded"]).says(["ready"]);
  sent.refuses(["loaded"], ["loading", 1]).says(["loading"]);
  sent.refuses(["loading"], ["loaded", 1]).says(["loaded"]);
  sent.refuses(["loading"], ["loaded"]);
  sent.ledger.define(OTHER);
  sent.says(["loading"], ["loaded"]).refuses(["loading"]);
});

Deno.test("Validator refuses 'loading' of a worker that has nothing to do", () => {
  new Sent([]).says(["ready"]).refuses(["loading"]);
});

Deno.test("Validator takes 'entered' for what was entered, in ascending order", () => {
  const sent = new Sent([1, 3, 1]).enter(0, 1).refuses(["entered", 0, 1]);
  sent.says(["ready"]).refuses(
    ...variants(["entered", 0, 1], 1, ...NO_COUNT, 1, 3, 2 ** 40),
    ...variants(["entered", 0, 1], 2, ...NO_COUNT, 0, 2, 2 ** 40),
    ["entered", 0],
    ["entered", 0, 1, 1],
  );
  sent.says(["entered", 0, 1]).refuses(["entered", 0, 1], ["entered", 1, 1]);
  sent.enter(1, 2).says(["entered", 1, 1], ["entered", 1, 2]);
  sent.refuses(["entered", 1, 1], ["entered", 1, 3], ["entered", 0, 1]);
});

Deno.test("Validator refuses 'entered' for what was not to be told", () => {
  const sent = new Sent([1]);
  sent.slots.send(0, false);
  sent.says(["ready"]).enter(0, 1).refuses(["entered", 0, 1]);
});

Deno.test("Validator refuses 'entered' for what was taken back, and what has ended", () => {
  const sent = new Sent([1, 1, 1]).says(["ready"]).enter(0, 1).enter(2, 1);
  sent.ledger.ended(1, 1);
  sent.refuses(["entered", 1, 1]).says(["entered", 2, 1]);
});

Deno.test("Validator takes 'revoked' for what a process was asked, with as many numbers", () => {
  const sent = new Sent([1, 4, 1], "process").refuses(["revoked", 0, []]);
  sent.slots.askToRevoke(0, 2);
  sent.refuses(
    ...variants(["revoked", 0, [1, 2]], 1, ...NO_COUNT, 1, 5),
    ...variants(["revoked", 0, [1, 2]], 2, ...NO_ARRAY, [], [1], [1, 2, 0]),
    ...variants(["revoked", 0, 0], 2, [2, 0], [1, 5], [1, -1], [1, 0.5]),
    ...variants(["revoked", 0, 0], 2, [1n, 0], sparse(HUGE), sparse(2)),
    ["revoked", 0],
    ["revoked", 0, [1, 2], 1],
  ).says(["revoked", 0, [1, 2]]);
  sent.slots.hear(["revoked", 0, [1, 2]]);
  sent.refuses(["revoked", 0, [1, 2]]);
});

Deno.test("Validator refuses a 'revoked' by which what has ended was not entered", () => {
  const sent = new Sent([4], "process").says(["ready"]);
  sent.ledger.ended(0, 2);
  sent.slots.askToRevoke(0, 1);
  sent.refuses(["revoked", 0, [1]]).says(["revoked", 0, [2]]);
});

Deno.test("Validator refuses 'revoked' of a thread, which is never asked", () => {
  const sent = new Sent([1]).says(["ready"]);
  sent.slots.askToRevoke(0, 1);
  sent.refuses(["revoked", 0, [0]]);
});

/** A report: only what differs from an empty one is given. */
function done(
  position: unknown,
  values: unknown,
  before: unknown = 0,
  failures?: unknown,
  times?: unknown,
  busyMs: unknown = 1,
): unknown[] {
  return ["done", position, busyMs, values, failures, times, before];
}

Deno.test("Validator refuses 'done' before 'ready'", () => {
  new Sent([1]).refuses(done(1, [5]));
});

Deno.test("Validator refuses a 'done' with a part of another type", () => {
  const right = done(1, [5]);
  new Sent([1]).says(["ready"]).refuses(
    right.slice(0, 6),
    [...right, 1],
    ...variants(right, 1, ...NO_COUNT, 2, SLOT_COUNT + 1),
    ...variants(right, 2, NaN, -1, Infinity, 1n, "1", null, undefined, 1e300),
    ...variants(right, 3, ...NO_ARRAY, [], [5, 5], sparse(HUGE), undefined),
    ...variants(right, 4, ...NO_ARRAY, [], [0], sparse(HUGE), sparse(2)),
    ...variants(right, 5, ...NO_ARRAY, [1, 2], sparse(HUGE)),
    ...variants(right, 6, ...NO_COUNT, 1),
  ).says(right);
});

Deno.test("Validator takes as many outcomes as there can be before a position", () => {
  const sent = new Sent([1, 3, 1]).says(["ready"]);
  sent.refuses(done(0, []), done(1, []), done(2, [1, 2, 3]), done(3, [1]));
  // One of the first item, and two of the second, which goes on.
  sent.refuses(done(1, [1, 2, 3, 4, 5])).says(done(1, [1, 2, 3]));
  sent.ledger.ended(0, 1);
  sent.ledger.ended(1, 2);
  sent.ledger.head = 1;
  sent.refuses(done(1, [], 3), done(0, [], 3), done(2, [], 3));
  sent.refuses(done(2, [4, 5, 6], 3), done(2, [4]), done(2, [4], 2));
  sent.says(done(2, [4], 3));
});

Deno.test("Validator takes a 'done' that passes over what was taken back", () => {
  const sent = new Sent([1, 1, 1]).says(["ready"]);
  sent.ledger.ended(1, 1);
  sent.refuses(done(3, [1, 2, 3])).says(done(3, [1, 2]));
  sent.ledger.head = 3;
  sent.refuses(done(3, [], 2));
});

Deno.test("Validator takes failures in ascending order, each with an error", () => {
  const value: EncodedError = { kind: "value", value: undefined };
  const sent = new Sent([1, 1, 1]).says(["ready"]);
  const failed = (...failures: unknown[]) => done(3, [1, 2, 3], 0, failures);
  sent.refuses(
    failed(0, ERROR, 0, value),
    failed(1, ERROR, 0, value),
    failed(0, ERROR, 1),
    failed(3, ERROR),
    ...NO_COUNT.map((index) => failed(index, ERROR)),
    ...[null, 5, [], {}, { kind: "other" }].map((it) => failed(0, it)),
    // Decoding what they share would have no bound.
    failed(0, ERROR, 1, ERROR),
    failed(0, ERROR, 1, { ...ERROR, fields: [["cause", ERROR, false]] }),
  );
  sent.says(failed(0, value, 1, ERROR, 2, { kind: "unread" }));
});

Deno.test("Validator takes times that do not go back, of a worker that was to watch", () => {
  const sent = new Sent([1, 1]).says(["ready"]);
  const timed = (...times: unknown[]) => done(2, [1, 2], 0, undefined, times);
  sent.refuses(timed(1, 2, 3, 4));
  sent.ledger.watched = true;
  sent.refuses(
    timed(),
    timed(1, 2),
    timed(1, 2, 3, 4, 5, 6),
    timed(1, 2, 4, 3),
  );
  sent.refuses(
    ...[NaN, Infinity, 1n, "3", null].map((it) => timed(1, 2, it, 4)),
  );
  sent.says(timed(1, 2, 3, 3));
});

Deno.test("Validator takes 'unreadable' where a result is due, and counts it", () => {
  new Sent([]).says(["ready"]).refuses(["unreadable"]);
  const sent = new Sent([1, 1]).refuses(["unreadable"]).says(["ready"]);
  sent.refuses(["unreadable", 1]).says(["unreadable"]);
  sent.ledger.ended(0, 1);
  sent.ledger.head = 1;
  // The report of the call that it has ended.
  sent.refuses(done(1, [5]), done(2, [5])).says(done(2, [5], 1));
});

/** A worker that is ready and was sent jobs of so many calls, to the reports of which somebody listens. */
function reporting(
  counts: number[],
  transport: "thread" | "process" = "thread",
): Sent {
  return new Sent(counts, transport, () => {}).says(["ready"]);
}

Deno.test("Validator takes 'report' of the call that runs, and of no other", () => {
  const sent = reporting([1, 3]);
  const right = ["report", 0, 0, {}, false];
  // Nothing was entered.
  sent.refuses(right).enter(0, 1).refuses(
    right.slice(0, 4),
    [...right, 1],
    ...variants(right, 1, ...NO_COUNT, 1, 2, SLOT_COUNT),
    ...variants(right, 2, ...NO_COUNT, 1),
    ...variants(right, 4, 0, null, undefined, "", true),
  ).says(right, right, ["report", 0, 0, sparse(HUGE), false]);
  sent.says(done(1, [5]));
  sent.ledger.ended(0, 1);
  sent.ledger.head = 1;
  sent.refuses(right, ["report", 1, 0, 5, false]).enter(1, 2);
  sent.refuses(["report", 1, 1, 5, false]).says(["report", 1, 0, 5, false]);
  sent.says(done(1, [5], 1));
  sent.ledger.ended(1, 1);
  sent.refuses(["report", 1, 0, 5, false], ["report", 1, 2, 5, false]);
  sent.says(["report", 1, 1, 5, false]);
});

Deno.test("Validator refuses 'report' and 'reporting' where nobody listens, or nothing runs", () => {
  const report = ["report", 0, 0, 5, false];
  const silent = new Sent([1]).says(["ready"]).enter(0, 1);
  silent.refuses(report, ["reporting", true], ["reporting", false]);
  const early = new Sent([1], "thread", () => {}).enter(0, 1);
  early.refuses(report, ["reporting", true]);
  reporting([]).refuses(report, ["reporting", true], ["reporting", false]);
  reporting([1]).refuses(["reporting", true]).enter(0, 1)
    .refuses(["reporting"], ["reporting", true, 1], ["reporting", 1])
    .says(["reporting", true]);
});

Deno.test("Validator takes 'unreadable' for a report as often as one was announced", () => {
  const sent = reporting([1]).enter(0, 1);
  const report = ["report", 0, 0, 5, true];
  sent.refuses(report, ["reporting", false]);
  sent.says(["reporting", true], report).refuses(report);
  sent.says(["reporting", true], ["reporting", false]).refuses(report);
  sent.says(["reporting", true], ["report", 0, 0, 5, false], ["unreadable"]);
  assertEquals(sent.validator.lost, "report");
  // One inside another.
  sent.says(["reporting", true], ["reporting", true], ["unreadable"], report);
  sent.says(["unreadable"]);
  assertEquals(sent.validator.lost, "result");
  sent.refuses(done(1, [5]));
});

Deno.test("Validator takes 'report' of a process that may be at a call", () => {
  const sent = reporting([1, 2], "process");
  const right = ["report", 0, 0, 5, false];
  sent.says(right, ["entered", 0, 1]);
  sent.slots.hear(["entered", 0, 1]);
  sent.says(right).refuses(["report", 1, 0, 5, false]);
});

Deno.test("Validator takes 'closing' with what may be known of the end", () => {
  const sent = new Sent([1]);
  const right = ["closing", undefined, undefined];
  sent.refuses(
    ["closing"],
    [...right, 0, 0],
    ...variants(right, 1, null, 5, {}, { kind: "unread" }),
    ...variants(right, 2, null, 0.5, NaN, "1", 1n, {}),
    ...variants([...right, 0], 3, -1, 0.5, NaN, "1", 1n, null),
  );
  sent.says(right, ["closing", ERROR, 1], [...right, 0]);
});

Deno.test("checkShape() takes an error as it is encoded, and no other", () => {
  const error = ERROR as Extract<EncodedError, { kind: "error" }>;
  const is = (error: unknown) => checkShape(["unfit", error]);
  const textless = { toString: null };
  const field = (...field: unknown[]) => ({ ...error, fields: [field] });
  const list = (value: unknown) =>
    field("errors", { kind: "value", value }, false);
  is(error);
  is(field("__proto__", ERROR, true));
  is(list([ERROR, { kind: "value", value: 5n }]));
  is(encodeError(Object.assign(new Error(), { errors: sparse(HUGE) })));
  for (
    const wrong of [
      ...["class", "name", "message", "stack"].flatMap((key) =>
        [textless, 5, 5n, null, undefined, [], ["Error"]].map((it) => ({
          ...error,
          [key]: it,
        }))
      ),
      ...[...NO_ARRAY, [5], [[]], sparse(HUGE), sparse(1)].map((fields) => ({
        ...error,
        fields,
      })),
      field("key", ERROR),
      field("key", ERROR, 1),
      field(textless, ERROR, true),
      field("key", 5, true),
      field("key", { kind: "unread" }, true),
      list([5]),
      list(sparse(HUGE)),
      list(sparse(2)),
      list(Array(MAX_PARTS).fill(ERROR)),
    ]
  ) {
    assertThrows(
      () => is(wrong),
      RangeError,
      "A worker said",
      Deno.inspect(wrong),
    );
  }
});

Deno.test("PoolFunction.learn() forgets the longest time after some good reports", () => {
  const fn = new PoolFunction(0, { kind: "source", source: "", name: "" });
  fn.learn(Number.MAX_SAFE_INTEGER);
  for (let report = 0; report < 20; report++) fn.learn(0.01);
  assert(fn.cost < 1);
});

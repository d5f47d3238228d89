// What structured clone would lose without a word, and what is found of it.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  cloneReviving,
  describeExceptions,
  exceptionsAreKept,
  reviveExceptions,
} from "../../executors/pool/wire/revive.ts";
import {
  canClone,
  checkSendable,
  type Destination,
} from "../../executors/pool/wire/sendable.ts";

const DESTINATIONS: readonly Destination[] = ["thread", "process"];

/** The words with which something is refused. */
function refusalOf(
  value: unknown,
  destination: Destination,
  moved: readonly unknown[] = [],
): string {
  const check = () => checkSendable(value, destination, moved);
  const error = assertThrows(check, DOMException);
  assertEquals(error.name, "DataCloneError");
  return error.message;
}

/** The same thing in every place that there is. */
function* placesOf(thing: unknown): Iterable<unknown> {
  yield thing;
  yield [thing];
  yield [, , thing];
  yield { a: { b: thing } };
  yield Object.assign(Object.create(null), { thing });
  yield new Map([[1, thing]]);
  yield new Map([[thing, 1]]);
  yield new Set([thing]);
  yield new Error("a", { cause: thing });
  yield new (class Point {
    thing = thing;
  })();
}

Deno.test("checkSendable() finds what would arrive as something else, wherever it is", () => {
  for (const place of placesOf(new AbortController().signal)) {
    for (const destination of DESTINATIONS) {
      assertEquals(
        refusalOf(place, destination),
        `AbortSignal objects cannot be sent to another ${destination}: send the data in them instead`,
      );
    }
    assert(!canClone(place));
  }
  for (const place of placesOf(new Proxy({}, {}))) {
    assertEquals(refusalOf(place, "thread"), "a Proxy cannot be cloned");
  }
});

Deno.test("checkSendable() tells what is moved from what is not", () => {
  const stream = new ReadableStream();
  assertEquals(
    refusalOf([stream], "thread"),
    "ReadableStream objects are moved, not copied: write transfer(value, [object])",
  );
  assertEquals(checkSendable([stream], "thread", [stream]), []);
  assertEquals(
    refusalOf([stream], "process"),
    "ReadableStream objects cannot be sent to another process: send the data in them instead",
  );
});

Deno.test("checkSendable() leaves to structured clone what that keeps, or refuses by itself", () => {
  const values = [
    ...[1, "text", null, undefined, 1n, true, Symbol("a"), () => {}],
    ...[[1, [2]], { a: { b: 1 } }, new Map([[{}, []]]), new Set([{}])],
    ...[new Date(), /a/, Object(1), new Uint8Array(3), new ArrayBuffer(3)],
    ...[new Error("a"), new RangeError("a", { cause: { a: 1 } })],
  ];
  for (const value of values) {
    for (const destination of DESTINATIONS) {
      assertEquals(checkSendable(value, destination), []);
    }
  }
  // Nobody reads what an error or an array has besides.
  const extra = { signal: new AbortController().signal };
  assertEquals(checkSendable(Object.assign(new Error(), extra), "thread"), []);
  assertEquals(checkSendable(Object.assign([1], extra), "thread"), []);
});

Deno.test("checkSendable() returns each DOMException once", () => {
  const [one, two] = [new DOMException("one"), new DOMException("two")];
  const value = [one, { one, list: [two, one] }, new Set([two])];
  const found = checkSendable(value, "process");
  assertEquals(found.length, 2);
  assertEquals(new Set(found), new Set([one, two]));
});

Deno.test("checkSendable() ends with circles, and with what is too deep", () => {
  const circle: { self?: unknown; list: unknown[] } = { list: [] };
  circle.self = circle;
  circle.list.push(circle, circle.list);
  assertEquals(checkSendable(circle, "thread"), []);
  // A chain that comes back to its beginning without being wide anywhere.
  const ring: { next?: unknown } = {};
  let last = ring;
  for (let i = 0; i < 100; i++) last = (last.next = {}) as typeof ring;
  last.next = ring;
  assertEquals(checkSendable(ring, "thread"), []);

  let deep: unknown = [];
  for (let i = 0; i < 10; i++) deep = [deep];
  assertEquals(checkSendable(deep, "thread", [], 11), []);
  const check = () => checkSendable(deep, "thread", [], 10);
  assertThrows(check, DOMException, "it is nested too deeply");
  const endless = {
    get next() {
      return Object.create(
        Object.prototype,
        Object.getOwnPropertyDescriptors(endless),
      );
    },
  };
  assertEquals(refusalOf(endless, "thread"), "it is nested too deeply");
});

Deno.test("checkSendable() reads an array that is nearly empty by what is there", () => {
  const sparse: unknown[] = [];
  sparse[4_000_000_000] = new AbortController().signal;
  refusalOf(sparse, "thread");
  sparse[4_000_000_000] = 1;
  assertEquals(checkSendable(sparse, "thread"), []);
});

Deno.test("checkSendable() is not misled by what a program has put in place of methods", () => {
  const map = Object.assign(new Map([[1, new AbortController().signal]]), {
    forEach() {},
    [Symbol.iterator]: () => [][Symbol.iterator](),
  });
  refusalOf(map, "thread");
});

Deno.test("canClone() says whether it can be sent to a thread", () => {
  assert(canClone({ a: [1] }));
  assert(!canClone({ a: () => {} }));
  const { port1, port2 } = new MessageChannel();
  assert(!canClone(port1));
  port1.close();
  port2.close();
  let deep: unknown = 0;
  for (let i = 0; i < 100_000; i++) deep = { deep };
  assert(!canClone(deep));
});

Deno.test("reviveExceptions() puts DOMExceptions where their copies are", () => {
  const exception = new DOMException("Gone", "AbortError");
  const described = describeExceptions([exception]);
  assertEquals(described, [[exception, "Gone", "AbortError"]]);
  // As V8 reads it.
  const copy = Object.assign(new Error(), { stack: "its stack" });
  const other = new Error("other");
  const bytes = new Uint8Array([1]);
  const message: unknown[] = [
    copy,
    { copy, other },
    new Map<unknown, unknown>([["before", 1], [copy, copy], ["after", 2]]),
    new Set([1, copy, 2]),
    new Error("outer", { cause: copy }),
    bytes,
  ];
  message.push(message);
  reviveExceptions(message, [[copy, "Gone", "AbortError"]]);
  const [revived, fields, map, set, outer] = message as [
    DOMException,
    { copy: unknown; other: unknown },
    Map<unknown, unknown>,
    Set<unknown>,
    Error,
  ];
  assertInstanceOf(revived, DOMException);
  assertEquals(
    [revived.name, revived.message, revived.stack],
    ["AbortError", "Gone", "its stack"],
  );
  assertStrictEquals(fields.copy, revived);
  assertStrictEquals(fields.other, other);
  assertEquals([...map.keys()], ["before", revived, "after"]);
  assertStrictEquals(map.get(revived), revived);
  assertEquals([...set], [1, revived, 2]);
  assertStrictEquals(outer.cause, revived);
  assertStrictEquals(message[5], bytes);
  assertStrictEquals(message.at(-1), message);
});

Deno.test("cloneReviving() copies DOMExceptions as they were on every Deno", () => {
  const exception = new DOMException("Gone", "AbortError");
  const value = { list: [exception], map: new Map([[1, exception]]) };
  const copy = cloneReviving(value, [exception]) as typeof value;
  const [copied] = copy.list;
  assertInstanceOf(copied, DOMException);
  assertEquals([copied.name, copied.message], ["AbortError", "Gone"]);
  assertStrictEquals(copy.map.get(1), copied);
  assert(copied !== exception);
  assertEquals(cloneReviving({ a: [1] }, []), { a: [1] });
  assertEquals(
    exceptionsAreKept(),
    structuredClone(exception) instanceof DOMException,
  );
});

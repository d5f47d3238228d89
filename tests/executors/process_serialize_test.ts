// Messages to and from worker processes as bytes.
// @group processes

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  canSerialize,
  deserialize,
  loadSerializer,
  serialize,
} from "../../executors/pool/process/serialize.ts";

/** What comes of a message on the other side. */
function sent(message: unknown, moved: Transferable[] = []): unknown {
  return deserialize(serialize(message, moved));
}

/** The error with which a message is refused. */
function refusalOf(message: unknown, moved: Transferable[] = []): DOMException {
  const error = assertThrows(() => serialize(message, moved), DOMException);
  assertEquals(error.name, "DataCloneError");
  return error;
}

const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  -0,
  NaN,
  10n ** 30n,
  "text \ud800",
  new Date(5),
  /a+/giu,
  [1, , 3],
  { a: { b: [] } },
  new Map<unknown, unknown>([[{ key: 1 }, new Set([1])]]),
  new Uint8Array([1, 2, 3]),
  new Float64Array([1.5]).buffer,
  new DataView(new ArrayBuffer(4), 1, 2),
  Object(1n),
  new RangeError("Wrong", { cause: new Error("deep") }),
];

Deno.test("serialize() carries what structured clone does", () => {
  for (const value of VALUES) {
    assertEquals(sent(value), structuredClone(value));
    assert(canSerialize(value));
  }
});

Deno.test("serialize() keeps what a message has twice, and its circles", () => {
  const shared = { a: 1 };
  const circle: unknown[] = [shared, shared];
  circle.push(circle);
  const copy = sent(circle) as unknown[];
  assert(copy[0] === copy[1] && copy[2] === copy && copy[0] !== shared);
});

Deno.test("serialize() takes a view of a large buffer for as much as it shows", () => {
  const view = new Uint8Array(2 ** 20).subarray(10, 20);
  view.fill(7);
  const copy = sent(view) as Uint8Array;
  assertEquals([...copy], [...view]);
});

Deno.test("serialize() moves buffers, and leaves them where they are if it fails", () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  refusalOf([buffer, () => {}], [buffer]);
  assert(!buffer.detached);
  const copy = sent([buffer], [buffer]) as ArrayBuffer[];
  assertEquals([...new Uint8Array(copy[0]!)], [1, 2, 3]);
  assert(buffer.detached);
  refusalOf([1], [buffer]);
  // Whether it is in the message or not.
  const other = new ArrayBuffer(1);
  assertEquals(sent(1, [other]), 1);
  assert(other.detached);
});

Deno.test("serialize() refuses what only a thread can be given, or nobody", () => {
  const { port1, port2 } = new MessageChannel();
  const things = [
    ...[new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1))],
    ...[port1, new Blob(["a"]), new URL("https://example.com"), new Headers()],
    ...[new AbortController().signal, new ReadableStream()],
    ...[() => {}, Symbol("a"), Promise.resolve(), new WeakMap()],
    ...[new Proxy({}, {}), new Proxy([], {})],
  ];
  for (const [i, thing] of things.entries()) {
    for (const message of [thing, [thing], { a: new Map([[1, thing]]) }]) {
      const text = refusalOf(message).message;
      assert(text.length > 10, `thing ${i}: ${text}`);
      assert(!canSerialize(message));
    }
  }
  refusalOf(1, [port2]);
  port1.close();
  port2.close();
});

Deno.test("serialize() does not look for such things in what is said to be plain", () => {
  assertEquals(deserialize(serialize(["done", 1, 0.5, [{ a: 1 }]])), [
    "done",
    1,
    0.5,
    [{ a: 1 }],
  ]);
  // V8 refuses by itself what it knows nothing of, with an error of its own.
  const error = assertThrows(() => serialize([() => {}]), DOMException);
  assertEquals(error.name, "DataCloneError");
});

Deno.test("serialize() throws what a getter throws", () => {
  const value = {
    get a() {
      throw new RangeError("No");
    },
  };
  assertThrows(() => serialize(value, []), RangeError, "No");
  assertThrows(() => serialize(value), RangeError, "No");
});

Deno.test("serialize() brings DOMExceptions, wherever they are", () => {
  const exception = new DOMException("Gone", "AbortError");
  const message = {
    list: [exception, exception],
    map: new Map<unknown, unknown>([[exception, exception]]),
    set: new Set([exception]),
    error: new Error("a", { cause: exception }),
  };
  const copy = sent(message) as typeof message;
  const [first, second] = copy.list;
  assertInstanceOf(first, DOMException);
  assertEquals([first.name, first.message], ["AbortError", "Gone"]);
  assertEquals(first.code, DOMException.ABORT_ERR);
  assertEquals(first.stack, exception.stack);
  assert(first === second && copy.map.get(first) === first);
  assert(copy.set.has(first) && copy.error.cause === first);
  assertEquals([copy.map.size, copy.set.size], [1, 1]);
});

Deno.test("deserialize() throws at what is no message", () => {
  for (const bytes of [[], [1], [255, 15], [255, 15, 0], [0, 0, 0, 0, 0]]) {
    assertThrows(() => deserialize(Uint8Array.from(bytes)));
  }
  const whole = serialize({ a: [1, 2, 3], b: "text" });
  for (let length = 0; length < whole.length - 1; length++) {
    assertThrows(() => deserialize(whole.subarray(0, length)));
  }
});

Deno.test("canSerialize() says no to what would be too deep for its reader", () => {
  let deep: unknown = 0;
  for (let i = 0; i < 100_000; i++) deep = { deep };
  assert(!canSerialize(deep));
});

Deno.test("loadSerializer() may be called again", async () => {
  await loadSerializer();
  await loadSerializer();
  assertEquals(sent([1]), [1]);
});

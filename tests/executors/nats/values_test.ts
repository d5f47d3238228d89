// Values as bytes: the same on the other side, and nothing else believed.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  decodeValues,
  encodePlain,
  encodeValue,
  MAX_VALUE_BYTES,
  UnreadableError,
} from "../../../executors/nats/values.ts";
import { forSeeds } from "../helpers/random.ts";

/** What comes of a block of one value. */
function decodeValue(bytes: Uint8Array): unknown {
  return decodeValues(bytes, 1)[0];
}

Deno.test("encodeValue() keeps what structured clone keeps", () => {
  const cyclic: Record<string, unknown> = {
    list: [1, 2n, "a", null, undefined],
  };
  cyclic.self = cyclic;
  for (
    const value of [
      undefined,
      -0,
      new Map([[{ a: 1 }, new Set([new Date(7)])]]),
      /a/gi,
      new Uint8Array([1, 2, 3]),
      new Float64Array([0.5]),
      [, 1],
      cyclic,
    ]
  ) assertEquals(decodeValue(encodeValue(value)), value);
  const gone = decodeValue(encodeValue(new DOMException("a", "NotFoundError")));
  assertInstanceOf(gone, DOMException);
  assertEquals([gone.message, gone.name], ["a", "NotFoundError"]);
});

Deno.test("encodeValue() moves what is to be moved", () => {
  const { buffer } = new Uint8Array([1, 2, 3]);
  const bytes = encodeValue({ buffer }, [buffer]);
  assert(buffer.detached);
  assertEquals(
    new Uint8Array((decodeValue(bytes) as { buffer: ArrayBuffer }).buffer),
    new Uint8Array([1, 2, 3]),
  );
});

Deno.test("encodeValue() refuses what would be lost on the way", () => {
  for (
    const value of [() => 1, new URL("http://a"), new SharedArrayBuffer(1)]
  ) {
    const error = assertThrows(() => encodeValue([value]), DOMException);
    assertEquals(error.name, "DataCloneError");
  }
});

Deno.test("encodePlain() takes all values that fit", () => {
  const values = [[1, "a"], [{ b: [2] }], []];
  const { bytes, count } = encodePlain(values);
  assertEquals(count, 3);
  assertEquals(decodeValues(bytes, 3), values);
});

Deno.test("encodePlain() takes the first ones if all do not fit", () => {
  const values = Array.from({ length: 100 }, (_, i) => [i, "x".repeat(20_000)]);
  const { bytes, count } = encodePlain(values);
  assert(bytes.length <= MAX_VALUE_BYTES && count >= 30, `${count}`);
  assertEquals(decodeValues(bytes, count), values.slice(0, count));
});

Deno.test("encodePlain() takes one at least, however large", () => {
  const values = [["x".repeat(2 * MAX_VALUE_BYTES)], [1]];
  const { bytes, count } = encodePlain(values);
  assertEquals(count, 1);
  assertEquals(decodeValues(bytes, 1), values.slice(0, 1));
});

Deno.test("decodeValues() gives as many values as were announced", () => {
  const { bytes } = encodePlain([1, 2, 3]);
  for (const count of [0, 2, 4]) {
    assertThrows(() => decodeValues(bytes, count), UnreadableError);
  }
});

Deno.test("decodeValues() takes nothing of another version", () => {
  const bytes = encodeValue(1);
  const other = bytes.slice();
  other[new TextDecoder("latin1").decode(bytes).indexOf("FUT1") + 3]!++;
  for (
    const wrong of [
      other,
      bytes.subarray(1),
      new Uint8Array(),
      bytes.slice(0, 4),
    ]
  ) assertThrows(() => decodeValue(wrong), UnreadableError);
});

Deno.test("decodeValues() pollutes no prototype", () => {
  const own = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}');
  const value = decodeValue(encodeValue(own)) as object;
  assert(Object.hasOwn(value, "__proto__"));
  assertEquals(({} as { polluted?: number }).polluted, undefined);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
});

Deno.test("decodeValues() survives whatever comes", async () => {
  const good = encodeValue({
    map: new Map<unknown, unknown>([["a", [1, 2.5, 3n]], [{ b: 1 }, /c/]]),
    error: new RangeError("d", { cause: new DOMException("e", "f") }),
    bytes: new Uint16Array([1, 2, 3]),
    date: new Date(9),
  });
  await forSeeds(5000, (random) => {
    const bytes = good.slice(0, 5 + random.below(good.length));
    for (let n = 0; n < 3; n++) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    try {
      decodeValue(bytes);
    } catch (error) {
      assertInstanceOf(error, UnreadableError);
    }
  });
  assertEquals(({} as { b?: number }).b, undefined);
});

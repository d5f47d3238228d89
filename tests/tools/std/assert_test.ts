// What this project expects of @std/assert. Where JSR answers these tests take
// the real one, elsewhere the stand-in, so that the two cannot drift apart. What
// an assertion does is checked by node:assert, as it cannot vouch for itself.

import {
  assert,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { assertEquals as assertEqualsAlone } from "@std/assert/equals";
import * as node from "node:assert/strict";

/** What an assertion fails with. */
function failureOf(assertion: () => unknown): AssertionError {
  try {
    assertion();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  throw new Error("Expected the assertion to fail");
}

class Point {
  constructor(readonly x: number) {}
  get double(): number {
    return this.x * 2;
  }
}

class OtherPoint {
  constructor(readonly x: number) {}
}

const CYCLE: unknown[] = [1];
CYCLE.push(CYCLE);
const SAME_CYCLE: unknown[] = [1];
SAME_CYCLE.push(SAME_CYCLE);

const EQUAL: readonly [name: string, a: unknown, b: unknown][] = [
  ["0 and -0", [0], [-0]],
  ["NaN", [NaN], [NaN]],
  ["plain objects in another order", { a: 1, b: { c: 2 } }, {
    b: { c: 2 },
    a: 1,
  }],
  ["objects without prototype", Object.create(null), {}],
  ["instances of a class", new Point(1), new Point(1)],
  ["dates", new Date(5), new Date(5)],
  ["invalid dates", new Date(NaN), new Date(NaN)],
  ["regular expressions", /a/g, /a/g],
  ["URLs", new URL("http://a/"), new URL("http://a")],
  ["sets in another order", new Set([1, 2]), new Set([2, 1])],
  ["sets of objects", new Set([{ a: 1 }, {}]), new Set([{}, { a: 1 }])],
  [
    "maps in another order",
    new Map([[1, "a"], [2, "b"]]),
    new Map([
      [2, "b"],
      [1, "a"],
    ]),
  ],
  [
    "maps with objects as keys",
    new Map([[{ a: 1 }, [1]]]),
    new Map([
      [{ a: 1 }, [1]],
    ]),
  ],
  [
    "typed arrays",
    new Float64Array([1, NaN, 0]),
    new Float64Array([1, NaN, -0]),
  ],
  ["buffers", new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
  ["symbols as keys", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 1 }],
  ["circles", CYCLE, SAME_CYCLE],
];

const DIFFERENT: readonly [name: string, a: unknown, b: unknown][] = [
  ["number and text", 1, "1"],
  ["null and undefined", null, undefined],
  ["null and object", null, {}],
  ["absent and undefined", {}, { a: undefined }],
  ["array and object", [], {}],
  ["lists of other length", [1], [1, undefined]],
  ["hole and undefined", [,], [undefined]],
  ["instances of other classes", new Point(1), new OtherPoint(1)],
  ["instance and plain object", new Point(1), { x: 1 }],
  ["errors with other messages", new Error("a"), new Error("b")],
  ["errors of other classes", new Error("a"), new TypeError("a")],
  ["dates", new Date(5), new Date(6)],
  ["regular expressions with other flags", /a/g, /a/i],
  ["sets", new Set([1, 2]), new Set([1, 3])],
  ["sets of objects", new Set([{ a: 1 }]), new Set([{ a: 2 }])],
  ["maps with another value", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["set and map", new Set(), new Map()],
  ["typed arrays of other types", new Uint8Array(1), new Int8Array(1)],
  ["buffers", new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  ["functions", () => {}, () => {}],
  ["symbols", Symbol("a"), Symbol("a")],
  ["bigint and number", 1n, 1],
];

Deno.test("assertEquals() compares by content", () => {
  for (const [name, a, b] of EQUAL) {
    try {
      assertEquals(a, b);
      assertEquals(b, a);
    } catch (error) {
      throw new Error(`${name} should be equal`, { cause: error });
    }
    node.throws(() => assertNotEquals(a, b), AssertionError, name);
  }
  for (const [name, a, b] of DIFFERENT) {
    node.throws(() => assertEquals(a, b), AssertionError, name);
    node.throws(() => assertEquals(b, a), AssertionError, name);
    assertNotEquals(a, b, name);
  }
});

Deno.test("assertEquals() is fast enough for large collections", () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);

  assertEquals(numbers, [...numbers]);
  assertEquals(new Set(numbers), new Set(numbers.toReversed()));
  assertEquals(
    new Map(numbers.map((it) => [it, { it }])),
    new Map(numbers.map((it) => [it, { it }])),
  );
});

Deno.test("assertEquals() refuses what cannot be listed", () => {
  node.throws(() => assertEquals(new WeakMap(), new WeakMap()), TypeError);
  node.throws(() => assertEquals(new WeakSet(), new WeakSet()), TypeError);
});

Deno.test("assertEquals() shows the lines that differ", () => {
  const { message } = failureOf(() =>
    assertEquals({ a: 1, b: [1, 2], c: 3 }, { a: 1, b: [1, 5], c: 3 }, "Words")
  );

  node.match(message, /^Values are not equal: Words/);
  // deno-lint-ignore no-control-regex
  const lines = message.replaceAll(/\x1b\[\d+m/g, "").split("\n");
  const marked = lines.filter((line) => /^[-+]\s+\d/.test(line));
  node.deepEqual(marked.map((line) => line.replace(/\s+/, " ")), [
    "- 2,",
    "+ 5,",
  ]);
});

Deno.test("assertEquals() can be imported alone", () => {
  node.equal(assertEqualsAlone, assertEquals);
});

Deno.test("assertStrictEquals() tells equal content from the same value", () => {
  const value = { a: 1 };

  assertStrictEquals(value, value);
  assertStrictEquals(NaN, NaN);
  node.match(
    failureOf(() => assertStrictEquals(value, { a: 1 })).message,
    /same structure but are not reference-equal/,
  );
  node.match(
    failureOf(() => assertStrictEquals(0, -0)).message,
    /not strictly equal/,
  );
});

Deno.test("assertThrows() returns the error it expects", () => {
  const error = new RangeError("Cannot do that");
  const fn = () => {
    throw error;
  };

  node.equal(assertThrows(fn), error);
  node.equal(assertThrows(fn, "words"), error);
  node.equal(assertThrows(fn, Error), error);
  node.equal(assertThrows(fn, RangeError, "do that"), error);
});

Deno.test("assertThrows() accepts thrown values if no class is expected", () => {
  const thrown = assertThrows(() => {
    throw 0;
  });

  node.equal(thrown, 0);
});

Deno.test("assertThrows() fails on anything else", () => {
  const fn = () => {
    throw new RangeError("Cannot do that");
  };
  const messages = [
    failureOf(() => assertThrows(() => 1, Error, "", "words")),
    failureOf(() => assertThrows(fn, TypeError)),
    failureOf(() => assertThrows(fn, RangeError, "this")),
    failureOf(() =>
      assertThrows(() => {
        throw "text";
      }, Error)
    ),
  ].map(({ message }) => message);

  node.deepEqual(messages, [
    "Expected function to throw: words",
    'Expected error to be instance of "TypeError", but was "RangeError".',
    'Expected error message to include "this", but got "Cannot do that".',
    "A non-Error object was thrown.",
  ]);
});

Deno.test("assertRejects() resolves with the error it expects", async () => {
  const error = new DOMException("Too late", "TimeoutError");
  const fn = () => Promise.reject(error);

  node.equal(await assertRejects(fn), error);
  node.equal(await assertRejects(fn, DOMException, "late"), error);
});

Deno.test("assertRejects() fails on anything else", async () => {
  const fn = () => Promise.reject(new RangeError("Cannot do that"));
  const failures = [
    assertRejects(() => Promise.resolve(1), Error, "", "words"),
    assertRejects(fn, TypeError),
    assertRejects(fn, RangeError, "this"),
    assertRejects(() => {
      throw new RangeError("Cannot do that");
    }, RangeError),
    // @ts-expect-error not a promise
    assertRejects(() => 1, Error),
  ];

  const messages: string[] = [];
  for (const failure of failures) {
    await node.rejects(failure, (error: unknown) => {
      assertInstanceOf(error, AssertionError);
      messages.push(error.message);
      return true;
    });
  }

  node.deepEqual(messages, [
    "Expected function to reject: words",
    'Expected error to be instance of "TypeError", but was "RangeError".',
    'Expected error message to include "this", but got "Cannot do that".',
    "Function throws when expected to reject.",
    "Function throws when expected to reject.",
  ]);
});

Deno.test("the other assertions hold and fail", () => {
  const cases: [holds: () => void, fails: () => void, message: RegExp][] = [
    [() => assert(1), () => assert(0, "words"), /^words$/],
    [() => assertFalse(""), () => assertFalse("a", "words"), /^words$/],
    [() => assertExists(0), () => assertExists(null), /null/],
    [() => assertGreater(2, 1), () => assertGreater(1, 1), /1 > 1/],
    [
      () => assertGreaterOrEqual(1, 1),
      () => assertGreaterOrEqual(0, 1),
      /0 >= 1/,
    ],
    [() => assertLess(1, 2), () => assertLess(1, 1), /1 < 1/],
    [() => assertLessOrEqual(1, 1), () => assertLessOrEqual(2, 1), /2 <= 1/],
    [
      () => assertInstanceOf([], Array),
      () => assertInstanceOf(1, Date),
      /"Date" but was "number"/,
    ],
    [
      () => assertMatch("abc", /b/),
      () => assertMatch("abc", /d/, "words"),
      /"abc" to match: "\/d\/": words/,
    ],
    [
      () => assertStringIncludes("abc", "b"),
      () => assertStringIncludes("abc", "d"),
      /"abc" to contain: "d"/,
    ],
    [() => {}, () => fail("words"), /^Failed assertion: words$/],
  ];

  for (const [holds, fails, message] of cases) {
    holds();
    node.match(failureOf(fails).message, message);
  }
});

Deno.test("AssertionError is an Error with a name and a cause", () => {
  const error = new AssertionError("words", { cause: 1 });

  node.ok(error instanceof Error);
  node.equal(`${error}`, "AssertionError: words");
  node.equal(error.cause, 1);
});

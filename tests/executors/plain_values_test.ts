// Copies of small plain values, which travel with others in one message.

import { assert, assertEquals } from "@std/assert";
import { copyPlain, NOT_PLAIN } from "../../executors/pool/wire/plain.ts";
import { forSeeds, type Random } from "./helpers/random.ts";

/** Most objects and arrays in a value, and most elements of an array. */
const MAX_PARTS = 64;

/** Some value, of which most are plain. */
function makeValue(random: Random, depth: number): unknown {
  const { below, pick } = random;
  const length = depth === 0 ? 0 : below(4);
  switch (below(14)) {
    case 0:
      return pick([Symbol("a"), () => {}, new Map(), new Date(0), /a/, [, 1]]);
    case 1:
    case 2:
    case 3:
    case 4:
      return Array.from({ length }, () => makeValue(random, depth - 1));
    case 5:
    case 6:
    case 7:
    case 8: {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < length; i++) {
        value[pick(["a", "b", "1", "", "constructor"])] = makeValue(
          random,
          depth - 1,
        );
      }
      return value;
    }
    default:
      return pick([
        ...[undefined, null, true, 0, -0, NaN, Infinity, 1.5, 2 ** 53],
        ...["", "text", "\ud800", 10n, -(2n ** 70n)],
      ]);
  }
}

/** Every object in a value. */
function objectsIn(value: unknown, found: object[] = []): object[] {
  if (typeof value !== "object" || value === null) return found;
  found.push(value);
  for (const part of Object.values(value)) objectsIn(part, found);
  return found;
}

Deno.test("copyPlain() makes what structured clone makes, or nothing", async () => {
  let copies = 0;
  await forSeeds(3000, (random) => {
    const value = makeValue(random, 4);
    const copy = copyPlain(value);
    if (copy === NOT_PLAIN) return;
    copies++;
    assertEquals(copy, structuredClone(value));
    const parts = new Set(objectsIn(value));
    for (const part of objectsIn(copy)) assert(!parts.has(part));
  });
  // The others have something in them that is not plain.
  assert(copies > 1000, `${copies} were copied`);
});

Deno.test("copyPlain() copies what has as many parts as it takes, and no more", () => {
  const of = (count: number) => Array.from({ length: count }, (_, i) => i);
  const objects = (count: number) => of(count).map(() => ({}));
  assertEquals(copyPlain(of(MAX_PARTS)), of(MAX_PARTS));
  assertEquals(copyPlain(of(MAX_PARTS + 1)), NOT_PLAIN);
  // With the array itself.
  assertEquals(copyPlain(objects(MAX_PARTS - 1)), objects(MAX_PARTS - 1));
  assertEquals(copyPlain(objects(MAX_PARTS)), NOT_PLAIN);
  let deep: unknown = 0;
  for (let i = 0; i < MAX_PARTS; i++) deep = { deep };
  assertEquals(copyPlain(deep), deep);
  assertEquals(copyPlain([deep]), NOT_PLAIN);
  // None is taken for a part of the next.
  assertEquals(copyPlain({ a: 1 }), { a: 1 });
});

Deno.test("copyPlain() does not copy what would be shared, or is endless", () => {
  const shared = { a: 1 };
  assertEquals(copyPlain([shared, shared]), NOT_PLAIN);
  assertEquals(copyPlain({ a: [shared], b: shared }), NOT_PLAIN);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  assertEquals(copyPlain(cycle), NOT_PLAIN);
  // What two values share is copied with each of them.
  const [one, two] = [copyPlain([shared]), copyPlain([shared])] as object[][];
  assertEquals(one, two);
  assert(one![0] !== two![0]);
});

Deno.test("copyPlain() leaves what has a class, or is more than it seems, to structured clone", () => {
  class Point {
    x = 1;
  }
  class List extends Array {}
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const values = [
    ...[new Point(), List.from([1]), Object.create(null), Object.create({})],
    ...[new Map(), new Set(), new Date(), /a/, new Error("a"), new Number(1)],
    ...[new Uint8Array(1), new ArrayBuffer(1), Promise.resolve()],
    ...[new Proxy({}, {}), new Proxy([], {}), revoked.proxy],
    ...[() => {}, Symbol("a"), Symbol.iterator],
    ...[[, 1], [1, , 2], new Array(3), Object.assign([1], { field: 1 })],
    JSON.parse('{ "__proto__": 1 }'),
  ];
  for (const [i, value] of values.entries()) {
    const said = `value ${i}`;
    assertEquals(copyPlain(value), NOT_PLAIN, said);
    assertEquals(copyPlain({ value }), NOT_PLAIN, said);
    assertEquals(copyPlain([[value]]), NOT_PLAIN, said);
  }
});

Deno.test("copyPlain() takes the fields that structured clone takes", () => {
  const value = Object.defineProperty(
    {
      a: 1,
      get b() {
        return this.a + 1;
      },
      [Symbol("c")]: 3,
    },
    "hidden",
    { value: 4 },
  );
  assertEquals(copyPlain(value), { a: 1, b: 2 });
  const copy = Object.getOwnPropertyDescriptor(copyPlain(value), "b");
  assertEquals(copy?.value, 2);
  assert(Object.is(copyPlain(-0), -0));
});

Deno.test("copyPlain() says nothing of a getter that throws, and goes on", () => {
  const bad = {
    get a() {
      throw new RangeError("No");
    },
  };
  assertEquals(copyPlain(bad), NOT_PLAIN);
  assertEquals(copyPlain([{ a: 1 }]), [{ a: 1 }]);
});

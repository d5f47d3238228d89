/**
 * What nobody expects in a message, and messages that hold it.
 *
 * @module
 */

import type { Random } from "../helpers/random.ts";

/** Where a worker is, as far as whoever forges its words can tell: positions count items. */
export interface Whereabouts {
  /** The first position that it has not reported. */
  readonly head: number;
  /** The next that it would be sent. */
  readonly tail: number;
  /** How many calls it has reported. */
  readonly ended: number;
}

/** How deep forged things are nested: deep for who calls itself, still readable. */
const DEEP = 500;

const ODD_NUMBERS: readonly (() => unknown)[] = [
  () => -1,
  () => -0,
  () => 0.5,
  () => NaN,
  () => Infinity,
  () => -Infinity,
  () => 2 ** 31,
  () => 2 ** 32,
  () => 2 ** 53,
  () => 1e308,
  () => 5n,
  () => -(2n ** 64n),
  () => "1",
];

const ODD: readonly (() => unknown)[] = [
  ...ODD_NUMBERS,
  () => undefined,
  () => null,
  () => true,
  () => "",
  () => "x".repeat(5000),
  () => ({}),
  () => [],
  () => [, , 1],
  endlessArray,
  () => new Map([[0, 1]]),
  () => new Set([0]),
  () => new Date(NaN),
  () => /./,
  () => new Error("Not encoded"),
  () => new ArrayBuffer(8),
  () => new Float64Array(2),
  () => ({ length: 2 ** 32 - 1, 0: 1 }),
  () => ({ toString: 1, valueOf: 1, then: 1 }),
  () => ({ __proto__: null, constructor: 1, kind: "error" }),
  () => deep([]),
  cyclicArray,
  cyclicError,
];

/** Anything. */
export function odd({ pick }: Random): unknown {
  return pick(ODD)();
}

/** A copy of a message, with something in it that was not there. */
export function mutate(random: Random, message: unknown): unknown {
  const copy = structuredClone(message);
  if (typeof copy !== "object" || copy === null) return odd(random);
  mutateIn(random, copy);
  return copy;
}

function mutateIn(random: Random, container: object): void {
  const { below, pick } = random;
  const keys = Object.keys(container);
  if (Array.isArray(container) && below(4) === 0) {
    return mutateArray(random, container);
  }
  // Numbers cannot be replaced by anything there.
  if (keys.length === 0 || ArrayBuffer.isView(container)) return;
  const fields = container as Record<string, unknown>;
  const key = pick(keys);
  const value = fields[key];
  if (typeof value === "object" && value !== null && below(4) > 0) {
    return mutateIn(random, value);
  }
  const near = typeof value === "number" && below(2) === 0;
  fields[key] = near
    ? pick([value + 1, value - 1, -value, 2 * value, value + 0.5])
    : odd(random);
}

function mutateArray(random: Random, array: unknown[]): void {
  const { below } = random;
  // What walks through an endless one here would hang the wrong one.
  if (array.length > 1000) {
    array.length = 1000;
    return;
  }
  switch (below(7)) {
    case 0:
      array.push(odd(random));
      break;
    case 1:
      array.pop();
      break;
    case 2:
      array.length = 2 ** 32 - 1;
      break;
    case 3:
      delete array[below(array.length || 1)];
      break;
    case 4:
      array.reverse();
      break;
    case 5:
      array.push(...array);
      break;
    default:
      array.splice(below(array.length || 1), 1);
  }
}

/** A message of any type, possible or not. */
export function invent(random: Random, where: Whereabouts): unknown {
  const { below, pick } = random;
  const message = pick(INVENTIONS)(random, where);
  return below(3) === 0 ? mutate(random, message) : message;
}

const INVENTIONS: readonly ((
  random: Random,
  where: Whereabouts,
) => unknown)[] = [
  () => ["up"],
  () => ["ready"],
  (random) => ["unfit", forgedError(random)],
  () => ["loading"],
  () => ["loaded"],
  (random, where) => [
    "entered",
    position(random, where),
    1 + random.below(3),
  ],
  (random, where) => [
    "revoked",
    position(random, where),
    times(random.below(4), () => random.below(3)),
  ],
  report,
  report,
  report,
  (random, where) => [
    "closing",
    random.pick([undefined, forgedError(random)]),
    random.pick([undefined, 0, 1]),
    random.pick([undefined, position(random, where)]),
  ],
  () => ["unreadable"],
  (random) => ["reporting", random.pick([true, true, false, odd(random)])],
  (random, where) => [
    "report",
    position(random, where),
    random.below(3),
    odd(random),
    random.below(2) === 0,
  ],
  // What a host says.
  (random, where) => ["revoke", 0, position(random, where)],
  () => ["run", [[0, 1, [], false]], true],
  // No message.
  (random) => odd(random),
  (random) => [odd(random)],
  (random) => ({
    message: ["done", 0, 0, [], undefined, undefined],
    lost: odd(random),
  }),
  (random) => ({ message: odd(random), lost: [[{}, "", ""]] }),
];

/** What ends calls: as many as there are, mostly. */
function report(random: Random, where: Whereabouts): unknown {
  const { below, pick } = random;
  const to = position(random, where);
  const due = Math.min(Math.max(to - where.head, 0), 300);
  const count = pick([due, due, 0, 1, below(5), due + 1]);
  const values = times(count, (i) => -i);
  // One for all of them, as each may be long.
  const failure = forgedError(random);
  const failures = pick([
    undefined,
    undefined,
    [],
    [below(count + 1), failure],
    times(count, (i) => [count - i, failure]).flat(),
    [0],
  ]);
  const began = pick([
    undefined,
    undefined,
    times(2 * count, () => Date.now()),
    times(below(5), () => Date.now()),
  ]);
  const busyMs = pick([0, 0.001, 1, 50]);
  return ["done", to, busyMs, values, failures, began, where.ended];
}

/** One that may be meant. */
function position({ pick }: Random, { head, tail }: Whereabouts): number {
  return pick([
    head,
    head + 1,
    tail,
    tail - 1,
    tail + 1,
    head - 1,
    tail + 1024,
  ]);
}

function forgedError(random: Random): unknown {
  const { pick } = random;
  return pick<() => unknown>([
    () => ({ kind: "value", value: odd(random) }),
    () => ({ kind: "unread" }),
    () => ({ kind: "no such kind" }),
    () => odd(random),
    cyclicError,
    () =>
      error(pick(["RangeError", "DOMException", "Object", "__proto__"]), []),
    () => error("AggregateError", [["errors", forgedErrors(random), false]]),
    () => error("Error", [["cause", deep(error("Error", [])), true]]),
    () => error("Error", [["__proto__", { kind: "value", value: {} }, true]]),
    () => mutate(random, error("Error", [["code", odd(random), true]])),
    () => ({ ...error("Error", []), message: { toString: 1 } }),
  ])();
}

function forgedErrors({ pick }: Random): unknown {
  return {
    kind: "value",
    value: pick<() => unknown>([
      () => [5],
      endlessArray,
      () => ({}),
      () => [],
    ])(),
  };
}

function error(className: string, fields: unknown[]): Record<string, unknown> {
  return {
    kind: "error",
    class: className,
    name: className,
    message: "Forged",
    stack: "Forged",
    fields,
  };
}

/** Leads back to itself. */
function cyclicError(): unknown {
  const cyclic = error("Error", []);
  cyclic.fields = [["cause", cyclic, true], ["again", cyclic, true]];
  return cyclic;
}

function cyclicArray(): unknown[] {
  const array: unknown[] = [];
  array.push(array, array);
  return array;
}

/** As long as an array can be, and next to nothing in it. */
function endlessArray(): unknown[] {
  const array: unknown[] = [0];
  array.length = 2 ** 32 - 1;
  return array;
}

/** Something at the bottom. */
function deep(bottom: unknown): unknown {
  let value = bottom;
  for (let depth = 0; depth < DEEP; depth++) {
    value = error("Error", [["cause", value, true]]);
  }
  return value;
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

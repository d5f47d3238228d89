// When two values are equal to the stand-ins for @std/assert. node:util's
// isDeepStrictEqual() is not it, as it tells 0 from -0 and an object without
// prototype from a plain one; and for any import from `node:`, the type check of
// older Denos (2.4.2) wants @types/node from the npm registry.

/**
 * Says whether two values are equal by content. Functions, and objects that
 * keep their content to themselves, are equal only to themselves.
 *
 * @throws {TypeError} If a WeakMap or WeakSet is met, which cannot be listed.
 */
export function equal(actual: unknown, expected: unknown): boolean {
  return compare(actual, expected, new Map());
}

/** Pairs that are being compared further up, which ends a walk in circles. */
type Pairs = Map<object, object>;

function compare(a: unknown, b: unknown, pairs: Pairs): boolean {
  // === for 0 and -0, Object.is() for NaN
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
  }
  if (a instanceof WeakRef) {
    return compare(a.deref(), (b as WeakRef<WeakKey>).deref(), pairs);
  }
  if (isText(a)) return String(a) === String(b);
  if (isBuffer(a)) {
    return compareItems(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (isTypedArray(a)) return compareItems(a, b as ArrayLike<unknown>);

  if (pairs.get(a) === b) return true;
  pairs.set(a, b);
  const result = compareContent(a, b, pairs);
  // What was assumed of a pair that turned out unequal must not outlive it.
  if (!result) pairs.delete(a);
  return result;
}

function compareContent(a: object, b: object, pairs: Pairs): boolean {
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  if (a instanceof Map || a instanceof Set) {
    return compareEntries(a, b as typeof a, pairs);
  }
  for (const key of new Set([...keysOf(a), ...keysOf(b)])) {
    if (key in a !== key in b) return false;
    if (!compare(Reflect.get(a, key), Reflect.get(b, key), pairs)) return false;
  }
  return true;
}

type Entries = Map<unknown, unknown> | Set<unknown>;

/** Order does not count; keys can be objects that are equal by content. */
function compareEntries(a: Entries, b: Entries, pairs: Pairs): boolean {
  if (a.size !== b.size) return false;
  const rest = [...b.entries()].filter(([key]) => isObject(key));
  for (const entry of a.entries()) {
    const [key, value] = entry;
    if (isObject(key)) {
      const index = rest.findIndex((it) => compare(entry, it, pairs));
      if (index < 0) return false;
      // Each entry has a partner of its own.
      rest.splice(index, 1);
    } else {
      if (!b.has(key)) return false;
      if (b instanceof Map && !compare(value, b.get(key), pairs)) return false;
    }
  }
  return true;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** An object without prototype counts as a plain object. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/** Own names and, for instances of classes, inherited ones: those of getters. */
function keysOf(value: object): (string | symbol)[] {
  const keys: (string | symbol)[] = [];
  let level: object | null = value;
  while (level && level !== Object.prototype && level !== Array.prototype) {
    keys.push(...Reflect.ownKeys(level));
    level = Object.getPrototypeOf(level);
  }
  return keys;
}

/** Objects whose text is their content. */
function isText(value: object): boolean {
  return value instanceof RegExp || value instanceof URL ||
    value instanceof URLSearchParams || value instanceof Intl.Locale;
}

function isBuffer(value: object): value is ArrayBuffer | SharedArrayBuffer {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

function isTypedArray(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function compareItems(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  return a.length === b.length &&
    Array.from(a).every((item, index) =>
      item === b[index] || Object.is(item, b[index])
    );
}

/**
 * Checks arguments. Each error says what was wanted and what was received:
 * `TypeError` for the wrong shape, `RangeError` for a value out of range.
 *
 * @module
 */

import { show } from "./text.ts";

/** Checks an options object that may be left out; `null` and primitives are errors. */
export function checkOptions<T extends object>(options: T | undefined): T {
  // Every option of this package may be left out, so {} is a T.
  if (options === undefined) return {} as T;
  if (options === null || typeof options !== "object") {
    throw new TypeError(`Options must be an object: received ${show(options)}`);
  }
  return options;
}

/** Checks that a value is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") {
    throw new TypeError(
      `'${name}' must be a function: received ${show(value)}`,
    );
  }
}

/** Checks a number of milliseconds, at least 0; `Infinity` is for no limit. */
export function checkDuration(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  checkNumber(name, value, "a number of milliseconds");
  if (!(value >= 0)) {
    throw new RangeError(
      `'${name}' must be 0 or more milliseconds: received ${value}`,
    );
  }
  return value;
}

/** Checks how long a call may run: more than 0 milliseconds; `Infinity` is for no limit. */
export function checkTimeLimit(
  name: string,
  value: number | undefined,
): number {
  const limit = checkDuration(name, value, Infinity);
  if (limit > 0) return limit;
  throw new RangeError(
    `'${name}' must be more than 0 milliseconds: received 0`,
  );
}

/** Checks a number that is an integer of at least 1, or `Infinity` if that is `unbounded`. */
export function checkCount(
  name: string,
  value: number | undefined,
  fallback: number,
  { unbounded = false }: { unbounded?: boolean } = {},
): number {
  if (value === undefined) return fallback;
  checkNumber(name, value, "an integer");
  if (unbounded && value === Infinity) return value;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(
      `'${name}' must be an integer of at least 1${
        unbounded ? ", or Infinity" : ""
      }: received ${value}`,
    );
  }
  return value;
}

/** Checks a boolean that may be left out. */
export function checkBoolean(
  name: string,
  value: boolean | undefined,
  fallback: boolean,
): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") {
    throw new TypeError(`'${name}' must be a boolean: received ${show(value)}`);
  }
  return value;
}

/** Checks an `AbortSignal` that may be left out. */
export function checkSignal(
  value: AbortSignal | undefined,
): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(
    `'signal' must be an AbortSignal: received ${show(value)}`,
  );
}

/** Checks an initializer and its arguments, if there is one. */
export function checkInitializer(
  { initializer, initArgs }: {
    initializer?: (...args: never[]) => unknown;
    initArgs?: readonly unknown[];
  },
):
  | { fn: (...args: unknown[]) => unknown; args: readonly unknown[] }
  | undefined {
  if (initArgs !== undefined && !Array.isArray(initArgs)) {
    throw new TypeError(
      `'initArgs' must be an array: received ${show(initArgs)}`,
    );
  }
  if (initializer === undefined) return undefined;
  checkFunction("initializer", initializer);
  return {
    fn: initializer as (...args: unknown[]) => unknown,
    args: initArgs ?? [],
  };
}

/** Checks that a value is a number. */
export function checkNumber(
  name: string,
  value: unknown,
  wanted: string,
): void {
  if (typeof value !== "number") {
    throw new TypeError(`'${name}' must be ${wanted}: received ${show(value)}`);
  }
}

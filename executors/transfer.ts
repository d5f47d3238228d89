/**
 * Marks values that are moved between isolates instead of copied.
 *
 * @module
 */

import { shared } from "./runtime/shared.ts";

/** See {@linkcode Transfer}. */
class MarkedValue {
  /**
   * Tells marked values: nobody can forge this, and unlike `instanceof` it runs
   * no code of a proxy.
   */
  readonly #mark = true;
  readonly value: unknown;
  readonly transferables: Transferable[];

  constructor(value: unknown, transferables: Transferable[]) {
    this.value = value;
    this.transferables = transferables;
  }

  /** Whether a value is marked. */
  static is(value: unknown): value is MarkedValue {
    return typeof value === "object" && value !== null && #mark in value;
  }
}

/** A marked value: {@linkcode transfer} returns one, whatever type it says. */
export type Transfer = MarkedValue;
/** The class of marked values, of whichever copy of this package has marked them. */
export const Transfer: typeof MarkedValue = shared(
  "transfer/1",
  () => MarkedValue,
);

/**
 * Marks an argument or a result whose buffers are to be moved to the other
 * side, not copied: the buffers are empty here afterwards. In the promise pool
 * nothing is moved, and the task gets the value.
 *
 * @typeParam T The type of the value.
 * @param value The argument or the result.
 * @param transferables What to move: buffers, message ports, streams, as for
 * `structuredClone`.
 * @returns The value, marked; to be passed to `submit()`, yielded by an input
 * of `map()`, or returned by a task, and not to be looked into.
 * @throws {TypeError} If `transferables` is not an array.
 *
 * @example
 * ```ts
 * import { transfer, WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
 * const numbers = new Float64Array([1, 2, 3]);
 * const sum = (numbers: Float64Array) => numbers.reduce((a, b) => a + b);
 * assertEquals(await pool.submit(sum, transfer(numbers, [numbers.buffer])), 6);
 * assertEquals(numbers.length, 0);
 * ```
 */
export function transfer<T>(
  value: T,
  transferables: readonly (Transferable | ArrayBufferLike)[],
): T {
  if (!Array.isArray(transferables)) {
    throw new TypeError(
      `'transferables' must be an array: received ${
        Deno.inspect(transferables)
      }`,
    );
  }
  // By its type, the buffer of a Float64Array may be shared; cloning will tell.
  return new Transfer(value, transferables as Transferable[]) as T;
}

/** Whether a value is marked. */
export function isTransfer(value: unknown): value is Transfer {
  return Transfer.is(value);
}

/** The value itself, where nothing is to be moved. */
export function unwrapTransfer(value: unknown): unknown {
  return Transfer.is(value) ? value.value : value;
}

/**
 * What `await` waits for.
 *
 * @module
 */

/**
 * Whether `await` would wait for this value.
 *
 * @param value Any value.
 * @returns True for what has a `then` method; what its getter throws is thrown.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}

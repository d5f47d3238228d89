/**
 * Tells for which values `await` waits.
 *
 * @module
 */

/**
 * Whether `await` would wait for this value.
 *
 * @param value Any value.
 * @returns True if the value has a `then` method.
 * @throws {unknown} What the getter of `then` throws.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}

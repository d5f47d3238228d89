/**
 * The Web Locks API, which not every supported Deno has.
 *
 * @module
 */

/** The part of `LockManager` that is used here. */
interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal },
    callback: () => unknown,
  ): Promise<unknown>;
}

/** `undefined` in Deno 2.4, whose types do not know it either. */
export const locks: Locks | undefined = (navigator as { locks?: Locks }).locks;

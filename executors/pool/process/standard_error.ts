/**
 * Writes to the standard error stream of this process, which others may write to
 * as well. A worker process writes its messages there; a program writes what its
 * workers print, and what its command line says.
 *
 * @module
 */

import { partOfBytes } from "../../runtime/builtins.ts";

/** How long to wait for room in a full pipe that is non-blocking, in milliseconds. */
const FULL_MS = 1;

/**
 * As they were when this was loaded: what a task puts in their place must
 * neither see messages nor write them.
 */
const { wait } = Atomics;
const { WouldBlock } = Deno.errors;
const writeSync = Deno.stderr.writeSync.bind(Deno.stderr);

/** A cell on which nobody wakes a wait. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of some bytes; in one piece if the pipe takes them in one piece.
 *
 * The pipe may be non-blocking: Node.js, among others, makes the streams that it
 * is given so, and with them those of whoever has started it. Such a pipe
 * refuses bytes that it has no room for, and is tried again.
 *
 * @param bytes The bytes.
 * @param write Writes some of them; by default as `Deno.stderr` did when this
 * package was loaded.
 */
export function writeStandardError(
  bytes: Uint8Array,
  write: (bytes: Uint8Array) => number = writeSync,
): void {
  for (let at = 0; at < bytes.length;) {
    try {
      // The standard output would not do: Deno buffers it by lines, which splits packets.
      at += write(at === 0 ? bytes : partOfBytes(bytes, at));
    } catch (error) {
      waitForRoom(error);
    }
  }
}

/**
 * Waits a little if a pipe had no room.
 *
 * @param error Why a write failed; thrown again if that was another reason.
 */
export function waitForRoom(error: unknown): void {
  if (!(error instanceof WouldBlock)) throw error;
  wait(NOBODY, 0, 0, FULL_MS);
}

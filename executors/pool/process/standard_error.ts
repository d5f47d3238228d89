/**
 * Writing to the standard error stream of this process, which others may have
 * too: a worker process writes messages there, and this program what its
 * workers print and what its command line says.
 *
 * @module
 */

import { partOfBytes } from "../../runtime/builtins.ts";

/** How long a full pipe is left alone that does not wait itself. */
const FULL_MS = 1;

/** As they were; what a task puts in their place sees no message, and says none. */
const { wait } = Atomics;
const { WouldBlock } = Deno.errors;
const writeSync = Deno.stderr.writeSync.bind(Deno.stderr);

/** What nobody wakes. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of some bytes, as the stream was when this package was loaded or
 * in another way; what a pipe takes in one piece, in one piece.
 * Node.js, among others, makes the streams that it is given non-blocking, and
 * with them those of whoever has started it; then a pipe refuses what it has no
 * room for, and is asked again.
 */
export function writeStandardError(
  bytes: Uint8Array,
  write: (bytes: Uint8Array) => number = writeSync,
): void {
  for (let at = 0; at < bytes.length;) {
    try {
      // Not the standard output: Deno buffers that by lines, so it splits packets.
      at += write(at === 0 ? bytes : partOfBytes(bytes, at));
    } catch (error) {
      waitForRoom(error);
    }
  }
}

/**
 * Waits a little if a pipe had no room.
 *
 * @param error Why something was not written; is thrown if that is another reason.
 */
export function waitForRoom(error: unknown): void {
  if (!(error instanceof WouldBlock)) throw error;
  wait(NOBODY, 0, 0, FULL_MS);
}

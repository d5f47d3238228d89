/**
 * Writing to the standard output while other programs have it, too. Some, such
 * as Node.js, make it non-blocking for all: then a pipe refuses what it has no
 * room for, and whoever writes has to ask again.
 *
 * How much was taken by then is not said of Deno's own stream, which buffers by
 * lines. So, where that is possible, what it leads to is opened once more:
 *
 * | it leads to | written by |
 * |---|---|
 * | a file | Deno's stream: files refuse nothing |
 * | a pipe of a shell | a stream of this program's own, that waits |
 * | else | Deno's stream, in pieces of which all or nothing is taken |
 *
 * @module
 */

import { setTimeout } from "../executors/runtime/clock.ts";
import type { Write } from "./text_writer.ts";

/** How long a reader without room is left alone at first. */
const SHORT_WAIT_MS = 1;

/** And if it takes its time: hardly any work, and hardly any delay. */
const LONG_WAIT_MS = 16;

/** What systems write whole or not at all: POSIX calls it PIPE_BUF. */
const WHOLE_BYTES = Deno.build.os === "linux" ? 4096 : 512;

/** Less than Deno's stream always has room for if it is empty. */
const BUFFERED_BYTES = 512;

const LINE_FEED = 10;

const NOTHING = new Uint8Array();

/** Opens the standard output for whoever does not mind that it is shared. */
export function openStandardOutput(): Write {
  const write = Deno.stdout.write.bind(Deno.stdout);
  if (Deno.build.os === "windows") return write;
  try {
    if (Deno.statSync("/dev/stdout").isFile) return write;
    // A pipe with a name that nobody reads any more would keep us waiting.
    const isPipe = Deno.build.os === "linux" &&
      Deno.readLinkSync("/proc/self/fd/1").startsWith("pipe:");
    if (isPipe) {
      const pipe = Deno.openSync("/dev/stdout", { write: true });
      return (bytes) => pipe.write(bytes);
    }
  } catch {
    // It may be somebody else's.
  }
  return (bytes) => writePiece(write, bytes);
}

/**
 * Writes as much from the start as is safe to write again. Deno's stream hands
 * lines on at once, and keeps what is no whole line until it is told to write
 * it, as it always is. So a refused line has not been taken, and a refused part
 * of one has been, and is written with the next bytes, or with none.
 */
async function writePiece(write: Write, bytes: Uint8Array): Promise<number> {
  const lines = bytes.subarray(0, WHOLE_BYTES).lastIndexOf(LINE_FEED) + 1;
  const length = lines || Math.min(bytes.length, BUFFERED_BYTES);
  let rest = bytes.subarray(0, length);
  for (let wait = SHORT_WAIT_MS;; wait = Math.min(2 * wait, LONG_WAIT_MS)) {
    try {
      const taken = await write(rest);
      return rest === NOTHING ? length : taken;
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      if (lines === 0) rest = NOTHING;
      await new Promise<void>((resolve) => setTimeout(resolve, wait));
    }
  }
}

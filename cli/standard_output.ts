/**
 * Writes to the standard output while other programs have it too. Some, such as
 * Node.js, make it non-blocking for all: then a pipe refuses bytes that it has no
 * room for, and they have to be written again.
 *
 * Deno's own stream, which buffers by lines, does not tell how many bytes a pipe
 * took before it refused. So, where that is possible, the pipe is opened once
 * more:
 *
 * | the standard output is | written by |
 * |---|---|
 * | a file | Deno's stream: files refuse nothing |
 * | a pipe of a shell | a stream of this program's own, that waits |
 * | anything else | Deno's stream, in pieces of which all or nothing is taken |
 *
 * @module
 */

import { setTimeout } from "../executors/runtime/clock.ts";
import type { Write } from "./text_writer.ts";

/** How long to wait at first for room in a pipe, in milliseconds. */
const SHORT_WAIT_MS = 1;

/** How long to wait if the reader takes its time: hardly any work, and hardly any delay. */
const LONG_WAIT_MS = 16;

/** How many bytes systems write whole or not at all: PIPE_BUF of POSIX. */
const WHOLE_BYTES = Deno.build.os === "linux" ? 4096 : 512;

/** How many bytes of a line are written at once: Deno's stream has room for more if it is empty. */
const BUFFERED_BYTES = 512;

const LINE_FEED = 10;

const NOTHING = new Uint8Array();

/** Opens the standard output, which other programs may share. */
export function openStandardOutput(): Write {
  const write = Deno.stdout.write.bind(Deno.stdout);
  if (Deno.build.os === "windows") return write;
  try {
    if (Deno.statSync("/dev/stdout").isFile) return write;
    // To open a named pipe that nobody reads any more would wait for ever.
    const isPipe = Deno.build.os === "linux" &&
      Deno.readLinkSync("/proc/self/fd/1").startsWith("pipe:");
    if (isPipe) {
      const pipe = Deno.openSync("/dev/stdout", { write: true });
      return (bytes) => pipe.write(bytes);
    }
  } catch {
    // The pipe may belong to another user.
  }
  return (bytes) => writePiece(write, bytes);
}

/**
 * Writes as many bytes from the start as can safely be written again; resolves to
 * how many. Deno's stream hands lines on at once, but takes a part of a line into
 * its buffer, and then tries to write that. So if a line is refused, it has not
 * been taken; if a part of a line is refused, it has been, and is written with
 * the next bytes, or with none.
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

/**
 * The host's end of the pipe to a worker process: frames of one turn leave
 * together, and the bytes that the process has taken are counted.
 *
 * @module
 */

import { concat } from "./frames.ts";

/**
 * How many bytes are written at a time: each write that ends shows that the
 * process still reads.
 */
const WRITE_BYTES = 1024 * 1024;

/** The standard input of a worker process. */
export class InputPipe {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Frames that wait until the present write has ended. */
  #unsent: Uint8Array[] = [];
  #writing = false;
  #written = 0;

  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
  }

  /** How many bytes of large frames the process has taken. */
  get written(): number {
    return this.#written;
  }

  /** Writes a frame, together with all of the same turn. */
  async write(frame: Uint8Array): Promise<void> {
    this.#unsent.push(frame);
    if (this.#writing) return;
    this.#writing = true;
    await Promise.resolve();
    while (this.#unsent.length > 0) {
      const frames = this.#unsent;
      this.#unsent = [];
      const length = frames.reduce((sum, { length }) => sum + length, 0);
      await this.#writeParts(
        frames.length === 1 ? frames[0]! : concat(frames, length),
      );
    }
    this.#writing = false;
  }

  /** The process is gone: what it has not taken is dropped. */
  async end(): Promise<void> {
    await this.#writer.abort().catch(() => {});
  }

  async #writeParts(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      const part = bytes.length <= WRITE_BYTES
        ? bytes
        : bytes.subarray(at, at + WRITE_BYTES);
      // A write fails if the process is gone, which the channel hears of.
      await this.#writer.write(part).catch(() => {});
      // A smaller part may lie in the pipe without anybody reading it.
      if (part.length === WRITE_BYTES) this.#written += part.length;
    }
  }
}

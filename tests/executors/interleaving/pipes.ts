/**
 * The pipes of a process, on which nothing arrives before a test says so.
 *
 * @module
 */

import type { Random } from "../helpers/random.ts";

/** The pipes of one process. */
export class FakePipes {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly #random: Random;
  /** What the host has written and the process has not read, and who waits for it. */
  readonly #input: number[] = [];
  #reader: { buffer: Uint8Array; done: (length: number) => void } | undefined;
  /** What the process has written and its host has not read, in the pieces in which it was written. */
  readonly #output: Uint8Array<ArrayBuffer>[] = [];
  #errors!: ReadableByteStreamController;
  /** Whether the process is gone. */
  broken = false;

  constructor(random: Random) {
    this.#random = random;
    this.stdin = new WritableStream({
      write: (bytes) => {
        if (this.broken) throw new Error("Broken pipe");
        for (const byte of bytes) this.#input.push(byte);
      },
    });
    this.stdout = new ReadableStream({
      type: "bytes",
      start: (controller) => controller.close(),
    });
    this.stderr = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#errors = controller;
      },
    });
  }

  /** The first bytes, which stay, if so many have been written. */
  peek(length: number): Uint8Array | undefined {
    return this.#input.length < length
      ? undefined
      : Uint8Array.from(this.#input.slice(0, length));
  }

  /** The process reads. */
  read(buffer: Uint8Array): Promise<number> {
    return new Promise((done) => this.#reader = { buffer, done });
  }

  /** The process writes. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.broken) this.#output.push(bytes);
  }

  /** Some of what the host has written arrives, if the process waits for it. */
  feed(): void {
    if (this.#reader === undefined || this.#input.length === 0) return;
    const { buffer, done } = this.#reader;
    this.#reader = undefined;
    const { below } = this.#random;
    const most = Math.min(buffer.length, this.#input.length);
    const length = below(3) === 0 ? 1 + below(most) : most;
    buffer.set(this.#input.splice(0, length));
    done(length);
  }

  /** Some of what the process has written arrives. */
  deliver(): void {
    this.#deliver(this.#random.below(this.#output.length + 1));
  }

  /** All of that arrives. The pipe may stay open, as a program has it that a task has started. */
  end(): void {
    this.#deliver(this.#output.length);
    if (this.#random.below(4) === 0) return;
    try {
      this.#errors.close();
      // A read that waits gets nothing else.
      this.#errors.byobRequest?.respond(0);
    } catch {
      // Nobody reads any more.
    }
  }

  /** What is written in one piece may be read in two. */
  #deliver(pieces: number): void {
    const { below } = this.#random;
    for (const bytes of this.#output.splice(0, pieces)) {
      const cut = below(4) === 0 ? below(bytes.length) : 0;
      if (cut > 0) this.#arrive(bytes.slice(0, cut));
      this.#arrive(bytes.slice(cut));
    }
  }

  #arrive(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#errors.enqueue(bytes);
    } catch {
      // Nobody reads any more.
    }
  }
}

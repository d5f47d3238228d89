/**
 * Lines from files or the standard input, as text that ends where a line ends.
 *
 * @module
 */

import { CommandError } from "./command.ts";
import { describe } from "./map_block.ts";

/** Some whole lines of one file, each with its line feed. */
export interface LineChunk {
  /** The file, unless it is the standard input. */
  readonly file: string | undefined;
  readonly text: string;
}

/** Much more is no faster, and is memory. */
const CHUNK_BYTES = 64 * 1024;

/** Stands for the standard input in a list of files. */
const STDIN = "-";

/** The lines of several files, one file after the other. */
export class LineSource {
  readonly #files: readonly string[];
  /** How many bytes there are; `undefined` if that is known at the end only. */
  readonly #totalBytes: number | undefined;
  #bytesRead = 0;
  #charactersRead = 0;

  /**
   * @param files Their paths; none for the standard input.
   * @throws {CommandError} If there is no such file.
   */
  constructor(files: readonly string[]) {
    this.#files = files.length === 0 ? [STDIN] : files;
    const sizes = this.#files.map(sizeOf);
    this.#totalBytes = sizes.reduce<number | undefined>(
      (sum, size) =>
        sum === undefined || size === undefined ? undefined : sum + size,
      0,
    );
  }

  /**
   * Which part of the whole some characters are.
   *
   * @param characters How many have been dealt with.
   * @returns The part, from 0 to 1; `undefined` if nobody knows.
   */
  partOf(characters: number): number | undefined {
    if (this.#totalBytes === undefined || this.#charactersRead === 0) {
      return undefined;
    }
    // How long characters are is known only of those that have been read.
    const bytes = characters / this.#charactersRead * this.#bytesRead;
    return Math.min(1, bytes / this.#totalBytes);
  }

  /** The lines, read when they are asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LineChunk> {
    for (const file of this.#files) {
      if (file === STDIN) {
        yield* this.#read(Deno.stdin, undefined);
      } else {
        using opened = await open(file);
        yield* this.#read(opened, file);
      }
    }
  }

  async *#read(
    input: Pick<Deno.FsFile, "read">,
    file: string | undefined,
  ): AsyncGenerator<LineChunk> {
    // Takes care of characters that are cut in two, and of the mark that some
    // programs put in front.
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(CHUNK_BYTES);
    let begun = "";
    for (;;) {
      const count = await input.read(buffer) ?? 0;
      this.#bytesRead += count;
      const text = decoder.decode(buffer.subarray(0, count), {
        stream: count > 0,
      });
      this.#charactersRead += text.length;
      const end = text.lastIndexOf("\n") + 1;
      if (end > 0) yield { file, text: begun + text.slice(0, end) };
      begun = end > 0 ? text.slice(end) : begun + text;
      if (count === 0) break;
    }
    if (begun !== "") yield { file, text: `${begun}\n` };
  }
}

function sizeOf(file: string): number | undefined {
  if (file === STDIN) return undefined;
  try {
    const { isFile, isDirectory, size } = Deno.statSync(file);
    if (isDirectory) throw new Error("it is a folder");
    return isFile ? size : undefined;
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function open(file: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

function cannotRead(file: string, error: unknown): CommandError {
  return new CommandError(
    error instanceof Deno.errors.NotFound
      ? `no such file: ${file}`
      : `cannot read ${file}: ${describe(error).message}`,
  );
}

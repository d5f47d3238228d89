/**
 * Reads lines from files or the standard input, as text that ends where a line
 * ends.
 *
 * @module
 */

import { takeInput } from "../executors/pool/process/standard_input.ts";
import { CommandError } from "./command.ts";
import { type NamedFile, STREAMS } from "./file_identity.ts";
import {
  type LineReaderOptions,
  type Lines,
  readLines,
} from "./line_reader.ts";
import { describe } from "./map_block.ts";

/** Some whole lines of one file. */
export interface LineChunk extends Lines {
  /** The file, unless it is the standard input. */
  readonly file: string | undefined;
  /** Whether a file begins here, which may be the same one once more. */
  readonly starts?: boolean;
}

/** Stands for the standard input in a list of files. */
const STDIN = "-";

/** The lines of several files, one file after the other. */
export class LineSource {
  readonly #files: readonly string[];
  readonly #options: LineReaderOptions;
  /** How many bytes the input has; `undefined` if that is known at the end only. */
  readonly #totalBytes: number | undefined;
  #bytesRead = 0;
  #charactersRead = 0;
  #stdin: Pick<Deno.FsFile, "read"> = Deno.stdin;

  /**
   * Makes a source, which reads nothing yet.
   *
   * @param files The paths of the files; none for the standard input.
   * @param options How lines are read.
   * @throws {CommandError} If there is no such file.
   */
  constructor(
    files: readonly string[],
    options: LineReaderOptions = { raw: false },
  ) {
    this.#files = files.length === 0 ? [STDIN] : files;
    this.#options = options;
    const sizes = this.#files.map(sizeOf);
    this.#totalBytes = sizes.reduce<number | undefined>(
      (sum, size) =>
        sum === undefined || size === undefined ? undefined : sum + size,
      0,
    );
  }

  /** The files, to be compared with others that the command names. */
  get inputs(): NamedFile[] {
    return this.#files.map((file) =>
      file === STDIN ? STREAMS.stdin : { name: `the input ${file}`, path: file }
    );
  }

  /**
   * Takes the standard input for this source, if lines are read from there. A
   * function that reads it too, or a program that the function starts, would take
   * lines away, and finds the end of the input instead.
   */
  begin(): void {
    // If the standard input is a folder, Deno says best why it cannot be read.
    if (!this.#files.includes(STDIN) || isFolder(STREAMS.stdin.path)) return;
    const input = takeInput();
    this.#stdin = {
      async read(buffer) {
        const count = await input.read(buffer as Uint8Array<ArrayBuffer>);
        if (count < 0) throw new Error("the system cannot read it");
        return count;
      },
    };
  }

  /**
   * Tells which part of the input some characters are.
   *
   * @param characters How many characters are done.
   * @returns The part, from 0 to 1; `undefined` if nobody knows.
   */
  partOf(characters: number): number | undefined {
    if (this.#totalBytes === undefined || this.#charactersRead === 0) {
      return undefined;
    }
    // The bytes of characters are known only for those that have been read.
    const bytes = characters / this.#charactersRead * this.#bytesRead;
    return Math.min(1, bytes / this.#totalBytes);
  }

  /** Yields lines, which are read as they are asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LineChunk> {
    for (const file of this.#files) {
      if (file === STDIN) {
        yield* this.#read(this.#stdin, undefined);
      } else {
        using opened = await open(file);
        const { isFile, size } = await opened.stat();
        const before = this.#bytesRead;
        yield* this.#read(opened, file);
        if (isFile && this.#bytesRead - before < size) {
          await checkSize(opened, file, size);
        }
      }
    }
  }

  async *#read(
    input: Pick<Deno.FsFile, "read">,
    file: string | undefined,
  ): AsyncGenerator<LineChunk> {
    const read = async (buffer: Uint8Array) => {
      let count: number;
      try {
        count = await input.read(buffer) ?? 0;
      } catch (error) {
        throw cannotRead(file ?? STREAMS.stdin.name, error);
      }
      this.#bytesRead += count;
      return count;
    };
    let starts = true;
    for await (const lines of readLines(read, this.#options)) {
      this.#charactersRead += lines.text.length;
      yield { ...lines, file, starts };
      starts = false;
    }
  }
}

/**
 * Throws if a file has become shorter; else it is one of a system, such as in
 * /sys, with less to read than its size.
 */
async function checkSize(
  opened: Deno.FsFile,
  file: string,
  before: number,
): Promise<void> {
  if ((await opened.stat()).size < before) {
    throw cannotRead(file, new Error("it became shorter while it was read"));
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

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    // Not every system has a name for its standard input.
    return false;
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

/**
 * Where results go: the standard output, or a file that is there whole or not
 * at all.
 *
 * @module
 */

import { CommandError, FAILED_STATUS, USAGE_STATUS } from "./command.ts";
import { describe } from "./map_block.ts";

/** Takes results. */
export interface LineOutput {
  /** How many lines it had before. */
  readonly lines: number;
  /** Writes text, when there is room for it. */
  write(text: string): Promise<void>;
  /** All is written. */
  finish(): Promise<void>;
}

/** How much is read at a time to count lines. */
const CHUNK_BYTES = 64 * 1024;

const LINE_FEED = 10;

/** The standard output, or a file that grows line by line. */
export class PlainOutput implements LineOutput {
  readonly lines = 0;
  readonly #name: string;
  readonly #file: Pick<Deno.FsFile, "write">;

  /**
   * @param path The file; none for the standard output.
   * @throws {CommandError} If it cannot be written.
   */
  constructor(path?: string) {
    this.#name = path ?? "the standard output";
    try {
      this.#file = path === undefined ? Deno.stdout : Deno.createSync(path);
    } catch (error) {
      throw cannotWrite(this.#name, error, USAGE_STATUS);
    }
  }

  /** Waits for as long as the reader at the other end takes. */
  write(text: string): Promise<void> {
    return writeAll(this.#file, this.#name, text);
  }

  /** It is all there already. */
  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * A file that is written beside its place, as `FILE.partial`, and moved there
 * when it is whole.
 */
export class FileOutput implements LineOutput {
  readonly lines: number;
  /** What it is called until it is whole. */
  readonly partialPath: string;
  readonly #path: string;
  readonly #file: Deno.FsFile;

  /**
   * @param path Its place.
   * @param options Whether to go on after the last complete line of
   * `FILE.partial`, if that is there.
   * @throws {CommandError} If it cannot be written.
   */
  constructor(path: string, { resume = false }: { resume?: boolean } = {}) {
    try {
      this.#path = targetOf(path);
      this.partialPath = `${this.#path}.partial`;
      this.#file = Deno.openSync(this.partialPath, {
        read: true,
        write: true,
        create: true,
        truncate: !resume,
      });
      this.lines = cutIncomplete(this.#file);
    } catch (error) {
      throw cannotWrite(path, error, USAGE_STATUS);
    }
  }

  /** Appends text. */
  write(text: string): Promise<void> {
    return writeAll(this.#file, this.#path, text);
  }

  /** Moves it to its place. */
  async finish(): Promise<void> {
    // Or a power failure could leave the name without the text.
    await this.#file.sync();
    this.#file.close();
    await Deno.rename(this.partialPath, this.#path);
  }
}

/** A link stays a link; what is no file, such as /dev/null, is not replaced by one. */
function targetOf(path: string): string {
  try {
    if (!Deno.statSync(path).isFile) throw new Error("it is not a file");
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

/** Takes off what is behind the last line feed, counts the lines, and goes to the end. */
function cutIncomplete(file: Deno.FsFile): number {
  const buffer = new Uint8Array(CHUNK_BYTES);
  let lines = 0;
  let position = 0;
  let end = 0;
  for (;;) {
    const count = file.readSync(buffer) ?? 0;
    if (count === 0) break;
    const chunk = buffer.subarray(0, count);
    for (
      let at = chunk.indexOf(LINE_FEED);
      at >= 0;
      at = chunk.indexOf(LINE_FEED, at + 1)
    ) {
      lines++;
      end = position + at + 1;
    }
    position += count;
  }
  file.truncateSync(end);
  file.seekSync(end, Deno.SeekMode.Start);
  return lines;
}

async function writeAll(
  file: Pick<Deno.FsFile, "write">,
  name: string,
  text: string,
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) {
      done += await file.write(bytes.subarray(done));
    }
  } catch (error) {
    // That is for whoever knows what it means.
    if (error instanceof Deno.errors.BrokenPipe) throw error;
    throw cannotWrite(name, error, FAILED_STATUS);
  }
}

function cannotWrite(
  name: string,
  error: unknown,
  status: number,
): CommandError {
  return new CommandError(
    `cannot write ${name}: ${describe(error).message}`,
    status,
  );
}

/**
 * Where results go: the standard output, or a file that is there whole or not
 * at all.
 *
 * @module
 */

import {
  cannotWrite,
  CommandError,
  FAILED_STATUS,
  USAGE_STATUS,
} from "./command.ts";
import { followLinks, type NamedFile, STREAMS } from "./file_identity.ts";
import { isStillAt, openLocked } from "./locked_file.ts";
import { describe } from "./map_block.ts";
import { openStandardOutput } from "./standard_output.ts";
import { TextWriter } from "./text_writer.ts";

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

/** Who may write, of those that may use a file. */
const OWNER_WRITES = 0o600;

/** What of a mode can be set. */
const PERMISSION_BITS = 0o7777;

/** The standard output, or a file that grows line by line. */
export class PlainOutput implements LineOutput {
  readonly lines = 0;
  readonly #name: string;
  readonly #writer: TextWriter;
  readonly #file: Deno.FsFile | undefined;

  private constructor(name: string, writer: TextWriter, file?: Deno.FsFile) {
    this.#name = name;
    this.#writer = writer;
    this.#file = file;
  }

  /** The standard output, also if functions are given another one later. */
  static standard(): PlainOutput {
    const { name } = STREAMS.stdout;
    // Of a file or a pipe that was named it is an error that nobody reads it.
    const options = { mayLoseReader: true };
    const writer = new TextWriter(openStandardOutput(), name, options);
    return new PlainOutput(name, writer);
  }

  /**
   * A file, as it is until the run begins.
   *
   * @param path Its name.
   * @returns The output.
   * @throws {CommandError} If it cannot be written, or another run writes it.
   */
  static async open(path: string): Promise<PlainOutput> {
    try {
      // A pipe or a device has nothing that could be cut off.
      if (statOrNone(path)?.isFile === false) {
        const device = Deno.openSync(path, { write: true });
        const writer = new TextWriter((bytes) => device.write(bytes), path);
        return new PlainOutput(path, writer);
      }
      const file = await openLocked(followLinks(path));
      const writer = new TextWriter((bytes) => file.write(bytes), path);
      return new PlainOutput(path, writer, file);
    } catch (error) {
      throw cannotWrite(path, error, USAGE_STATUS);
    }
  }

  /** Empties a file. Only now is it certain that there will be something else. */
  begin(): void {
    try {
      this.#file?.truncateSync();
    } catch (error) {
      throw cannotWrite(this.#name, error, USAGE_STATUS);
    }
  }

  /** Waits for as long as the reader at the other end takes. */
  write(text: string): Promise<void> {
    return this.#writer.write(text);
  }

  /** It is all there already. */
  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * A file that is written beside its place, as `FILE.partial`, and moved there
 * when it is whole. Until then no other run can write it.
 */
export class FileOutput implements LineOutput {
  readonly lines: number;
  /** What it is called until it is whole. */
  readonly partialPath: string;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #writer: TextWriter;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.partialPath = partialOf(path);
    this.#file = file;
    this.#writer = new TextWriter((bytes) => file.write(bytes), path);
    this.lines = cutIncomplete(file);
  }

  /**
   * Begins to write a file.
   *
   * @param path Its place.
   * @param options Whether to go on after the last complete line of
   * `FILE.partial`, if that is there.
   * @returns The output.
   * @throws {CommandError} If it cannot be written, or another run writes it.
   */
  static async open(
    path: string,
    { resume = false }: { resume?: boolean } = {},
  ): Promise<FileOutput> {
    let file: Deno.FsFile | undefined;
    try {
      const target = targetOf(path);
      const partial = partialOf(target);
      checkPartial(partial);
      // What others may not read, they may not read meanwhile either.
      const before = statOrNone(target)?.mode ?? undefined;
      const mode = before && (before & PERMISSION_BITS | OWNER_WRITES);
      file = await openLocked(partial, mode);
      // A killed run may have left it with another one.
      if (mode !== undefined) Deno.chmodSync(partial, mode);
      if (!resume) file.truncateSync();
      return new FileOutput(target, file);
    } catch (error) {
      file?.close();
      throw cannotWrite(path, error, USAGE_STATUS);
    }
  }

  /** Appends text. */
  write(text: string): Promise<void> {
    return this.#writer.write(text);
  }

  /** Moves it to its place. */
  async finish(): Promise<void> {
    const { partialPath } = this;
    try {
      // Or a power failure could leave the name without the text.
      await this.#file.sync();
      if (!isStillAt(this.#file, partialPath)) {
        throw new Error(
          "it was removed or replaced while it was written, and the results with it",
        );
      }
      keepOwner(this.#path, partialPath);
      await Deno.rename(partialPath, this.#path);
    } catch (error) {
      throw new CommandError(
        `cannot move ${partialPath} to ${this.#path}: ${
          describe(error).message
        }`,
        FAILED_STATUS,
      );
    } finally {
      // Only now, or another run could take it as one that was left.
      this.#file.close();
    }
  }
}

/** What a file is called until it is whole. */
function partialOf(path: string): string {
  return `${path}.partial`;
}

/** A link stays a link; what is no file, such as /dev/null, is not replaced by one. */
function targetOf(path: string): string {
  if (statOrNone(path)?.isFile === false) throw new Error("it is not a file");
  return followLinks(path);
}

/**
 * The files that an option is going to write.
 *
 * @param option The option.
 * @param path The file that it names, if there is one.
 * @returns The file, and where it is until it is whole.
 */
export function outputFiles(
  option: string,
  path: string | undefined,
): NamedFile[] {
  if (path === undefined) return [];
  const partial = partialOf(followLinks(path));
  return [
    { name: `${option} ${path}`, path },
    { name: `the ${partial} of ${option}`, path: partial },
  ];
}

/** What another name leads to as well would lose what it has. */
function checkPartial(path: string): void {
  const info = statOrNone(path, Deno.lstatSync);
  if (info === undefined) return;
  if (!info.isFile || (info.nlink ?? 1) > 1) {
    throw new Error(`${path} is a link, or no file: remove it`);
  }
}

/** A new file in the place of one that has been there belongs to the same people. */
function keepOwner(path: string, partialPath: string): void {
  const before = statOrNone(path);
  if (before === undefined || before.mode === null) return;
  const { uid, gid } = Deno.statSync(partialPath);
  if (uid !== before.uid || gid !== before.gid) {
    try {
      Deno.chownSync(partialPath, before.uid, before.gid);
    } catch {
      // Only the superuser gives files away.
    }
  }
  Deno.chmodSync(partialPath, before.mode & PERMISSION_BITS);
}

function statOrNone(
  path: string,
  stat: (path: string) => Deno.FileInfo = Deno.statSync,
): Deno.FileInfo | undefined {
  try {
    return stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
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

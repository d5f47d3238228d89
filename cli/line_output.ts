/**
 * Writes results to the standard output, or to a file that is there whole or not
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
  /** How many lines the output had before. */
  readonly lines: number;
  /** Writes text, when there is room for it. */
  write(text: string): Promise<void>;
  /** Ends the output, as all is written. */
  finish(): Promise<void>;
}

/** How many bytes are read at a time to count lines. */
const CHUNK_BYTES = 64 * 1024;

const LINE_FEED = 10;

/** The bits of a mode that let the owner read and write. */
const OWNER_WRITES = 0o600;

/** The bits of a mode that can be set. */
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
    // Unlike a named pipe, it may lose its reader without an error.
    const options = { mayLoseReader: true };
    const writer = new TextWriter(openStandardOutput(), name, options);
    return new PlainOutput(name, writer);
  }

  /**
   * Opens a file, which stays as it is until the run begins.
   *
   * @param path The path of the file.
   * @returns The output.
   * @throws {CommandError} If the file cannot be written, or another run writes it.
   */
  static async open(path: string): Promise<PlainOutput> {
    try {
      // A pipe or a device has no text that could be cut off.
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

  /** Empties the file, as the run is certain to begin. */
  begin(): void {
    try {
      this.#file?.truncateSync();
    } catch (error) {
      throw cannotWrite(this.#name, error, USAGE_STATUS);
    }
  }

  /** Writes text; waits for as long as the reader at the other end takes. */
  write(text: string): Promise<void> {
    return this.#writer.write(text);
  }

  /** Does nothing, as all text is written at once. */
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
  /** The path of the file until it is whole. */
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
   * @param path The place of the file.
   * @param options Whether to go on after the last complete line of
   * `FILE.partial`, if that is there.
   * @returns The output.
   * @throws {CommandError} If the file cannot be written, or another run writes it.
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
      // Whoever may not read the file may not read its partial text either.
      const before = statOrNone(target)?.mode ?? undefined;
      const mode = before && (before & PERMISSION_BITS | OWNER_WRITES);
      file = await openLocked(partial, mode);
      // A killed run may have left the partial file with another mode.
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

  /** Moves the file to its place. */
  async finish(): Promise<void> {
    const { partialPath } = this;
    try {
      // Without this, a power failure could leave the name without the text.
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
      // Closed only now: before, another run could take over the partial file.
      this.#file.close();
    }
  }
}

/** The path of a file until it is whole. */
function partialOf(path: string): string {
  return `${path}.partial`;
}

/**
 * The place to write to: a link stays a link, and a device, such as /dev/null,
 * is not replaced by a file.
 */
function targetOf(path: string): string {
  if (statOrNone(path)?.isFile === false) throw new Error("it is not a file");
  return followLinks(path);
}

/**
 * Lists the files that an option has written.
 *
 * @param option The option.
 * @param path The file that the option names, if there is one.
 * @returns The file, and its partial file.
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

/** Refuses a partial file that has another name too, under which its text would be lost. */
function checkPartial(path: string): void {
  const info = statOrNone(path, Deno.lstatSync);
  if (info === undefined) return;
  if (!info.isFile || (info.nlink ?? 1) > 1) {
    throw new Error(`${path} is a link, or no file: remove it`);
  }
}

/** Gives a new file the owner of the one that it replaces. */
function keepOwner(path: string, partialPath: string): void {
  const before = statOrNone(path);
  if (before === undefined || before.mode === null) return;
  const { uid, gid } = Deno.statSync(partialPath);
  if (uid !== before.uid || gid !== before.gid) {
    try {
      Deno.chownSync(partialPath, before.uid, before.gid);
    } catch {
      // Only the superuser can give files away.
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

/**
 * Cuts off the text behind the last line feed, and goes to the end; returns the
 * number of lines.
 */
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

/**
 * From text to bytes, with little memory however long the text is.
 *
 * @module
 */

import { CommandError, FAILED_STATUS } from "./command.ts";
import { STREAMS } from "./file_identity.ts";
import { describe } from "./map_block.ts";

/** Writes bytes, and tells how many of them. */
export type Write = (bytes: Uint8Array) => Promise<number>;

/**
 * How many characters are written at a time. A text may be as long as texts can
 * be, and its bytes three times as many.
 */
const PIECE_CHARACTERS = 256 * 1024;

/** UTF-8 takes no more for a character of a string. */
const BYTES_PER_CHARACTER = 3;

/** Writes texts of any length with little memory. */
export class TextWriter {
  readonly #write: Write;
  readonly #name: string;
  readonly #encoder = new TextEncoder();
  readonly #buffer = new Uint8Array(PIECE_CHARACTERS * BYTES_PER_CHARACTER);

  /**
   * @param write Takes the bytes.
   * @param name What a message calls the file.
   */
  constructor(write: Write, name: string) {
    this.#write = write;
    this.#name = name;
  }

  /** Writes a text, when there is room for it. */
  async write(text: string): Promise<void> {
    try {
      for (let start = 0; start < text.length;) {
        const end = endOfPiece(text, start);
        const { written } = this.#encoder.encodeInto(
          text.slice(start, end),
          this.#buffer,
        );
        for (let done = 0; done < written;) {
          done += await this.#write(this.#buffer.subarray(done, written));
        }
        start = end;
      }
    } catch (error) {
      // Who reads the results has seen enough: that is for whoever knows what
      // it means. Of a file or a pipe that was named it is an error.
      const isStandard = this.#name === STREAMS.stdout.name;
      if (isStandard && error instanceof Deno.errors.BrokenPipe) throw error;
      throw cannotWrite(this.#name, error, FAILED_STATUS);
    }
  }
}

/** A character that takes two places stays whole. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_CHARACTERS;
  if (end >= text.length) return text.length;
  return text.codePointAt(end - 1)! > 0xffff ? end - 1 : end;
}

/**
 * What is said of a file that cannot be written.
 *
 * @param name What it is called.
 * @param error Why, unless that says it all.
 * @param status The exit status.
 * @returns An error that says so.
 */
export function cannotWrite(
  name: string,
  error: unknown,
  status: number,
): CommandError {
  if (error instanceof CommandError) return error;
  return new CommandError(
    `cannot write ${name}: ${describe(error).message}`,
    status,
  );
}

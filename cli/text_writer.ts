/**
 * Writes text as bytes, with little memory however long the text is.
 *
 * @module
 */

import { cannotWrite, FAILED_STATUS } from "./command.ts";

/** Writes bytes, and tells how many of them. */
export type Write = (bytes: Uint8Array) => Promise<number>;

/**
 * How many characters are written at a time. A text may be as long as texts can
 * be, and its bytes three times as many.
 */
const PIECE_CHARACTERS = 256 * 1024;

/** How many bytes UTF-8 takes at most for a character of a string. */
const BYTES_PER_CHARACTER = 3;

/** Writes texts of any length with little memory. */
export class TextWriter {
  readonly #write: Write;
  readonly #name: string;
  readonly #mayLoseReader: boolean;
  readonly #encoder = new TextEncoder();
  readonly #buffer = new Uint8Array(PIECE_CHARACTERS * BYTES_PER_CHARACTER);

  /**
   * Makes a writer.
   *
   * @param write Takes the bytes.
   * @param name The name of the file in messages.
   * @param options Whether the caller gets the error as it is if the reader has
   * seen enough; else that is an error like others.
   */
  constructor(
    write: Write,
    name: string,
    { mayLoseReader = false }: { mayLoseReader?: boolean } = {},
  ) {
    this.#write = write;
    this.#name = name;
    this.#mayLoseReader = mayLoseReader;
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
      if (this.#mayLoseReader && error instanceof Deno.errors.BrokenPipe) {
        throw error;
      }
      throw cannotWrite(this.#name, error, FAILED_STATUS);
    }
  }
}

/** The end of a piece; does not divide a character that takes two places. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_CHARACTERS;
  if (end >= text.length) return text.length;
  return text.codePointAt(end - 1)! > 0xffff ? end - 1 : end;
}

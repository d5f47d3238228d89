/**
 * Keeps results until they are read, and knows how much memory they take.
 *
 * @module
 */

import { type Piece, sizeOf } from "./line_block.ts";

/**
 * How many characters of results may wait for those of earlier lines, or for
 * their reader: enough to keep the workers busy while an early line takes long.
 */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** The results that have not been read. */
export class ReadyResults {
  readonly #ordered: boolean;
  /** The pieces by the number of their first line, which is all that order needs. */
  readonly #pieces = new Map<number, Piece>();
  /** The number of the line that is read next, if lines are read in order. */
  #next: number;
  /** How many characters the pieces have, including those that are being read. */
  #characters = 0;

  /**
   * Makes a place for results.
   *
   * @param first The number of the line that comes first.
   * @param ordered Whether results come in the order of the lines.
   */
  constructor(first: number, ordered: boolean) {
    this.#next = first;
    this.#ordered = ordered;
  }

  /** Whether there is no room for more results. */
  get isFull(): boolean {
    return this.#characters >= MAX_CHARACTERS;
  }

  /** Whether nothing can be read before this line is here. */
  isNext(line: number): boolean {
    return this.#ordered && line === this.#next;
  }

  /** Adds results. */
  add(piece: Piece): void {
    this.#pieces.set(piece.first, piece);
    this.#characters += sizeOf(piece);
  }

  /** Takes out the pieces that can be read now; they count until they are released. */
  take(): Piece[] {
    if (!this.#ordered) {
      const pieces = [...this.#pieces.values()];
      this.#pieces.clear();
      return pieces;
    }
    const pieces: Piece[] = [];
    for (
      let piece = this.#pieces.get(this.#next);
      piece !== undefined;
      piece = this.#pieces.get(this.#next)
    ) {
      this.#pieces.delete(piece.first);
      this.#next += piece.lines;
      pieces.push(piece);
    }
    return pieces;
  }

  /** Results have been read, and take no memory any more. */
  release(piece: Piece): void {
    this.#characters -= sizeOf(piece);
  }
}

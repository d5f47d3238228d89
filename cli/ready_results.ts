/**
 * Results that can be read, and how much memory they are.
 *
 * @module
 */

import { type Piece, sizeOf } from "./line_block.ts";

/**
 * So many characters may wait for those of earlier lines, or for their reader:
 * as long as an early line takes, this keeps the workers busy.
 */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** Has results until they have been read. */
export class ReadyResults {
  readonly #ordered: boolean;
  /** By their first line, so that order needs nothing else. */
  readonly #pieces = new Map<number, Piece>();
  /** Which line comes next, of those that are read in order. */
  #next: number;
  /** Characters of what is here, and of what is being read. */
  #characters = 0;

  /**
   * @param first The number of the line that comes first.
   * @param ordered Whether results come in the order of the lines.
   */
  constructor(first: number, ordered: boolean) {
    this.#next = first;
    this.#ordered = ordered;
  }

  /** Whether there is no room for more. */
  get isFull(): boolean {
    return this.#characters >= MAX_CHARACTERS;
  }

  /** Whether nothing can be read before this line is here. */
  isNext(line: number): boolean {
    return this.#ordered && line === this.#next;
  }

  /** Puts results to the others. */
  add(piece: Piece): void {
    this.#pieces.set(piece.first, piece);
    this.#characters += sizeOf(piece);
  }

  /** Takes out what can be read now; it counts until it is released. */
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

  /** Results have been read, and are nobody's memory any more. */
  release(piece: Piece): void {
    this.#characters -= sizeOf(piece);
  }
}

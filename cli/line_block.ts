/**
 * Blocks of lines that travel together, and the pieces of results that come back.
 *
 * @module
 */

import type { ErrorText } from "./map_block.ts";

/** Lines that travel together. */
export interface Block {
  readonly file: string | undefined;
  /** The number of the first line in its file, from 0. */
  readonly line: number;
  /** The number of the first line, from 0, all files counted as one. */
  readonly first: number;
  readonly lines: number;
  readonly text: string;
}

/** The results of lines that follow one another, or why one line has none. */
export interface Piece {
  /** The number of the first line, from 0, all files counted as one. */
  readonly first: number;
  /** How many lines there are. */
  readonly lines: number;
  /** How many characters the lines had. */
  readonly length: number;
  /** The results, each with its line feed. */
  readonly output: string;
  /** Why there is no result; then there is one line. */
  readonly failure?: FailedLine;
}

/** A line without a result. */
export interface FailedLine {
  readonly file: string | undefined;
  /** The number of the line in its file, from 1. */
  readonly line: number;
  readonly error: ErrorText;
  /** Whether the line was no JSON. */
  readonly isUnreadable: boolean;
}

/**
 * Tells how much memory a piece takes while it waits to be written.
 *
 * @param piece The piece.
 * @returns A number of characters.
 */
export function sizeOf({ output, failure }: Piece): number {
  return output.length + (failure?.error.message.length ?? 0);
}

/**
 * Finds the end of the first lines of a text.
 *
 * @param text Lines with their line feeds.
 * @param start Where the first line starts.
 * @param count How many lines are wanted.
 * @returns Where the last line ends, and how many there are.
 */
export function findLines(
  text: string,
  start: number,
  count: number,
): { end: number; lines: number } {
  let end = start;
  let lines = 0;
  while (lines < count && end < text.length) {
    end = text.indexOf("\n", end) + 1;
    lines++;
  }
  return { end, lines };
}

/**
 * Makes a block of some of the lines of another.
 *
 * @param block The other block.
 * @param index The number of the first line in that block, from 0.
 * @param start Where the first line starts.
 * @param end Where the last line ends.
 * @param lines How many lines there are.
 * @returns A block of these lines.
 */
export function part(
  { file, line, first, text }: Block,
  index: number,
  start: number,
  end: number,
  lines: number,
): Block {
  return {
    file,
    line: line + index,
    first: first + index,
    lines,
    text: text.slice(start, end),
  };
}

/**
 * Lines that travel together, and what comes of them.
 *
 * @module
 */

import type { ErrorText } from "./map_block.ts";

/** Lines that travel together. */
export interface Block {
  readonly file: string | undefined;
  /** The number of the first line in its file, from 0. */
  readonly line: number;
  /** The same with all files counted as one. */
  readonly first: number;
  readonly lines: number;
  readonly text: string;
}

/** What came of some lines. */
export interface Piece {
  /** The number of the first of them, from 0, all files counted as one. */
  readonly first: number;
  /** How many there are. */
  readonly lines: number;
  /** How many characters they had. */
  readonly length: number;
  /** Their results, each with its line feed. */
  readonly output: string;
  /** Why there is none; then there is one line. */
  readonly failure?: FailedLine;
}

/** A line without a result. */
export interface FailedLine {
  readonly file: string | undefined;
  /** Its number in its file, from 1. */
  readonly line: number;
  readonly error: ErrorText;
  /** Whether it was no JSON. */
  readonly isUnreadable: boolean;
}

/**
 * How much a result is while it waits to be written.
 *
 * @param piece The result, or why there is none.
 * @returns A number of characters.
 */
export function sizeOf({ output, failure }: Piece): number {
  return output.length + (failure?.error.message.length ?? 0);
}

/**
 * Finds the end of the first lines of a text.
 *
 * @param text Lines with their line feeds.
 * @param start Where the first one starts.
 * @param count How many are wanted.
 * @returns Where they end, and how many there are.
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
 * Some of the lines of a block.
 *
 * @param block The block.
 * @param index The number of the first of them, from 0.
 * @param start Where it starts.
 * @param end Where the last one ends.
 * @param lines How many there are.
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

/**
 * The look of text on a terminal: its width, its colours, and how a line is
 * replaced.
 *
 * @module
 */

/** Options of everything that makes text. */
export interface TextOptions {
  /**
   * Whether to colour the text, by ANSI escape codes.
   *
   * @default {false}
   */
  color?: boolean;
}

/** The length of the longest lines: the width of the smallest terminals still in use. */
export const LINE_WIDTH = 80;

/** Goes to the start of the line and empties it. */
export const CLEAR_LINE = "\r\x1b[K";

/** Goes to the top of the screen and empties it. */
export const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** The ANSI codes of looks. */
const CODES = { bold: 1, dim: 2, green: 32, yellow: 33, cyan: 36 } as const;

/**
 * Gives text a look.
 *
 * @param look The look.
 * @param text The text.
 * @param options Whether to colour the text.
 * @returns The text, between escape codes if it is coloured.
 */
export function paint(
  look: keyof typeof CODES,
  text: string,
  { color = false }: TextOptions,
): string {
  return color ? `\x1b[${CODES[look]}m${text}\x1b[0m` : text;
}

/**
 * Fills lines with pieces of text.
 *
 * @param pieces Words, or other pieces that are not to be broken, without colour.
 * @param indent The beginning of every line.
 * @returns The lines.
 */
export function wrap(pieces: readonly string[], indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const piece of pieces) {
    if (
      line !== "" && indent.length + line.length + piece.length >= LINE_WIDTH
    ) {
      lines.push(indent + line);
      line = "";
    }
    line += line === "" ? piece : ` ${piece}`;
  }
  return [...lines, indent + line].join("\n");
}

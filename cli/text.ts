/**
 * How text on a terminal looks: its width, its colours, and how a line is
 * replaced.
 *
 * @module
 */

/** Options of everything that makes text. */
export interface TextOptions {
  /**
   * Whether to colour it, by ANSI escape codes.
   *
   * @default {false}
   */
  color?: boolean;
}

/** No line is longer: the width of the smallest terminals still in use. */
export const LINE_WIDTH = 80;

/** Goes to the start of the line and empties it, whatever it held. */
export const CLEAR_LINE = "\r\x1b[K";

/** The ANSI codes of what text can look like. */
const CODES = { bold: 1, dim: 2, green: 32, yellow: 33, cyan: 36 } as const;

/**
 * Gives text a look.
 *
 * @param look The look.
 * @param text The text.
 * @param options Whether there is colour at all.
 * @returns The text, between escape codes if so.
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
 * @param pieces Words, or what else is not to be broken, without colour.
 * @param indent What every line begins with.
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

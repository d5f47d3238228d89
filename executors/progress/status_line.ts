/**
 * A line at the end of the standard error stream that is written over, while it
 * is on a terminal. Other text that this package writes there first takes the
 * line away; it comes again when it is drawn the next time.
 *
 * @module
 */

import { writeStandardError } from "../pool/process/standard_error.ts";

/** Goes to the start of the line and empties it. */
const CLEAR_LINE = "\r\x1b[K";

/** What is taken for the width of a terminal that does not tell. */
const USUAL_COLUMNS = 80;

/** The line that is on the terminal. */
let shown: StatusLine | undefined;

/** How many columns the terminal has now. */
export function columns(): number {
  try {
    // Some terminals say that they have none.
    return Deno.consoleSize().columns || USUAL_COLUMNS;
  } catch {
    return USUAL_COLUMNS;
  }
}

/** Takes the line away, if there is one, as other text is about to be written. */
export function makeRoom(): void {
  shown?.hide();
}

/** One such line; of several, the one that was drawn last is seen. */
export class StatusLine {
  /** Shows a text, in place of the one before. */
  draw(text: string): void {
    shown = this;
    write(`${CLEAR_LINE}${text}`);
  }

  /** Takes the text away. */
  hide(): void {
    if (shown !== this) return;
    shown = undefined;
    write(CLEAR_LINE);
  }

  /** Shows a text that stays: what comes next is below. */
  leave(text: string): void {
    makeRoom();
    write(`${text}\n`);
  }
}

function write(text: string): void {
  try {
    writeStandardError(new TextEncoder().encode(text));
  } catch {
    // Nobody reads the stream.
  }
}

/**
 * A line that says how far something is, with a bar if it is on a terminal.
 *
 * ```text
 * progress ──► Pace, how fast, and for how long ──► formatProgress() ──► StatusLine ──► stderr
 * ```
 *
 * @module
 */

import { monotonicTime } from "../runtime/clock.ts";
import { printable } from "../text.ts";
import { formatEnd, formatProgress, type Look } from "./format.ts";
import { Pace, type Progress } from "./pace.ts";
import { columns, StatusLine } from "./status_line.ts";

/** Such a line, which begins when it is made. */
export class Bar {
  /** Whether the standard error stream is a terminal, where the line is written over. */
  readonly isTerminal: boolean = Deno.stderr.isTerminal();
  readonly #line = new StatusLine();
  readonly #look: Look;
  #pace = new Pace(monotonicTime());

  /**
   * Makes it; nothing is shown yet.
   *
   * @param label What it is about; may be empty.
   */
  constructor(label = "") {
    this.#look = {
      label: printable(label),
      color: this.isTerminal && !Deno.noColor,
    };
  }

  /** Shows how far it is: in place of what was shown before, or below, if that is not possible. */
  draw(progress: Progress): void {
    const speed = this.#speed(progress);
    const text = formatProgress(progress, speed, this.#columns, this.#look);
    if (this.isTerminal) this.#line.draw(text);
    else this.#line.leave(text);
  }

  /** Makes room for another text. */
  hide(): void {
    this.#line.hide();
  }

  /** Shows how far it has come, and stays; what is drawn next begins anew. */
  leave(progress: Progress): void {
    const speed = this.#speed(progress);
    this.#line.leave(formatEnd(progress, speed, this.#columns, this.#look));
    this.#pace = new Pace(monotonicTime());
  }

  get #columns(): number {
    return this.isTerminal ? columns() : Infinity;
  }

  #speed(progress: Progress) {
    const now = monotonicTime();
    this.#pace.note(progress, now);
    return this.#pace.at(now);
  }
}

/** Which part of all is done; `undefined` if nobody knows. */
export function partOf(
  done: number,
  total: number | undefined,
): number | undefined {
  return total === undefined || total === 0 ? undefined : done / total;
}

/**
 * The line on the standard error stream that says how far `futures map` is. It
 * counts lines, of which a task has many, so the executor's own numbers would
 * not do.
 *
 * @module
 */

import { writeError } from "./command.ts";
import { CLEAR_LINE } from "./text.ts";

/** How far a run is. */
export interface MapProgress {
  /** How many lines have been written, or have failed. */
  readonly done: number;
  readonly failed: number;
  /** Which part of the input those lines are, from 0 to 1; `undefined` if nobody knows. */
  readonly part: number | undefined;
}

/** How often the line is repainted, in milliseconds: often enough for the eye. */
const REPAINT_MS = 100;

/** How often a new line is written, in milliseconds, where lines cannot be repainted. */
const LOG_MS = 1000;

/** Keeps the line up to date. */
export class ProgressLine implements Disposable {
  readonly #ask: () => MapProgress;
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #shown = false;
  /** Which part of the input earlier runs had done. */
  #from = 0;

  /**
   * Shows the line.
   *
   * @param ask Tells how far the run is.
   */
  constructor(ask: () => MapProgress) {
    this.#ask = ask;
    this.#timer = setInterval(
      () => this.#paint(),
      this.#isTerminal ? REPAINT_MS : LOG_MS,
    );
  }

  /** Removes the line, to make room for another text. */
  hide(): void {
    if (!this.#shown) return;
    writeError(CLEAR_LINE);
    this.#shown = false;
  }

  /** Leaves a last line that tells how long the run took. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
    const seconds = this.#seconds;
    writeError(
      `${formatDone(this.#ask(), seconds)} in ${formatTime(seconds)}\n`,
    );
  }

  get #seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  #paint(): void {
    const progress = this.#ask();
    // Lines that an earlier run has done are passed over in no time.
    if (progress.done === 0) this.#from = progress.part ?? 0;
    const seconds = this.#seconds;
    const text = formatDone(progress, seconds) +
      formatLeft(progress, { from: this.#from, seconds });
    this.#shown = this.#isTerminal;
    writeError(this.#isTerminal ? `${CLEAR_LINE}${text}` : `${text}\n`);
  }
}

function formatDone({ done, failed }: MapProgress, seconds: number): string {
  const rate = done / seconds;
  const digits = rate < 10 ? 1 : 0;
  return `${formatNumber(done)} done, ${formatNumber(failed)} failed, ${
    formatNumber(Number(rate.toFixed(digits)))
  }/s`;
}

/**
 * Says how much there is still to do.
 *
 * @param progress How far the run is.
 * @param since Where the run began, and how long ago.
 * @returns Some words behind a comma; none if nobody knows.
 */
export function formatLeft(
  { part }: MapProgress,
  { from, seconds }: { from: number; seconds: number },
): string {
  // The speed of the first second says nothing yet.
  if (part === undefined || part <= from || seconds < 1) return "";
  const left = seconds * (1 - part) / (part - from);
  return `, ${Math.floor(part * 100)} %, ${formatTime(left)} left`;
}

/** 5.1 s, 2 min 03 s, 7 h 05 min */
function formatTime(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(rounded / 60);
  return minutes < 60
    ? `${minutes} min ${two(rounded % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function formatNumber(value: number): string {
  return value.toLocaleString("en");
}

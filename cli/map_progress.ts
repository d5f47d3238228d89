/**
 * The line on the standard error stream that says how far `futures map` is.
 *
 * @module
 */

import { CLEAR_LINE } from "../bench/progress.ts";

/** How far it is. */
export interface MapProgress {
  /** How many lines have been written, or have failed. */
  readonly done: number;
  readonly failed: number;
  /** Which part of the input that is, from 0 to 1; `undefined` if nobody knows. */
  readonly part: number | undefined;
}

/** Often enough for the eye. */
const REPAINT_MS = 100;

/** Where lines stay, there are fewer of them. */
const LOG_MS = 1000;

/** Keeps the line up to date. */
export class ProgressLine implements Disposable {
  readonly #ask: () => MapProgress;
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #shown = false;

  /**
   * @param ask Whom to ask how far it is; this is all there is to know.
   */
  constructor(ask: () => MapProgress) {
    this.#ask = ask;
    this.#timer = setInterval(
      () => this.#paint(),
      this.#isTerminal ? REPAINT_MS : LOG_MS,
    );
  }

  /** Makes room for something else. */
  hide(): void {
    if (!this.#shown) return;
    write(CLEAR_LINE);
    this.#shown = false;
  }

  /** Leaves a last line that tells how long it took. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
    const progress = this.#ask();
    const seconds = (performance.now() - this.#start) / 1000;
    write(`${formatDone(progress, seconds)} in ${formatTime(seconds)}\n`);
  }

  #paint(): void {
    const progress = this.#ask();
    const seconds = (performance.now() - this.#start) / 1000;
    const text = formatDone(progress, seconds) + formatLeft(progress, seconds);
    this.#shown = this.#isTerminal;
    write(this.#isTerminal ? `${CLEAR_LINE}${text}` : `${text}\n`);
  }
}

function formatDone({ done, failed }: MapProgress, seconds: number): string {
  const rate = done / seconds;
  const digits = rate < 10 ? 1 : 0;
  return `${formatNumber(done)} done, ${formatNumber(failed)} failed, ${
    formatNumber(Number(rate.toFixed(digits)))
  }/s`;
}

function formatLeft({ part }: MapProgress, seconds: number): string {
  // What was done in the first moments says nothing yet.
  if (part === undefined || part === 0 || seconds < 1) return "";
  const left = seconds / part - seconds;
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

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

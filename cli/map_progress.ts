/**
 * Says on the standard error stream how far `futures map` is, by the bar of
 * `@concurrent/futures/progress`. It counts lines, of which a task has many, so
 * that the option `onProgress` of a map, which counts tasks, would not do.
 *
 * @module
 */

import { Bar } from "../executors/progress/bar.ts";
import type { Progress } from "../executors/progress/pace.ts";

/** How often the line is repainted, in milliseconds: often enough for the eye. */
const REPAINT_MS = 100;

/** How often a new line is written, in milliseconds, where lines cannot be repainted. */
const LOG_MS = 1000;

/** Keeps the line up to date. */
export class ProgressLine implements Disposable {
  readonly #ask: () => Progress;
  readonly #bar = new Bar();
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Shows the line.
   *
   * @param ask Tells how far the run is.
   */
  constructor(ask: () => Progress) {
    this.#ask = ask;
    this.#timer = setInterval(
      () => this.#bar.draw(this.#ask()),
      this.#bar.isTerminal ? REPAINT_MS : LOG_MS,
    );
  }

  /** Removes the line, to make room for another text. */
  hide(): void {
    this.#bar.hide();
  }

  /** Leaves a last line that tells how long the run took. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#bar.leave(this.#ask());
  }
}

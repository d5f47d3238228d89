/**
 * Option `onProgress` as a bar on the terminal.
 *
 * @module
 */

import { checkOptions } from "../arguments.ts";
import type { MapProgress } from "../map/options.ts";
import { isLast } from "../map/progress.ts";
import { show } from "../text.ts";
import { Bar, partOf } from "./bar.ts";

/** Options of {@linkcode progressBar}. */
export interface ProgressBarOptions {
  /**
   * What the bar is about. Characters that a terminal would obey are shown as
   * their numbers.
   *
   * @default {""}
   */
  label?: string;
}

/**
 * Makes an `onProgress` that draws a bar on the standard error stream, if that is
 * a terminal, and does nothing otherwise.
 *
 * It shows how many calls have ended, of how many, how many of them have failed,
 * and, by the last 15 seconds or so, how many end in a second and how long the
 * rest will take. What does not fit into the width of the terminal is left out.
 * The last line stays. Colours are left out if the environment has `NO_COLOR`.
 *
 * What worker processes print takes the place of the bar, which comes again
 * below. What the program or a thread prints begins at the end of the bar: a
 * line feed first makes that two lines.
 *
 * @param options What the bar is about.
 * @returns The function for option `onProgress`; for one map after another, not
 * for two at a time.
 * @throws {TypeError} If the label is no string.
 *
 * @example
 * ```ts
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { progressBar } from "@concurrent/futures/progress";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new PromisePoolExecutor();
 * const onProgress = progressBar({ label: "Squares" });
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3], { onProgress });
 * assertEquals(squares, [1, 4, 9]);
 * ```
 */
export function progressBar(
  options?: ProgressBarOptions,
): (progress: MapProgress) => void {
  const { label = "" } = checkOptions(options);
  if (typeof label !== "string") {
    throw new TypeError(`'label' must be a string: received ${show(label)}`);
  }
  const bar = new Bar(label);
  if (!bar.isTerminal) return () => {};
  return (told) => {
    const { done, failed, total } = told;
    const progress = { done, failed, total, part: partOf(done, total) };
    if (isLast(told)) bar.leave(progress);
    else bar.draw(progress);
  };
}

/**
 * The line on a terminal that says how far a run is.
 *
 * @module
 */

import { Bar, partOf } from "../../executors/progress/bar.ts";
import type { Observer } from "./benchmark.ts";

/**
 * How often the line is repainted, in milliseconds: often enough for the eye,
 * and next to no work.
 */
const REPAINT_MS = 100;

/**
 * Keeps a line on the standard error stream up to date.
 *
 * While the run computes in this thread no timer fires, so the line changes with
 * each result only.
 *
 * @param total How many results there will be in each run.
 * @returns The observer for the benchmark.
 */
export function showProgress(
  total: number,
): Required<Pick<Observer, "runStarted" | "recordDone" | "runEnded">> {
  let bar = new Bar();
  let done = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    runStarted({ executor }) {
      bar = new Bar(executor);
      done = 0;
      timer = setInterval(draw, REPAINT_MS);
      draw();
    },
    recordDone() {
      done++;
      draw();
    },
    runEnded() {
      clearInterval(timer);
      bar.hide();
    },
  };

  function draw() {
    bar.draw({ done, failed: 0, total, part: partOf(done, total) });
  }
}

/**
 * The line on a terminal that says how far a run is.
 *
 * @module
 */

import { writeStandardError } from "../../executors/pool/process/standard_error.ts";
import { CLEAR_LINE } from "../text.ts";
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
  let name = "";
  let done = 0;
  let start = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    runStarted({ executor }) {
      name = executor;
      done = 0;
      start = performance.now();
      timer = setInterval(paint, REPAINT_MS);
      paint();
    },
    recordDone() {
      done++;
      paint();
    },
    runEnded() {
      clearInterval(timer);
      write(CLEAR_LINE);
    },
  };

  function paint() {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    write(`${CLEAR_LINE}  ${name}: ${done} of ${total} done, ${seconds} s`);
  }
}

function write(text: string): void {
  writeStandardError(new TextEncoder().encode(text));
}

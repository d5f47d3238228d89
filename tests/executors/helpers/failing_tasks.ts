/**
 * Tasks that fail, for the tests of what is tried again.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { BrokenExecutorError, currentTask, task } from "../../../mod.ts";
import { add, type Cells } from "./cells.ts";

/** Fails until it was called so often; returns how often that was. */
export const failUntil = task(
  import.meta,
  function failUntil(cells: Cells, attempts: number) {
    const attempt = add(cells, 0, 1) + 1;
    if (attempt < attempts) throw new Error(`Attempt ${attempt}`);
    return `${attempt}, says the pool ${currentTask()!.attempt}`;
  },
);

/** Takes too long until it was called so often. */
export const hangUntil = task(
  import.meta,
  async function hangUntil(cells: Cells, attempts: number) {
    const attempt = add(cells, 0, 1) + 1;
    const { signal } = currentTask()!;
    if (attempt < attempts) {
      while (!signal.aborted) await delay(1);
      add(cells, 1, 1);
    }
    return attempt;
  },
);

/** Ends its worker until it was called so often. */
export const exitUntil = task(
  import.meta,
  function exitUntil(cells: Cells, attempts: number) {
    const attempt = add(cells, 0, 1) + 1;
    if (attempt < attempts) Deno.exit(1);
    return attempt;
  },
);

/** Fails as a task does that uses an executor which is broken. */
export const failInside = task(
  import.meta,
  function failInside(message: string) {
    throw new BrokenExecutorError(message);
  },
);

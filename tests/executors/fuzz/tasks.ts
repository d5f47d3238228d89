/**
 * What liars and honest workers are given to do: the deeds of the chaos, and a
 * note of who has begun which.
 *
 * @module
 */

import { task } from "../../../mod.ts";
import type { Cells } from "../helpers/cells.ts";
import { type Deed, perform } from "../chaos/tasks.ts";

/** Where tasks note that they were entered, each at its place. */
export interface Notes {
  readonly honest: Cells;
  readonly lying: Cells;
  /** Which workers lie: see {@linkcode lies}. */
  readonly liars: number;
}

/** More workers have the same bits again. */
const BITS = 30;

/** Every worker. */
export const ALL: number = 2 ** BITS - 1;

/** Whether a worker lies: one bit says so of each, so that its tasks know it as well. */
export function lies(liars: number, worker: string): boolean {
  const number = Number(/\d+$/.exec(worker)?.[0] ?? 0);
  return (liars >> (number % BITS) & 1) === 1;
}

/** Notes that it was entered, then does what it is told. The host finds `place` where it is: see liar.ts. */
export const attempt = task(
  import.meta,
  function attempt(
    place: number,
    notes: Notes,
    deed: Deed,
    argument?: unknown,
  ): unknown {
    const { honest, lying, liars } = notes;
    const entries = lies(liars, self.name) ? lying : honest;
    return perform(entries, place, deed, argument);
  },
);

/** The same for the items of a map(). */
export const attemptItem = task(
  import.meta,
  function attemptItem(place: number, notes: Notes, deed: Deed): unknown {
    return attempt(place, notes, deed);
  },
);

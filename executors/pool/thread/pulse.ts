/**
 * Whether a worker is there. Its lock becomes free as it goes, which says at
 * once when to look, but a task of any worker in the process can find that lock
 * and steal it, or be the next to hold it. So the worker also waits, many times
 * over, for a cell of memory that only it and its host have, and never changes:
 * V8 forgets who waits as their isolate goes. To wake one up shows that it was
 * there, whatever it does, a loop that never yields included.
 *
 * Each look spends one. The worker adds another as soon as it can, but it may be
 * in such a loop, and up to Deno 2.7 it never hears that it was woken up; so it
 * is looked less and less often.
 *
 * @module
 */

import { SLOT_COUNT } from "../wire/slots.ts";

/** As they were when this was loaded: what a task puts in their place would be given the memory. */
const { add, load, notify } = Atomics;
// Not in the types of every supported version.
const { waitAsync } = Atomics as unknown as {
  waitAsync(
    cells: Int32Array,
    index: number,
    value: number,
  ): { value: Promise<unknown> | string };
};

/** How often a worker waits: enough for days, if each pause is twice as long as the one before. */
const WAITERS = 32;

/** What is waited for, and how often that was begun. */
const BEAT = 0;
const BEGUN = 1;
const CELLS = 2;

/** How many bytes the slots and the pulse of a worker take, one after another. */
export const SHARED_BYTES: number = (SLOT_COUNT + CELLS) *
  Int32Array.BYTES_PER_ELEMENT;

function cellsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(
    memory,
    SLOT_COUNT * Int32Array.BYTES_PER_ELEMENT,
    CELLS,
  );
}

/** The host's finger on it. */
export class Pulse {
  readonly #cells: Int32Array;
  #spent = 0;
  #known = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = cellsOf(memory);
  }

  /** Whether the worker is there; `undefined` if that cannot be told now, as it has not begun or has none left. */
  beats(): boolean | undefined {
    if (load(this.#cells, BEGUN) <= this.#spent) return undefined;
    this.#spent++;
    return notify(this.#cells, BEAT, 1) > 0;
  }

  /** Whether the worker has made up for looks since this was last asked. */
  isRenewed(): boolean {
    const begun = load(this.#cells, BEGUN);
    const renewed = begun > this.#known;
    this.#known = begun;
    return renewed;
  }
}

/** Gives the worker that calls this a pulse. */
export function beat(memory: SharedArrayBuffer): void {
  const cells = cellsOf(memory);
  for (let n = 0; n < WAITERS; n++) keepWaiting(cells);
}

async function keepWaiting(cells: Int32Array): Promise<void> {
  while (true) {
    const { value } = waitAsync(cells, BEAT, 0);
    add(cells, BEGUN, 1);
    await value;
  }
}

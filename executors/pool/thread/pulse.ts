/**
 * Tells a host whether a worker is there. The lock of the worker becomes free as
 * the worker goes, which says at once when to look, but a task of any worker in
 * the process can find that lock and steal it, or be the next to hold it. So the
 * worker also waits, many times over, for a change of a cell of memory that only
 * it and its host have, and that never changes. V8 forgets those waits as the
 * isolate goes: if the host can end one, the worker was there, even in a loop
 * that never yields.
 *
 * Each look spends one wait. The worker begins another as soon as it can, but it
 * may be in such a loop, and up to Deno 2.7 never hears that a wait has ended;
 * so the host looks less and less often.
 *
 * The worker also counts its messages: a host that was busy may hear of the end
 * of a worker before it hears what the worker had sent.
 *
 * @module
 */

import { SLOT_COUNT } from "../wire/slots.ts";

/** The functions as they were when this module was loaded: a task that replaced them would be given the memory. */
const { add, load, notify } = Atomics;
// `waitAsync` is not in the types of every supported version.
const { waitAsync } = Atomics as unknown as {
  waitAsync(
    cells: Int32Array,
    index: number,
    value: number,
  ): { value: Promise<unknown> | string };
};

/**
 * How many waits a worker has at a time: enough for days, if each pause between
 * looks is twice the one before.
 */
const WAITS = 32;

/**
 * The cell that is waited for; the cells that count the waits that were begun,
 * and the messages that the worker has sent.
 */
const BEAT = 0;
const BEGUN = 1;
const SENT = 2;
const CELLS = 3;

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

/** The host's finger on the pulse of a worker. */
export class Pulse {
  readonly #cells: Int32Array;
  #spent = 0;
  #known = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = cellsOf(memory);
  }

  /**
   * Whether the worker is there; `undefined` if that cannot be told now, as no
   * wait has begun or is left.
   */
  beats(): boolean | undefined {
    if (load(this.#cells, BEGUN) <= this.#spent) return undefined;
    this.#spent++;
    return notify(this.#cells, BEAT, 1) > 0;
  }

  /** Whether the worker has begun more waits since the host last asked. */
  isRenewed(): boolean {
    const begun = load(this.#cells, BEGUN);
    const renewed = begun > this.#known;
    this.#known = begun;
    return renewed;
  }

  /** Whether the worker has sent more messages than so many; both counts may have wrapped around. */
  hasSentMoreThan(heard: number): boolean {
    return (load(this.#cells, SENT) - heard | 0) > 0;
  }
}

/** Gives the worker that calls this a pulse. */
export function beat(memory: SharedArrayBuffer): void {
  const cells = cellsOf(memory);
  for (let n = 0; n < WAITS; n++) keepWaiting(cells);
}

/** Makes the function that a worker calls after each message that it has sent. */
export function countSent(memory: SharedArrayBuffer): () => void {
  const cells = cellsOf(memory);
  return () => void add(cells, SENT, 1);
}

async function keepWaiting(cells: Int32Array): Promise<void> {
  while (true) {
    const { value } = waitAsync(cells, BEAT, 0);
    add(cells, BEGUN, 1);
    await value;
  }
}

/**
 * The states of the tasks that have been sent ahead to a worker, in memory
 * that both sides share. Each side moves a state by compare-and-swap, so a
 * task is either entered by the worker or taken back by the host, never both.
 *
 * ```text
 *              worker enters                host stops
 *   SENT ──────────────────────► RUNNING ─────────────► STOP_CANCELLED
 *   ANNOUNCED ─────────────────► RUNNING ─────────────► STOP_TIMED_OUT
 *     │  host takes back
 *     └────────────────────────► REVOKED
 * ```
 *
 * A slot is used again when the host has heard that the worker is past it.
 *
 * @module
 */

/** How many tasks one worker can have been sent; a power of two. */
export const SLOT_COUNT = 1024;
const MASK = SLOT_COUNT - 1;

/** Sent, and not entered. */
export const SENT = 0;
/** As SENT; the worker says when it enters it, as its time-out counts from there. */
export const ANNOUNCED = 1;
/** Entered by the worker, which may be done with it by now. */
export const RUNNING = 2;
/** Taken back by the host: the worker passes over it. */
export const REVOKED = 3;
/** Running, and to stop since it was cancelled. */
export const STOP_CANCELLED = 4;
/** Running, and to stop since it ran too long. */
export const STOP_TIMED_OUT = 5;

/** One side's view; `position` counts the tasks sent to this worker, from 0. */
export class Slots {
  readonly #states: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#states = new Int32Array(memory);
  }

  /** Memory for the slots of one worker. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOT_COUNT * Int32Array.BYTES_PER_ELEMENT);
  }

  /** The state as of now. */
  get(position: number): number {
    return Atomics.load(this.#states, position & MASK);
  }

  /** Host: a task is about to be sent. */
  send(position: number, announced: boolean): void {
    Atomics.store(this.#states, position & MASK, announced ? ANNOUNCED : SENT);
  }

  /** Host: takes a task back; false if the worker has entered it. */
  revoke(position: number): boolean {
    return this.#swap(position, SENT, REVOKED) ||
      this.#swap(position, ANNOUNCED, REVOKED);
  }

  /** Host: asks a running task to stop. */
  stop(
    position: number,
    state: typeof STOP_CANCELLED | typeof STOP_TIMED_OUT,
  ): void {
    this.#swap(position, RUNNING, state);
  }

  /** Worker: enters a task; returns the state before, in which it may be REVOKED. */
  enter(position: number): number {
    const state = Atomics.compareExchange(
      this.#states,
      position & MASK,
      SENT,
      RUNNING,
    );
    if (state === ANNOUNCED && !this.#swap(position, ANNOUNCED, RUNNING)) {
      return REVOKED;
    }
    return state;
  }

  #swap(position: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#states, position & MASK, from, to) ===
      from;
  }
}

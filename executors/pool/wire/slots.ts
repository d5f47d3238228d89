/**
 * How far a worker has come with what has been sent ahead to it, in memory
 * that both sides share. Each change is one atomic operation, so a call is
 * either entered by the worker or revoked by the host, never both.
 *
 * A slot belongs to one job, of one or more calls, and counts how many of them
 * have been entered; flags are what the host has to say about the job.
 *
 * ```text
 *   n ──worker enters a call, if no flag is set──► n + 1
 *   n ──host revokes─────► n | REVOKED     calls from n on are never entered
 *   n ──host stops───────► n | STOP_…      call n - 1, which runs, is to stop
 *   n | ANNOUNCED                          the worker says when it enters a call
 * ```
 *
 * A slot is used again when the host has heard that the worker is past it.
 *
 * @module
 */

/** As they were when this was loaded: what a task puts in their place would be given the memory. */
const { compareExchange, load, or, store } = Atomics;

/** How many jobs one worker can have been sent; a power of two. */
export const SLOT_COUNT = 1024;
const MASK = SLOT_COUNT - 1;

const COUNT = (1 << 20) - 1;
const ANNOUNCED = 1 << 20;
const REVOKED = 1 << 21;
const STOP_CANCELLED = 1 << 22;
const STOP_TIMED_OUT = 1 << 23;

/** Whether a call has been entered, as far as the host can know. */
export type Entered = "no" | "maybe" | "yes";

/** Why a running call is to stop. */
export type StopKind = "cancelled" | "timed out";

/** One side's view; `position` counts the jobs sent to this worker, from 0. */
export class Slots {
  readonly #states: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#states = new Int32Array(memory);
  }

  /** Memory for the slots of one worker, or for them and what lies behind them. */
  static allocate(
    bytes: number = SLOT_COUNT * Int32Array.BYTES_PER_ELEMENT,
  ): SharedArrayBuffer {
    return new SharedArrayBuffer(bytes);
  }

  /** Host: a job is about to be sent. */
  send(position: number, announced: boolean): void {
    store(this.#states, position & MASK, announced ? ANNOUNCED : 0);
  }

  /** Host: whether a call, counted from 0, has been entered; never "maybe". */
  entered(position: number, call: number): Entered {
    return call < (load(this.#states, position & MASK) & COUNT) ? "yes" : "no";
  }

  /** Host: revokes the calls that have not been entered; returns how many have. */
  revoke(position: number): number {
    return or(this.#states, position & MASK, REVOKED) & COUNT;
  }

  /** Host: nothing, as `revoke()` revokes whatever there is. */
  askToRevoke(): boolean {
    return false;
  }

  /** Host: asks the running call to stop. */
  stop(position: number, kind: StopKind): void {
    const flag = kind === "timed out" ? STOP_TIMED_OUT : STOP_CANCELLED;
    or(this.#states, position & MASK, flag);
  }

  /** Host: whether the worker was to tell of a call, and has entered it. */
  mayTell(position: number, calls: number): boolean {
    const state = load(this.#states, position & MASK);
    return (state & ANNOUNCED) !== 0 && (state & COUNT) >= calls;
  }

  /** Host: none, see `askToRevoke()`. */
  get question(): undefined {
    return undefined;
  }

  /** Host: nothing, as all that there is to know is in memory. */
  hear(): void {}

  /** Worker: enters call `n`, counted from 0; `"announced"` means entered, and to be told. */
  enter(position: number, n: number): boolean | "announced" {
    if (this.#exchange(position, n)) return true;
    return this.#exchange(position, n | ANNOUNCED) ? "announced" : false;
  }

  /** Worker: whether, and why, the running call is to stop. */
  stopKind(position: number): StopKind | undefined {
    const state = load(this.#states, position & MASK);
    if ((state & STOP_TIMED_OUT) !== 0) return "timed out";
    return (state & STOP_CANCELLED) !== 0 ? "cancelled" : undefined;
  }

  /** Adds a call to the count if the state is this one. */
  #exchange(position: number, state: number): boolean {
    const index = position & MASK;
    return compareExchange(this.#states, index, state, state + 1) ===
      state;
  }
}

// A task that could replace a method would be given the slots of its worker.
Object.freeze(Slots.prototype);

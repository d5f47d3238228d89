/**
 * The life of one worker, as its host sees it.
 *
 * Whether a worker is silent, which takes far longer than to stall, is a matter
 * of its own: see silence.ts.
 *
 * @module
 */

// The state machine. States only move forward, but for the three of a worker
// that is ready.
//
//   STARTING    initializes itself; is sent one call at most
//   READY       is sent work ahead
//   WATCHED     the same, but has reported nothing since it was last looked at
//   STALLED     is sent nothing until it reports, or has nothing to do
//   LEAVING     was told to end; is sent nothing, what it reports still counts
//   DISTRUSTED  was told to end as it has said what no worker says: only what
//               it has entered is believed, as that is not sent again
//   GONE        terminal; its channel is closed, and nothing of it is heard
//
//   STARTING -> READY             the worker says that it is ready
//   READY -> WATCHED              a look, every STALL_MS while that matters
//   WATCHED -> STALLED            the next look, if it is busy
//   READY, WATCHED -> STALLED     jobs were revoked from it
//   WATCHED, STALLED -> READY     it reports
//   (any before) -> LEAVING       it starts, or loads a module, for too long; a
//                                 job does not stop; it is silent for too long
//   (any before) -> DISTRUSTED    the validator refuses what it says
//   (any before) -> GONE          the host closes it, or it has died
const STARTING = 0;
const READY = 1;
const WATCHED = 2;
const STALLED = 3;
const LEAVING = 4;
const DISTRUSTED = 5;
const GONE = 6;
type State =
  | typeof STARTING
  | typeof READY
  | typeof WATCHED
  | typeof STALLED
  | typeof LEAVING
  | typeof DISTRUSTED
  | typeof GONE;

/** Where a worker is in its life. */
export class Life {
  #state: State = STARTING;

  /** Whether the worker initializes itself. */
  get isStarting(): boolean {
    return this.#state === STARTING;
  }

  /** Whether the worker has been initialized, and is not about to end. */
  get isReady(): boolean {
    return this.#state >= READY && this.#state <= STALLED;
  }

  /** Whether the worker is ready, and is not to be sent work ahead. */
  get isStalled(): boolean {
    return this.#state === STALLED;
  }

  /** Whether the worker is about to end, or has ended. */
  get isLeaving(): boolean {
    return this.#state >= LEAVING;
  }

  /** Whether the worker has said what no worker says. */
  get isDistrusted(): boolean {
    return this.#state === DISTRUSTED;
  }

  /** Whether the worker is closed. */
  get isGone(): boolean {
    return this.#state === GONE;
  }

  /** The worker says that it is ready. */
  becomeReady(): void {
    if (this.#state === STARTING) this.#state = READY;
  }

  /** The worker reports something. */
  report(): void {
    if (this.isReady) this.#state = READY;
  }

  /** The host looks whether the worker goes on, which is busy or not; true if it is stalled. */
  lookAt(isBusy: boolean): boolean {
    if (this.#state === READY) this.#state = WATCHED;
    else if (this.#state === WATCHED && isBusy) this.#state = STALLED;
    return this.#state === STALLED && isBusy;
  }

  /** Jobs were revoked from the worker: it would only be sent the same ones again. */
  stall(): void {
    if (this.isReady) this.#state = STALLED;
  }

  /** The worker was told to end. */
  leave(): void {
    if (this.#state < LEAVING) this.#state = LEAVING;
  }

  /** The worker was told to end, as it has said what no worker says. */
  distrust(): void {
    if (this.#state < DISTRUSTED) this.#state = DISTRUSTED;
  }

  /** The worker was closed. */
  end(): void {
    this.#state = GONE;
  }
}

/**
 * The life of one worker, as its host sees it.
 *
 * Whether a worker is silent, which takes far longer than to stall, is a matter
 * of its own: see silence.ts.
 *
 * @module
 */

// The states of a worker. They only move forward, but for the three of a worker
// that is ready.
//
//   STARTING    initializes itself; is sent one call at most
//   READY       is sent work ahead
//   WATCHED     the same, but has reported nothing since it was last looked at
//   STALLED     is sent nothing until it reports, or has nothing to do
//   LEAVING     was told to end; is sent nothing, what it reports still counts
//   DISTRUSTED  was told to end as it has said what no worker says: only its
//               "entered" counts, as a call that was entered is not sent again
//   GONE        terminal; its channel is closed, and no message is heard
//
//   STARTING -> READY             the worker says that it is ready
//   READY -> WATCHED              the host looks, every STALL_MS while needed
//   WATCHED -> STALLED            the host looks again, and the worker is busy
//   READY, WATCHED -> STALLED     jobs were revoked from the worker
//   WATCHED, STALLED -> READY     the worker reports
//   (any before) -> LEAVING       the worker starts, or loads a module, for too
//                                 long; a job does not stop; the worker is
//                                 silent for too long
//   (any before) -> DISTRUSTED    the validator refuses a message of the worker
//   (any before) -> GONE          the host closes the worker, or it has died
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
  /** Whether the worker has ever said that it is ready, even while it leaves. */
  wasReady = false;

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
    this.wasReady = true;
    if (this.#state === STARTING) this.#state = READY;
  }

  /** The worker reports something. */
  report(): void {
    if (this.isReady) this.#state = READY;
  }

  /** The host looks whether the worker goes on; true if the worker is busy, and stalled. */
  lookAt(isBusy: boolean): boolean {
    if (this.#state === READY) this.#state = WATCHED;
    else if (this.#state === WATCHED && isBusy) this.#state = STALLED;
    return this.#state === STALLED && isBusy;
  }

  /** Jobs were revoked from the worker, which would only be sent the same jobs again. */
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

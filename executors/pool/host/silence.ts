/**
 * How long a worker that has something to do neither enters it nor says
 * anything. A timer that a finished task has left behind may run a loop that
 * never yields, or somebody may have stopped the process: nothing else tells,
 * and the `timeout` of a call only begins when it is entered.
 *
 * Time is counted in looks, not by a clock: a host that was busy itself, or
 * suspended, has looked once in all that time.
 *
 * @module
 */

/** How often it is looked. Less would find honest workers on a busy machine, more is a wait for who has one worker. */
export const LOOK_MS = 250;

/**
 * What a worker is given before it is ended: its `gracePeriod`, which is how
 * long code that does not react may go on, within bounds. With less, workers of
 * a machine under load would be ended, with more a pool would seem to hang.
 */
const LEAST_PATIENCE_MS = 1000;
const MOST_PATIENCE_MS = 10_000;

/**
 * So many looks more a process is given that has not answered. What it was sent
 * alone may have been entered, and is lost with it.
 */
export const ANSWER_LOOKS = 8;

/** How much longer than writing a value it may take to read it; in a process it is read and written once more. */
const READ_FACTOR = 20;

/**
 * What the silence of a worker means: from when it is `"long"`, what it has is
 * better offered to others; at the `"last"` look it is asked what it has not
 * entered; from then on it is `"over"`.
 */
export type SilenceLevel = "none" | "long" | "last" | "over";

/** The silence of one worker. */
export class Silence {
  /** What the last look has found; nothing if the worker has reported since then. */
  level: SilenceLevel = "none";
  readonly #patience: number;
  /** The first position that it had not reported at the last look; -1 if it owed none, or was at it. */
  #due = -1;
  /** How many looks have found it silent. */
  #looks = 0;
  /** The first position that it had not reported, and how many looks have found that the same. */
  #busy = -1;
  #busyLooks = 0;
  /** How long it took to send the value that took longest since it last had nothing to do. */
  #sendMs = 0;
  /** How much its process had taken of large messages at the last look. */
  #read: number | undefined;
  /** How many looks its time has been over. */
  #overLooks = 0;

  constructor(gracePeriod: number) {
    const patience = Math.min(
      Math.max(LEAST_PATIENCE_MS, gracePeriod),
      MOST_PATIENCE_MS,
    );
    this.#patience = Math.ceil(patience / LOOK_MS);
  }

  /** Whether the worker has been silent for so long that it is to be given nothing. */
  get long(): boolean {
    return this.level !== "none";
  }

  /** Whether the worker has been asked for the last time what it has not entered. */
  get isLast(): boolean {
    return this.level === "last" || this.level === "over";
  }

  /** A message was sent, which took so long. */
  sent(ms: number): void {
    if (ms > this.#sendMs) this.#sendMs = ms;
  }

  /** It has said that something has ended; perhaps it has nothing more to do. */
  ended(count: number): void {
    this.level = "none";
    this.#due = -1;
    if (count === 0) this.#sendMs = 0;
  }

  /**
   * Looks, every `LOOK_MS`, at a worker that is at work: whether it is time to
   * see that it is there, which is not done more often than twice as late as
   * before. `due` is the first position that it has not reported.
   */
  isTimeToCheck(due: number): boolean {
    if (due !== this.#busy) {
      this.#busy = due;
      this.#busyLooks = 0;
      return false;
    }
    const looks = ++this.#busyLooks;
    return looks > 1 && (looks & (looks - 1)) === 0;
  }

  /** Looks, every `LOOK_MS`: `due` is the first position that it has not reported, or -1 if that is no sign. */
  look(due: number): SilenceLevel {
    return this.level = this.#levelAt(due);
  }

  #levelAt(due: number): SilenceLevel {
    if (due < 0 || due !== this.#due) {
      this.#due = due;
      this.#looks = this.#overLooks = 0;
      return "none";
    }
    const looks = ++this.#looks -
      Math.floor(this.#sendMs * READ_FACTOR / LOOK_MS);
    if (looks >= this.#patience) return "over";
    this.#overLooks = 0;
    if (looks === this.#patience - 1) return "last";
    return looks > 0 ? "long" : "none";
  }

  /** Whether a process has taken more of what is `written` to it since the last look. */
  hasRead(written: number | undefined): boolean {
    const before = this.#read;
    this.#read = written;
    return written !== before;
  }

  /** Whether a worker whose time is over gets a look more: one that is still to answer what it has not entered. */
  isToWait(unanswered: boolean): boolean {
    return unanswered && this.#overLooks++ < ANSWER_LOOKS;
  }
}

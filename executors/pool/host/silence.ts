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

import { TimeoutError } from "../../errors.ts";
import type { Channel } from "../channel.ts";
import type { Ledger } from "./ledger.ts";

/** How often the host looks at its workers. Less would find honest workers on a busy machine, more is a wait for who has one worker. */
export const LOOK_MS = 250;

/**
 * The time that a worker is given before it is ended: its `gracePeriod`, which is how
 * long code that does not react may go on, within bounds. With less, workers of
 * a machine under load would be ended, with more a pool would seem to hang.
 */
const LEAST_PATIENCE_MS = 1000;
const MOST_PATIENCE_MS = 10_000;

/**
 * So many looks more a process is given that has not answered. What it was sent
 * alone may have been entered, and is lost with it.
 */
const ANSWER_LOOKS = 8;

/** How much longer than writing a value it may take to read it; in a process it is read and written once more. */
const READ_FACTOR = 20;

/**
 * How long a worker has been silent.
 *
 * ```text
 * none ──a second look has found it silent──► long ──► last ──► over
 *   ▲                                          │        │        │
 *   └── it reports, or a look finds it at work ┴────────┴────────┘
 * ```
 *
 * From when the silence is `"long"`, the worker is given nothing more, and what
 * it has is better offered to others; at the `"last"` look the worker is asked
 * what it has not entered; when its time is `"over"`, the worker is ended.
 */
export type SilenceLevel = "none" | "long" | "last" | "over";

/** The silence of one worker. */
export class Silence {
  /** What the last look has found; none if the worker has reported since then. */
  level: SilenceLevel = "none";
  readonly #patience: number;
  /** The first position that the worker had not reported at the last look; -1 if it owed none, or was at it. */
  #due = -1;
  /** How many looks have found the worker silent. */
  #looks = 0;
  /** The first position that the worker had not reported, and how many looks have found that the same. */
  #busy = -1;
  #busyLooks = 0;
  /** How long it took to send the value that took longest since the worker last had nothing to do. */
  #sendMs = 0;
  /** How much a process had taken of large messages at the last look. */
  #read: number | undefined;
  /** How many looks the worker's time has been over. */
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

  /** The worker has said that something has ended; perhaps it has nothing more to do. */
  ended(count: number): void {
    this.level = "none";
    this.#due = -1;
    if (count === 0) this.#sendMs = 0;
  }

  /**
   * Whether it is time to see that a worker which is at work is there: not more
   * often than twice as late as before. `due` is the first position that it has
   * not reported.
   */
  #isTimeToCheck(due: number): boolean {
    if (due !== this.#busy) {
      this.#busy = due;
      this.#busyLooks = 0;
      return false;
    }
    const looks = ++this.#busyLooks;
    return looks > 1 && (looks & (looks - 1)) === 0;
  }

  /** Looks, every `LOOK_MS`: `due` is the first position that the worker has not reported, or -1 if that is no sign. */
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

  /**
   * Looks, every `LOOK_MS`, at a worker that owes something: asks it for the last
   * time what it has not entered, when that is due, and sees that it is there.
   * A worker that starts, or loads a module, is waited for in another way.
   */
  lookAt(channel: Channel, ledger: Ledger, isToReact: boolean): SilenceLevel {
    const { head, places } = ledger;
    const hasRead = this.#hasRead(channel.written);
    const silent = isToReact && places > 0 && !hasRead && !ledger.isAtWork;
    const level = this.look(silent ? head : -1);
    // Whether the worker is there is mostly noticed at once, but not always.
    if (this.#isTimeToCheck(head)) channel.check?.();
    // The worker may be at work all the time: without shared memory, only asking tells.
    if (level === "last") ledger.askToRevoke(head);
    return level;
  }

  /** Whether a process has taken more of what is `written` to it since the last look. */
  #hasRead(written: number | undefined): boolean {
    const before = this.#read;
    this.#read = written;
    return written !== before;
  }

  /** Whether a worker whose time is over gets a look more: one that is still to answer what it has not entered. */
  isToWait({ unanswered }: Channel): boolean {
    return unanswered === true && this.#overLooks++ < ANSWER_LOOKS;
  }
}

/** Why a worker was ended that was silent for too long. */
export function silentError(worker: string): TimeoutError {
  return new TimeoutError(
    `Worker '${worker}' was sent a call and did not react: something that an earlier task has left behind may run a loop that never yields, or its process was stopped`,
  );
}

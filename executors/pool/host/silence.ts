/**
 * How long a worker that has calls to make neither enters one nor says
 * anything. A timer that a finished task has left behind may run a loop that
 * never yields, or somebody may have stopped the process: nothing else tells
 * the host, and the `timeout` of a call only begins when the call is entered.
 *
 * Time is counted in looks, not by a clock: a host that was busy itself, or
 * suspended, has looked once in all that time.
 *
 * @module
 */

import { TimeoutError } from "../../errors.ts";
import type { Channel } from "../channel.ts";
import type { Ledger } from "./ledger.ts";

/** How often the host looks at its workers. A shorter time would find honest workers silent on a busy machine, a longer one is a wait for who has one worker. */
export const LOOK_MS = 250;

/**
 * How long a silent worker is given before it is ended: the `gracePeriod`,
 * which is how long code that does not react may go on, within bounds. With
 * less time, workers of a machine under load would be ended; with more, a pool
 * would seem to hang.
 */
const LEAST_PATIENCE_MS = 1000;
const MOST_PATIENCE_MS = 10_000;

/**
 * How many looks more a process is given that was asked what it has not
 * entered, and has not answered. A call that it was sent alone may have been
 * entered, and would be lost with the process.
 */
const ANSWER_LOOKS = 8;

/** How many times as long as writing a value reading it may take; a process reads and writes each value once more. */
const READ_FACTOR = 20;

/**
 * How long a worker has been silent.
 *
 * ```text
 * none ──a second look finds the worker silent──► long ──► last ──► over
 *   ▲                                              │        │        │
 *   └── the worker reports, or is found at work ───┴────────┴────────┘
 * ```
 *
 * From `"long"` on, the worker is given nothing more, and the calls that it has
 * are better offered to others; at the `"last"` look the worker is asked what
 * it has not entered; when its time is `"over"`, the worker is ended.
 */
export type SilenceLevel = "none" | "long" | "last" | "over";

/** The silence of one worker. */
export class Silence {
  /** What the last look has found; none if the worker has reported since then. */
  level: SilenceLevel = "none";
  readonly #patience: number;
  /** The first position that the worker had not reported at the last look; -1 if the worker owed no job, or was at one. */
  #due = -1;
  /** How many looks have found the worker silent. */
  #looks = 0;
  /** The first position that the worker had not reported, and how many looks have found that position again. */
  #busy = -1;
  #busyLooks = 0;
  /** The longest time that sending a message took since the worker last had nothing to do. */
  #sendMs = 0;
  /** How much a process had taken of large messages at the last look. */
  #read: number | undefined;
  /** How many looks have found the worker's time over. */
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

  /** The worker has reported calls that have ended, and has `count` more. */
  ended(count: number): void {
    this.level = "none";
    this.#due = -1;
    if (count === 0) this.#sendMs = 0;
  }

  /**
   * Whether it is time to check that a worker which is at work is there: each
   * check comes twice as late as the one before. `due` is the first position
   * that the worker has not reported.
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

  /** The host looks, every `LOOK_MS`: `due` is the first position that the worker has not reported, or -1 if the worker has a reason not to report. */
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
   * The host looks, every `LOOK_MS`, at a worker that owes something: checks
   * now and then that the worker is there, and at the last look asks what the
   * worker has not entered. Only a ready worker that loads no module is
   * `isToReact`: the others are waited for in another way.
   */
  lookAt(channel: Channel, ledger: Ledger, isToReact: boolean): SilenceLevel {
    const { head, places } = ledger;
    const hasRead = this.#hasRead(channel.written);
    const silent = isToReact && places > 0 && !hasRead && !ledger.isAtWork;
    const level = this.look(silent ? head : -1);
    // That a worker is gone is mostly noticed at once, but not always.
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

  /** Whether a worker whose time is over gets a look more: a process that is still to answer what it has not entered. */
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

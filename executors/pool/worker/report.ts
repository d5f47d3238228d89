/**
 * What a worker has to tell its host: the outcomes of calls that have ended, which
 * are reported together, as a message costs about as much as ten tiny tasks.
 *
 * No outcome waits for a slow call: until a function has shown that its calls are
 * quick, each outcome is reported before the next call is entered; from then on
 * outcomes leave after `REPORT_MS`, those of a `map()` also when there are
 * `MESSAGE_CALLS` of them.
 *
 * @module
 */

import {
  clearTimeout,
  monotonicTime,
  setTimeout,
  wallTime,
} from "../../runtime/clock.ts";
import { resultError } from "../wire/clone_error.ts";
import { type EncodedError, encodeError } from "../wire/codec.ts";
import { MESSAGE_CALLS, type ToHost } from "../wire/protocol.ts";
import type { Slots } from "../wire/slots.ts";

/** How long an outcome may wait for others, in milliseconds. */
const REPORT_MS = 1;

/** Quick calls take less than this, in milliseconds. */
const QUICK_MS = 0.1;

/**
 * How many quick calls are timed at once at most: reading the clock takes as
 * long as a trivial call.
 */
export const MAX_TIMED_TOGETHER = 32;

/** The line to the host, as the worker sees it. */
export interface HostLine {
  /** The worker's name. */
  readonly name: string;
  readonly slots: Slots;
  /**
   * Sends a message. Throws, and sends nothing, if the message cannot be cloned.
   * Values that are not plain come with a list of what is to be moved, which may
   * be empty.
   */
  send(message: ToHost, transferables?: Transferable[]): void;
  /** Whether a copy of a value can be sent, and read by the host. */
  carries(value: unknown): boolean;
}

/** Encodes what was thrown in a worker, for the way to its host. */
export function encodeThrown(
  { name, carries }: Pick<HostLine, "name" | "carries">,
  error: unknown,
): EncodedError {
  return encodeError(error, `worker ${name}`, carries);
}

/** How quick the calls of a function have shown themselves to be. */
export interface Pace {
  /**
   * How many calls are timed at once. The number doubles with quick calls; at
   * its most, the function has shown that its calls are quick.
   */
  timedTogether: number;
}

/** The outcomes since the last report, and the next report. */
export class Report {
  readonly #line: HostLine;
  readonly #position: () => number;
  #values: unknown[] = [];
  #failures: (number | EncodedError)[] = [];
  /** When the calls of the outcomes to report began and ended, if somebody watches. */
  #times: number[] | undefined;
  /** When the running call began, if somebody watches. */
  #startedAt = 0;
  /** All jobs before this position have been reported. */
  #reported = 0;
  /** How many calls have been reported, and when the last report was. */
  #reportedCalls = 0;
  #reportedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many calls have ended since the clock was read, and when that was. */
  #untimed = 0;
  #timedAt = 0;

  /**
   * Reports by a line.
   *
   * @param line The line to the host.
   * @param position Says of which position all jobs before it have ended.
   */
  constructor(line: HostLine, position: () => number) {
    this.#line = line;
    this.#position = position;
  }

  /** From now on, somebody wants to know when calls begin and end. */
  watch(): void {
    // Calls that have ended have no times, and the times of one report have to
    // match its outcomes.
    this.send();
    this.#times ??= [];
    this.#startedAt = wallTime();
  }

  /** A call begins. */
  begin(): void {
    if (this.#times !== undefined) this.#startedAt = wallTime();
  }

  /** The running call returned a value, which can be cloned as it is, or travels alone. */
  value(value: unknown): void {
    this.#values[this.#values.length] = value;
  }

  /** The running call failed. */
  failure(error: EncodedError): void {
    const index = this.#values.length;
    const failures = this.#failures;
    failures[failures.length] = index;
    failures[failures.length] = error;
    this.#values[index] = undefined;
  }

  /** The call whose outcome came last has ended; true if it is time to report. */
  ended(pace: Pace, isOfMap: boolean): boolean {
    const times = this.#times;
    if (times !== undefined) {
      times[times.length] = this.#startedAt;
      times[times.length] = wallTime();
    }
    if (++this.#untimed < pace.timedTogether) return false;
    const now = monotonicTime();
    const quick = now - this.#timedAt < QUICK_MS * this.#untimed;
    if (!quick) pace.timedTogether = 1;
    else if (pace.timedTogether < MAX_TIMED_TOGETHER) pace.timedTogether *= 2;
    this.#timedAt = now;
    this.#untimed = 0;
    if (now - this.#reportedAt >= REPORT_MS) return true;
    // A map() has a limited number of calls in flight, so its host may be waiting.
    return isOfMap && this.#values.length >= MESSAGE_CALLS;
  }

  /** Neither idling nor loading functions counts as busy. */
  restartClock(): void {
    this.#reportedAt = this.#timedAt = monotonicTime();
    this.#untimed = 0;
  }

  /** Outcomes do not wait for long for a call that is awaited. */
  soon(): void {
    try {
      // The timer fires only if the event loop turns before the promise has settled.
      this.#timer ??= setTimeout(() => this.send(), REPORT_MS);
    } catch {
      // An earlier task has broken the globals from which Deno makes timers.
      this.send();
    }
  }

  /** Sends the outcomes since the last report. */
  send(transferables?: Transferable[]): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const position = this.#position();
    if (this.#values.length === 0 && this.#reported === position) return;
    const now = monotonicTime();
    const busyMs = now - this.#reportedAt;
    const values = this.#values;
    const failures = this.#failures.length > 0 ? this.#failures : undefined;
    const times = this.#times;
    this.#values = [];
    this.#failures = [];
    if (times !== undefined) this.#times = [];
    const before = this.#reportedCalls;
    this.#reported = position;
    this.#reportedCalls += values.length;
    this.#reportedAt = now;
    const done = (failures: (number | EncodedError)[] | undefined): ToHost => [
      "done",
      position,
      busyMs,
      values,
      failures,
      times,
      before,
    ];
    try {
      // Fields of errors need not be plain.
      this.#line.send(done(failures), transferables ?? (failures && []));
    } catch (error) {
      // Plain values and errors can always be sent, so the report has one value, which is not plain.
      this.#line.send(done(this.#refusals(values, error)), []);
    }
  }

  /** The errors for values that could not be sent, the places of which are emptied. */
  #refusals(values: unknown[], error: unknown): (number | EncodedError)[] {
    const refusal = encodeThrown(this.#line, resultError(values[0], error));
    const refusals: (number | EncodedError)[] = [];
    for (let i = 0; i < values.length; i++) {
      values[i] = undefined;
      refusals[2 * i] = i;
      refusals[2 * i + 1] = refusal;
    }
    return refusals;
  }
}

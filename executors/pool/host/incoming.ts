/**
 * The way of outcomes from one worker, once a message has been checked.
 *
 * ```text
 * "done" ────► ledger: whose calls have ended ──► job.resolve(), job.reject()
 *              │                                  └ done callbacks of users run
 *              └ how long a call takes: functions.ts
 * "report" ──► job.report() ──► onReport() of users runs
 * "entered" ─► job.start(), and a job that is to stop is told: stops.ts
 * "revoked" ─► ledger: which calls are nobody's now ──► back to the scheduler
 * ```
 *
 * A call is gone from the ledger before its outcome is given: done callbacks
 * may do anything to an executor.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { logLostReport } from "../../job/reports.ts";
import {
  cloneError,
  lostResultError,
  unreadable,
} from "../wire/clone_error.ts";
import { decodeError, type EncodedError, encodeError } from "../wire/codec.ts";
import type { ToHost } from "../wire/protocol.ts";
import type { PoolFunction } from "./functions.ts";
import type { Ledger } from "./ledger.ts";
import type { Stops } from "./stops.ts";

/** A report of a worker. */
type Report = Extract<ToHost, readonly ["done", ...unknown[]]>;

/** Gives the outcomes that one worker reports to those who wait for them. */
export class Incoming {
  readonly #worker: string;
  readonly #ledger: Ledger;
  readonly #stops: Stops;
  readonly #carries: (value: unknown) => boolean;

  /** `carries` says which arguments the worker could have read. */
  constructor(
    worker: string,
    ledger: Ledger,
    stops: Stops,
    carries: (value: unknown) => boolean,
  ) {
    this.#worker = worker;
    this.#ledger = ledger;
    this.#stops = stops;
    this.#carries = carries;
  }

  /** The worker reports calls that have ended. */
  report(report: Report): void {
    const [, position, busyMs, { length }] = report;
    const ledger = this.#ledger;
    ledger.reported += length;
    ledger.busyMs += busyMs;
    const outcomes = new Outcomes(report, this.#worker, this.#carries);
    let learned: PoolFunction | undefined;
    while (
      ledger.head < ledger.tail &&
      (outcomes.left > 0 || ledger.head < position)
    ) {
      const at = ledger.head;
      const job = ledger.job(at);
      if (job === undefined) {
        ledger.head++;
        continue;
      }
      const fn = ledger.fn(at);
      const left = ledger.left(at);
      const ended = Math.min(left, outcomes.left);
      if (ended === left) ledger.head++;
      ledger.ended(at, ended);
      if (ended > 0 && fn !== learned) (learned = fn).learn(busyMs / length);
      outcomes.give(job, job.count - left, ended);
    }
    outcomes.forget();
    this.#stops.reported(position);
  }

  /**
   * The worker has sent a result that could not be read. Such a result is
   * reported alone, right after all calls that had ended before: it is that of
   * the first call which has not ended. How long the call took was in the same
   * message, so it is taken to be as long as usual.
   */
  lost(): void {
    const ledger = this.#ledger;
    const { head } = ledger;
    const job = ledger.job(head)!;
    const position = ledger.left(head) === 1 ? head + 1 : head;
    this.report([
      "done",
      position,
      ledger.fn(head).cost,
      [undefined],
      [0, encodeError(lostResultError(job))],
      undefined,
      ledger.reported,
    ]);
  }

  /** The call that runs reports a value. */
  reported(position: number, call: number, value: unknown): void {
    this.#ledger.job(position)!.report(value, call);
  }

  /** The call that runs has reported a value that could not be read: the call goes on. */
  lostReport(): void {
    logLostReport(this.#ledger.job(this.#ledger.head)!.fn);
  }

  /** The worker has entered the job at a position. */
  entered(position: number): void {
    this.#ledger.job(position)?.start();
    this.#stops.entered(position);
  }

  /** A process says how many calls it keeps of each job from a position on; returns jobs of the others. */
  revoked(from: number, kept: readonly number[]): Job[] {
    return kept.flatMap((calls, i) => {
      const job = this.#ledger.job(from + i);
      // The job may have ended before the process was asked.
      if (job === undefined) return [];
      if (calls > 0) this.entered(from + i);
      return this.#ledger.keep(job, calls) ?? [];
    });
  }
}

/** The outcomes of one report, in the order in which the calls ended. */
class Outcomes {
  readonly #worker: string;
  readonly #carries: (value: unknown) => boolean;
  readonly #values: unknown[];
  readonly #failures: (number | EncodedError)[];
  readonly #times: readonly number[] | undefined;
  /** The index of the next outcome, and of the next failure. */
  #next = 0;
  #failure = 0;

  constructor(
    [, , , values, failures, times]: Report,
    worker: string,
    carries: (value: unknown) => boolean,
  ) {
    this.#worker = worker;
    this.#carries = carries;
    this.#values = values as unknown[];
    this.#failures = (failures ?? []) as (number | EncodedError)[];
    this.#times = times;
  }

  /** How many outcomes have not been given. */
  get left(): number {
    return this.#values.length - this.#next;
  }

  /** All outcomes have been given: Deno 2.4 keeps the last message of a port, and with it their values. */
  forget(): void {
    this.#values.length = this.#failures.length = 0;
  }

  /** Gives the next `count` outcomes to a job, the first of them to its call number `call`. */
  give(job: Job, call: number, count: number): void {
    const first = this.#next;
    const end = first + count;
    while (this.#next < end) {
      const from = this.#next;
      const at = call + from - first;
      const failed = this.#failures[this.#failure] as number | undefined;
      let to = Math.min(end, failed ?? end);
      if (this.#times !== undefined) {
        const [started, ended] = this.#times.slice(2 * from, 2 * from + 2);
        job.timing = { worker: this.#worker, started: started!, ended: ended! };
        to = Math.min(to, from + 1);
      }
      this.#next = Math.max(to, from + 1);
      if (failed === from) {
        const error = this.#failures[this.#failure + 1] as EncodedError;
        this.#failure += 2;
        job.reject(this.#decode(error, job), at);
      } else {
        job.resolveAll(this.#values, from, to, at);
      }
    }
  }

  /** Decodes an error; never throws, as other outcomes wait: a task may have forged the error. */
  #decode(error: EncodedError | null, job: Job): unknown {
    return error?.kind === "unread"
      ? cloneError(job, unreadable(), this.#carries)
      : decodeError(error!);
  }
}

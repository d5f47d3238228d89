/**
 * Which messages can come from one worker. A task can speak for its worker, so
 * no message is believed before it has been looked at here: first its shape,
 * then whether a worker that keeps the protocol could send it now. Nothing of
 * the host has changed until then, and a worker that has sent what it cannot is
 * ended.
 *
 * ```text
 * up ──► ready ──► (loading ──► loaded)*, entered*, done*, report*, unreadable*
 *   └──► unfit                                    at any time: revoked, closing
 * ```
 *
 * A report tells of every call that has ended since the report before, so the
 * number of calls can be checked: all calls of the jobs that the worker is
 * past, and of the job that the worker is at as many as are left at most.
 *
 * No loop here is longer than what the host itself has sent, or than
 * `MAX_PARTS`, whatever length an array says that it has.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import type { HostSlots } from "../channel.ts";
import type { ToHost } from "../wire/protocol.ts";
import {
  checkShape,
  isCount,
  isEncoded,
  isObject,
  lie,
} from "../wire/shape.ts";
import type { Ledger } from "./ledger.ts";

type Said<Type extends ToHost[0]> = Extract<
  ToHost,
  readonly [Type, ...unknown[]]
>;

/** The protocol of one worker: what the worker can say, going by what it was sent and has said before. */
export class Validator {
  readonly #ledger: Ledger;
  readonly #slots: HostSlots;
  #up = false;
  #ready = false;
  #loading = false;
  #loads = 0;
  /** The position of the last report, and how many calls had ended by then. */
  #reported = 0;
  #ended = 0;
  /** The last call that was said to be entered: the position of its job, and which of the job's calls it was. */
  #entered = -1;
  #calls = 0;
  /** How many reports have been announced and have not come. */
  #reporting = 0;
  /** What the last message that could not be read was to be. */
  lost: "result" | "report" = "result";

  constructor(ledger: Ledger, slots: HostSlots) {
    this.#ledger = ledger;
    this.#slots = slots;
  }

  /**
   * Returns the message, if the worker can say it now.
   *
   * @throws {RangeError} If the worker cannot; the error says why.
   */
  check(data: unknown): ToHost {
    const message = checkShape(data);
    switch (message[0]) {
      case "up":
        if (this.#up || this.#ready) throw lie(message, "it was up before");
        this.#up = true;
        break;
      case "ready":
        if (this.#ready) throw lie(message, "it was ready before");
        this.#ready = true;
        break;
      case "unfit":
        if (this.#ready) throw lie(message, "it was ready before");
        break;
      case "loading":
        if (
          !this.#busy || this.#loading || this.#loads >= this.#ledger.functions
        ) {
          throw lie(message, "it has nothing to load");
        }
        this.#loading = true;
        this.#loads++;
        break;
      case "loaded":
        if (!this.#loading) throw lie(message, "it was not loading");
        this.#loading = false;
        break;
      case "entered":
        this.#checkEntered(message);
        break;
      case "revoked":
        this.#checkRevoked(message);
        break;
      case "done":
        this.#checkDone(message);
        break;
      case "reporting":
        if (message[1] ? !this.#reports : this.#reporting === 0) {
          throw lie(message, "no report of it is due");
        }
        this.#reporting += message[1] ? 1 : -1;
        break;
      case "report":
        this.#checkReport(message);
        break;
      case "unreadable":
        this.lost = this.#reporting > 0 ? "report" : "result";
        if (this.lost === "report") {
          this.#reporting--;
          break;
        }
        if (!this.#busy || this.#ledger.job(this.#ledger.head) === undefined) {
          throw lie(message, "no result of it is due");
        }
        this.#ended++;
        break;
      case "closing":
        break;
      default:
        message satisfies never;
    }
    return message;
  }

  /** Whether the worker loads the module of the job that is next. */
  get loading(): boolean {
    return this.#loading;
  }

  /** Whether the worker may be at a call. */
  get #busy(): boolean {
    return this.#ready && this.#ledger.places > 0;
  }

  /** Whether somebody wants to hear what the call reports that the worker may be at. */
  get #reports(): boolean {
    const { head } = this.#ledger;
    const job = this.#busy ? this.#ledger.job(head) : undefined;
    if (job?.options.onReport === undefined) return false;
    return this.#ledger.entered(head, this.#callAt(head, job)) !== "no";
  }

  /** The number of the first call of a job that has not ended. */
  #callAt(position: number, { count }: Job): number {
    return count - this.#ledger.left(position);
  }

  #checkReport(message: Said<"report">): void {
    const [, position, call, , announced] = message;
    const { head } = this.#ledger;
    if (!this.#reports || announced && this.#reporting === 0) {
      throw lie(message, "no report of it is due");
    }
    const at = this.#callAt(head, this.#ledger.job(head)!);
    if (position !== head || call !== at) {
      throw lie(message, `it can be at ${at} of ${head}`);
    }
    if (announced) this.#reporting--;
  }

  #checkEntered(message: Said<"entered">): void {
    const [, position, calls] = message;
    const { head, tail } = this.#ledger;
    if (!this.#ready || position < head || position >= tail) {
      throw lie(message, `it can be at ${head} to ${tail - 1}`);
    }
    const count = this.#ledger.job(position)?.count ?? 0;
    if (
      calls < 1 || calls > count || position < this.#entered ||
      position === this.#entered && calls <= this.#calls ||
      !this.#slots.mayTell(position, calls)
    ) throw lie(message, "it does not enter that, or is not to say so");
    this.#entered = position;
    this.#calls = calls;
  }

  #checkRevoked(message: Said<"revoked">): void {
    const [, from, entered] = message;
    const { question } = this.#slots;
    if (question === undefined) throw lie(message, "it has not been asked");
    const [first, end] = question;
    if (from !== first || entered.length !== end - first) {
      throw lie(message, `it has been asked for ${first} to ${end - 1}`);
    }
    for (let i = 0; i < entered.length; i++) {
      const calls = entered[i];
      const job = this.#ledger.job(from + i);
      const most = job?.count ?? Infinity;
      const ended = job === undefined ? 0 : most - this.#ledger.left(from + i);
      if (!isCount(calls) || calls < ended || calls > most) {
        throw lie(
          message,
          `of ${from + i} it can have entered ${ended} to ${most}`,
        );
      }
    }
  }

  #checkDone(message: Said<"done">): void {
    const [, position, , { length }, failures, times, ended] = message;
    const { head, tail } = this.#ledger;
    if (!this.#ready || position < head || position > tail) {
      throw lie(message, `it can be at ${head} to ${tail}`);
    }
    if (
      ended !== this.#ended || position < this.#reported ||
      length === 0 && position === this.#reported
    ) {
      throw lie(
        message,
        `it goes on at ${this.#reported} after ${this.#ended} calls`,
      );
    }
    let due = 0;
    for (let at = head; at < position; at++) due += this.#ledger.left(at);
    const most = position < tail ? due + this.#ledger.left(position) : due;
    if (length < due || length > most) {
      throw lie(message, `it can have ended ${due} to ${most} calls`);
    }
    if (failures !== undefined && !areFailures(failures, length)) {
      throw lie(message, "an error belongs to each outcome that is one");
    }
    if (
      times !== undefined && !(this.#ledger.watched && areTimes(times, length))
    ) {
      throw lie(message, "a call has two times, if it was told to watch");
    }
    this.#reported = position;
    this.#ended += length;
  }
}

/** Whether failures are indices that ascend, each with an error of its own. */
function areFailures(failures: readonly unknown[], outcomes: number): boolean {
  const { length } = failures;
  if (length === 0 || length % 2 !== 0 || length > 2 * outcomes) return false;
  const seen = new Map<unknown, unknown>();
  let last = -1;
  for (let i = 0; i < length; i += 2) {
    const index = failures[i];
    const error = failures[i + 1];
    if (!isCount(index) || index <= last || index >= outcomes) return false;
    const unread = isObject(error) && error.kind === "unread";
    if (!unread && !isEncoded(error, seen, index)) return false;
    last = index;
  }
  return true;
}

/** Whether times say when each of so many calls began and ended. */
function areTimes(times: readonly unknown[], calls: number): boolean {
  if (times.length !== 2 * calls) return false;
  for (let i = 0; i < times.length; i += 2) {
    const started = times[i];
    const ended = times[i + 1];
    const fits = Number.isFinite(started) && Number.isFinite(ended) &&
      started as number <= (ended as number);
    if (!fits) return false;
  }
  return true;
}

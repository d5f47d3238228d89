/**
 * The messages between a host and its workers. Tuples rather than objects: a
 * message is cloned property by property, which is most of the cost of a tiny
 * task.
 *
 * @module
 */

import type { FunctionReference } from "../../task.ts";
import type { EncodedError } from "./codec.ts";

/**
 * How many outcomes of a `map()` are worth a message; of calls, half as many
 * are, however little time they take. A third of the calls that `map()` has in
 * flight: one third is with the worker, one with the host, and one on its way.
 * With larger messages, host and worker wait for each other to wake up; smaller
 * ones cost more.
 */
export const MESSAGE_CALLS = 320;

/**
 * A transport hands this on in the place of a message that could not be read
 * where it came. Only what travels alone can be unreadable: the arguments of
 * the initializer, or of one call, the result of one, or what one reports, which
 * is announced. All other values are plain, or bounded by whoever encoded them.
 */
export const UNREADABLE = ["unreadable"] as const;

/** What is unusual about calls, of which most have nothing. */
export interface About {
  /** Which attempt at the call this is, if it is not the first. */
  readonly attempt?: number;
  /** Whether nobody wants to know what the calls return. */
  readonly quiet?: boolean;
  /** How many bytes each report may have, if somebody wants to hear what they report; `Infinity` for no limit. */
  readonly reports?: number;
  /** The spans of the calls, as traceparents, if somebody collects spans; "" for none. */
  readonly traces?: readonly string[];
}

/**
 * Calls of one function, whose arguments lie one after another in `args`.
 * Either all are `oneJob`, with one slot, or each is a job with its own slot.
 * Calls that something is unusual `about` are of one job, or alone; for others
 * there is no such element, which would cost each message.
 */
export type Segment = readonly [
  fn: number,
  count: number,
  args: readonly unknown[],
  oneJob: boolean,
  about?: About,
];

/** The messages of a host. */
export type ToWorker =
  /** From now on, the number `fn` means this function. */
  | readonly ["define", fn: number, reference: FunctionReference]
  /** Comes once, before any call; with the initializer, if there is one. */
  | readonly ["initialize", fn: number | undefined, args: readonly unknown[]]
  /**
   * Calls; their jobs take the next positions, in this order. Without shared
   * memory, `announced` says whether the worker is to say when it enters them.
   */
  | readonly ["run", segments: readonly Segment[], announced?: boolean]
  /** The call that runs at this position is to stop. */
  | readonly ["stop", position: number, reason: EncodedError]
  /** From now on, reports are to say when calls began and ended. */
  | readonly ["watch"]
  /** Calls that have not been entered, of the jobs from one position up to another, are revoked. */
  | readonly ["revoke", from: number, to: number]
  /** The arguments of a call, or of the initializer, have come and cannot be read. */
  | typeof UNREADABLE;

/** The messages of a worker. */
export type ToHost =
  /** The worker is there; from now on, its host notices if the worker dies. */
  | readonly ["up"]
  /** The worker is initialized. */
  | readonly ["ready"]
  /** The initializer failed. */
  | readonly ["unfit", cause: EncodedError]
  /** The worker looks for a function in its module, which may take long to load. */
  | readonly ["loading"]
  /** The worker has found the function, or knows that there is none. */
  | readonly ["loaded"]
  /**
   * The worker enters a call of a job that was sent as announced; so many have
   * been entered with it.
   */
  | readonly ["entered", position: number, calls: number]
  /** How many calls of each job from this position on were entered; the others are revoked. */
  | readonly ["revoked", from: number, entered: readonly number[]]
  /**
   * All jobs before `position` have ended, or been passed over if revoked.
   * `values` has one element for each call that ended since the last report,
   * `failures` the index of each that failed and its error in turn, `busyMs`
   * says how long the calls took. `times` has the beginning and the end of each,
   * in turn, if somebody watches. `before` says how many calls all reports
   * before had, so that no outcome is taken for that of another call.
   */
  | readonly [
    "done",
    position: number,
    busyMs: number,
    values: readonly unknown[],
    failures: readonly (number | EncodedError)[] | undefined,
    times: readonly number[] | undefined,
    before: number,
  ]
  /**
   * A report that is not plain comes next, and may be unreadable; or, if not
   * `next`, does not come after all, as it could not be cloned.
   */
  | readonly ["reporting", next: boolean]
  /**
   * The running call reports a value: the first that has not ended of the job at
   * this position, which is the first that has not ended, once all outcomes
   * before were reported.
   */
  | readonly [
    "report",
    position: number,
    call: number,
    value: unknown,
    announced: boolean,
  ]
  /**
   * The last words of the worker; `cause` is the error that killed it, if one
   * did. Without shared memory, no job from the position `unentered` on was
   * entered.
   */
  | readonly [
    "closing",
    cause: EncodedError | undefined,
    exitCode: number | undefined,
    unentered?: number,
  ]
  /** A call has ended, but its result cannot be read; or the report cannot that was announced. */
  | typeof UNREADABLE;

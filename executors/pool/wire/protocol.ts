/**
 * The messages between a host and its workers. Tuples rather than objects: a
 * message is cloned property by property, and these are most of the cost of a
 * tiny task.
 *
 * @module
 */

import type { FunctionReference } from "../../task.ts";
import type { EncodedError } from "./codec.ts";

/**
 * So many outcomes of a `map()` are reported, and half as many calls are worth
 * a message, however little time they take. A third of what `map()` has in
 * flight: one part is with the worker, one with the host, and one on its way.
 * With more, each waits for the other to wake up; fewer cost more messages.
 */
export const BATCH_CALLS = 320;

/**
 * Stands where a message was that could not be read: a transport hands it on in
 * its place. Only what travels alone can be such a message: the arguments of
 * the initializer, or of one call, or the result of one. Everything else is
 * plain, or was bounded by who has encoded it.
 */
export const UNREADABLE = ["unreadable"] as const;

/**
 * Calls of one function: their arguments lie one after another in `args`.
 * Either each is a job of its own, with a slot of its own, or all are one: then
 * they are `oneItem`.
 */
export type Segment = readonly [
  fn: number,
  count: number,
  args: readonly unknown[],
  oneItem: boolean,
];

/** What a host says. */
export type ToWorker =
  /** From now on this number means this function. */
  | readonly ["define", fn: number, reference: FunctionReference]
  /** Comes once, before any task; with the initializer, if there is one. */
  | readonly ["initialize", fn: number | undefined, args: readonly unknown[]]
  /**
   * Calls; their jobs take the next positions, in this order. Without shared
   * memory, `announced` says whether the worker says when it enters them.
   */
  | readonly ["run", segments: readonly Segment[], announced?: boolean]
  /** The call that runs at this position is to stop. */
  | readonly ["stop", position: number, reason: EncodedError]
  /** From now on, reports say when calls began and ended. */
  | readonly ["watch"]
  /** The worker is to revoke what it has not entered of the jobs at these positions. */
  | readonly ["revoke", from: number, to: number]
  /** The arguments of a call, or of the initializer, came and could not be read. */
  | typeof UNREADABLE;

/** What a worker says. */
export type ToHost =
  /** The worker is there, and can be missed from now on. */
  | readonly ["up"]
  /** The worker is initialized. */
  | readonly ["ready"]
  /** The worker's initializer failed. */
  | readonly ["unfit", cause: EncodedError]
  /** The worker looks for a function in a module that it has not loaded before. */
  | readonly ["loading"]
  /** The worker has found the function, or knows that it cannot. */
  | readonly ["loaded"]
  /** The worker enters a call of a job that was sent as announced, the last of so many. */
  | readonly ["entered", position: number, calls: number]
  /** How many calls of the jobs from this position on the worker keeps, as they were entered; the others are revoked. */
  | readonly ["revoked", from: number, entered: readonly number[]]
  /**
   * All jobs before `position` have ended, or been passed over if revoked.
   * `values` has one element for each call that ended since the last report,
   * `failures` the index of each that failed and its error in turn, `busyMs`
   * is how long they took. `times` has the beginning and the end of each, in
   * turn, if somebody watches. `before` is how many calls had ended in all
   * reports before, so that none is taken for another.
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
   * The worker's last words; `cause` is the error that killed it, if there was
   * one. Without shared memory, no job from the position `unentered` on was
   * entered.
   */
  | readonly [
    "closing",
    cause: EncodedError | undefined,
    exitCode: number | undefined,
    unentered?: number,
  ]
  /** A call has ended, but its result could not be read. */
  | typeof UNREADABLE;

/**
 * The messages between a host and its workers. Tuples rather than objects: a
 * message is cloned property by property, and these are most of the cost of a
 * tiny task.
 *
 * @module
 */

import type { FunctionReference } from "../task.ts";
import type { EncodedError } from "./codec.ts";

/** Calls of one function: their arguments lie one after another in `args`. */
export type Segment = readonly [
  fn: number,
  count: number,
  args: readonly unknown[],
];

/** What a host says. */
export type ToWorker =
  /** From now on this number means this function. */
  | readonly ["define", fn: number, reference: FunctionReference]
  /** Comes once, before any task; with the initializer, if there is one. */
  | readonly ["initialize", fn: number | undefined, args: readonly unknown[]]
  /** Tasks; they take the next positions, in this order. */
  | readonly ["run", segments: readonly Segment[]]
  /** The task at this position is to stop. */
  | readonly ["stop", position: number, reason: EncodedError];

/** What a worker says. */
export type ToHost =
  /** It is there, and can be missed from now on. */
  | readonly ["up"]
  /** It is initialized. */
  | readonly ["ready"]
  /** Its initializer failed. */
  | readonly ["unfit", cause: EncodedError]
  /** It has entered a task that was sent as announced. */
  | readonly ["entered", position: number]
  /**
   * All tasks before `position` have ended, or been passed over if revoked.
   * `values` has one element for each that ended since the last report,
   * `failures` the index of each that failed and its error in turn, `busyMs`
   * is how long they took.
   */
  | readonly [
    "done",
    position: number,
    busyMs: number,
    values: readonly unknown[],
    failures: readonly (number | EncodedError)[] | undefined,
  ]
  /** Its last words; `cause` is what killed it, if it was an error. */
  | readonly ["closing", cause: EncodedError | undefined];

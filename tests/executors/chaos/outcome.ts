/**
 * What may have become of a task in the chaos.
 *
 * @module
 */

import type { Future } from "../../../mod.ts";
import { type Deed, DEEDS } from "./tasks.ts";

/** What never gets to the line that counts its entries. */
const UNCOUNTED: readonly string[] = ["astray", "uncloneable", "method"];

/** A task, and what was done to it. */
export interface Submitted {
  readonly place: number;
  readonly deed: Deed | "lethal" | "astray" | "uncloneable" | "method";
  readonly future: Future<unknown>;
  /** Of a task that was submitted with a signal and a time-out. */
  readonly controller?: AbortController;
  /** How often its future called back. */
  settled: number;
  /** Whether `cancel()` said so. */
  cancelled: boolean;
}

/** What an executor did with what was pending as it was shut down. */
export type Ending = "shut down" | "cancelled" | "terminated";

/** On what terms a task was submitted. */
export interface Terms {
  /** How its executor was ended, once it was. */
  readonly ending: Ending | undefined;
  /** Whether the executor can tell a task that was sent ahead from one that runs. */
  readonly exact: boolean;
}

/** The value of a future, or the name of its error; of bytes, how many there are. */
export async function outcomeOf(future: Future<unknown>): Promise<unknown> {
  return await future.then(
    (value) => value instanceof ArrayBuffer ? value.byteLength : value,
    (error) => error?.name,
  );
}

/** Whether the task may have this outcome if it was entered so often. */
export function allows(
  { place, deed, controller, cancelled }: Submitted,
  outcome: unknown,
  entries: number,
  { ending, exact }: Terms,
): boolean {
  if (entries > 1 || cancelled && outcome !== "CancelledError") return false;
  switch (outcome) {
    case "CancelledError":
      return controller?.signal.aborted ||
        entries === 0 && (cancelled || ending !== "shut down");
    case "WorkerTerminatedError":
      // What stands in for a task that is not found, or not read, does not count.
      return ending === "terminated" &&
        (!exact || entries === (UNCOUNTED.includes(deed) ? 0 : 1));
    case "TimeoutError":
      return controller !== undefined && entries === 1;
  }
  switch (deed) {
    case "uncloneable":
      return outcome === "DataCloneError" && entries === 0;
    case "lethal":
      return outcome === "WorkerCrashedError";
    case "astray":
      return outcome === "TaskNotFoundError";
    case "method":
      return outcome === place;
    case "ignore in a loop":
      // Its loop may end before a host that is kept from its turn can stop it.
      return outcome === undefined && entries === 1;
    case "move":
      // Moved to a worker that died before it came to it, it is lost.
      return outcome === (entries === 0 ? "WorkerCrashedError" : place);
    default:
      return outcome === DEEDS[deed](place) && entries === 1;
  }
}

/**
 * What may have become of a task in the chaos.
 *
 * @module
 */

import type { Future } from "../../../../mod.ts";
import { type Deed, DEEDS, REPORTS } from "./tasks.ts";

/** A task, and what was done to it. */
export interface Submitted {
  readonly place: number;
  readonly deed: Deed;
  readonly future: Future<unknown>;
  /** Of a task that was submitted with a signal and a time-out. */
  readonly controller: AbortController | undefined;
  /** How much had happened to nodes and server by then. */
  readonly harm: number;
  /** What it has reported: its place, and a number. */
  readonly heard: readonly (readonly [number, number])[];
  /** How often its future called back. */
  settled: number;
  /** Whether `cancel()` said so. */
  cancelled: boolean;
}

/** What an executor did with what was pending as it was shut down. */
export type Ending = "shut down" | "cancelled" | "terminated";

/** On what terms a task was submitted. */
export interface Terms {
  readonly ending: Ending;
  readonly maxDeliveries: number;
  /** How much has happened to nodes and server, until the end. */
  readonly harm: number;
}

/** The value of a future, or the name of its error; of bytes, how many of which. */
export async function outcomeOf(future: Future<unknown>): Promise<unknown> {
  return await future.then(
    (value) => {
      if (!(value instanceof Uint8Array)) return value;
      const [first] = value;
      return value.every((byte) => byte === first)
        ? `${value.length} × ${first}`
        : "garbled bytes";
    },
    (error) => error?.name,
  );
}

/** Whether the task may have this outcome if it was entered so often. */
export function allows(
  { place, deed, controller, cancelled, harm }: Submitted,
  outcome: unknown,
  entries: number,
  terms: Terms,
): boolean {
  const { ending, maxDeliveries } = terms;
  const harmed = terms.harm - harm;
  if (cancelled) return outcome === "CancelledError" && entries === 0;
  if (entries > 1 && (maxDeliveries === 1 || harmed === 0)) return false;
  switch (outcome) {
    case "CancelledError":
      return controller?.signal.aborted ||
        entries === 0 && ending !== "shut down";
    case "WorkerTerminatedError":
      return ending === "terminated";
    case "TimeoutError":
      return controller !== undefined && entries > 0;
    case "WorkerCrashedError":
      return harmed >= maxDeliveries || deed === "kill its node" ||
        deed === "end its worker" && entries > 0;
  }
  return outcome === DEEDS[deed](place) && entries > 0;
}

/** Whether it may have reported what was heard of it: in order, from the beginning each time that it was entered, and all of it unless a node was lost. */
export function mayHaveReported(
  { place, deed, heard, harm }: Submitted,
  outcome: unknown,
  harmNow: number,
): boolean {
  const inOrder = heard.every(([of, n], i) =>
    of === place && (n === 0 || n === heard[i - 1]?.[1]! + 1)
  );
  const isWhole = deed !== "report" || outcome !== place || harmNow > harm ||
    heard.length === REPORTS;
  return inOrder && isWhole;
}

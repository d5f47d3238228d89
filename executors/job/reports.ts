/**
 * Gives what tasks report while they run to those who want to hear it.
 *
 * @module
 */

import { runIn } from "../runtime/async_context.ts";
import { isThenable } from "../runtime/thenable.ts";
import { nameOf } from "../text.ts";
import type { Job } from "./job.ts";

type Hear = (...told: unknown[]) => unknown;

/**
 * Calls `onReport` of a job, in the async context of who submitted it; what that throws or rejects with is logged, as no
 * task is to fail because of who listens.
 *
 * @param job The job of the call that has reported.
 * @param told What it has reported; and which call of a map it is, if it is one.
 */
export function hearReport(
  { fn, options, context }: Pick<Job, "fn" | "options" | "context">,
  ...told: [value: unknown, index?: number]
): void {
  // Of a submitted call, there is no index to tell.
  const onReport = options.onReport as Hear | undefined;
  if (onReport === undefined) return;
  const log = (error: unknown) =>
    console.error(`onReport of task ${nameOf(fn)} failed:`, error);
  try {
    // As who has submitted the task, and not as a part of the task.
    const returned = runIn(context, () => onReport(...told));
    if (isThenable(returned)) Promise.resolve(returned).catch(log);
  } catch (error) {
    log(error);
  }
}

/** A task has reported something that cannot be read where it came, or not go on; the task does. */
export function logLostReport(fn: { readonly name: unknown }): void {
  console.error(`A report of task ${nameOf(fn)} was lost: it cannot be read`);
}

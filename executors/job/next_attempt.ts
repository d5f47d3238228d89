/**
 * Whether there is another attempt at a call that has failed, and when: for the
 * sinks of futures and of maps.
 *
 * @module
 */

import { BrokenExecutorError, TaskNotFoundError } from "../errors.ts";
import { runIn } from "../runtime/async_context.ts";
import { queueMicrotask } from "../runtime/clock.ts";
import { startTimer } from "../runtime/timer.ts";
import type { Entrance, Job } from "./job.ts";

/**
 * Whether a call is to be tried again, by the option `retry` of its job.
 *
 * @param job The job of the attempt that has failed.
 * @param error Why it has failed.
 * @param entrance The executor.
 * @throws {unknown} What the user throws who is asked.
 */
export function mayTryAgain(
  job: Job,
  error: unknown,
  entrance: Entrance,
): boolean {
  const { maxAttempts, isRetriable } = job.options.retry!;
  const { upcoming, moves } = entrance;
  if (job.attempt >= maxAttempts || upcoming.isGivenUp) return false;
  if (!mayPass(error, entrance) || moves && job.transfers) return false;
  if (isRetriable === undefined) return true;
  // Whoever is asked may shut the executor down.
  return runIn(job.context, () => isRetriable(error)) && !upcoming.isGivenUp;
}

/**
 * Calls a function when the wait for an attempt is over: later, in any case.
 *
 * @param ms How long the wait is, in milliseconds.
 * @param enqueue The function.
 * @returns Ends the wait.
 */
export function waitFor(ms: number, enqueue: () => void): () => void {
  if (ms > 0) return startTimer(ms, enqueue);
  queueMicrotask(enqueue);
  return () => {};
}

/**
 * Whether the failure is one that another attempt may not have: of the task
 * itself, of its time, or of its worker. What could not be cloned or found cannot
 * be the next time either, and an executor that is broken makes no attempt. That
 * it is broken is not seen by the error, which may be one of an executor inside of
 * the task.
 */
function mayPass(error: unknown, { assertOpen }: Entrance): boolean {
  try {
    assertOpen();
  } catch (refusal) {
    if (refusal instanceof BrokenExecutorError) return false;
  }
  const isOfValue = error instanceof DOMException &&
    error.name === "DataCloneError";
  return !isOfValue && !(error instanceof TaskNotFoundError);
}

/**
 * What is said of values that cannot be sent, or not be read where they came.
 *
 * @module
 */

import { nameOf, show } from "../../text.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import type { Job } from "../../job/job.ts";

/**
 * The error for an item that could not be cloned, or not be read, which says
 * which argument it was: one that is not `cloneable`.
 */
export function cloneError(
  item: Job,
  cause: unknown,
  cloneable: (value: unknown) => boolean,
): Error {
  // The list to be moved is wrong as a whole if no part of it is.
  const culprit = [
    item.args.findIndex((arg) => !isTransfer(arg) && !cloneable(arg)),
    item.args.findIndex((arg) =>
      isTransfer(arg) && !arg.transferables.every(isMovable)
    ),
    item.args.findIndex(isTransfer),
    item.args.length === 1 ? 0 : -1,
  ].find((index) => index >= 0) ?? -1;
  const what = culprit < 0
    ? "the arguments"
    : `argument ${culprit + 1} (${show(unwrapTransfer(item.args[culprit]))})`;
  return refusal(
    `Cannot send ${what} of task ${nameOf(item.fn)} to a worker`,
    cause,
  );
}

/** The error for arguments of an initializer. */
export function initArgsError(cause: unknown): Error {
  return refusal("Cannot send 'initArgs' to a worker", cause);
}

/** The error for what a task has returned. */
export function resultError(result: unknown, cause: unknown): Error {
  return refusal(`Cannot send the result (${show(result)}) back`, cause);
}

/** The error for what a task has returned, of which nothing has arrived. */
export function lostResultError({ fn }: Job): Error {
  return refusal(
    `Cannot send the result of task ${nameOf(fn)} back`,
    unreadable(),
  );
}

/** The cause of what could be sent, but not be read. */
export function unreadable(): DOMException {
  return new DOMException(
    "it is nested too deeply to be read there",
    "DataCloneError",
  );
}

function refusal(what: string, cause: unknown): Error {
  const error = new DOMException(
    `${what}: ${messageOf(cause)}`,
    "DataCloneError",
  );
  Object.defineProperty(error, "cause", {
    value: cause,
    configurable: true,
    writable: true,
  });
  return error;
}

/** A getter may have thrown anything, a revoked proxy too. */
function messageOf(cause: unknown): string {
  try {
    return cause instanceof Error ? String(cause.message) : show(cause);
  } catch {
    return show(cause);
  }
}

/** Trying would move it. */
function isMovable(value: unknown): boolean {
  try {
    if (value instanceof ArrayBuffer) return !value.detached;
    return [MessagePort, ReadableStream, WritableStream, TransformStream].some((
      type,
    ) => value instanceof type);
  } catch {
    return false;
  }
}

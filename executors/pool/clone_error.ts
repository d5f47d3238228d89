/**
 * What is said of arguments that cannot be sent.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import { nameOf, type WorkItem } from "../work_item.ts";

/**
 * The error for an item that could not be cloned, which says which argument it
 * was: one that is not `cloneable`.
 */
export function cloneError(
  item: WorkItem,
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
  ].find((index) => index >= 0) ?? -1;
  const what = culprit < 0
    ? "the arguments"
    : `argument ${culprit + 1} (${show(unwrapTransfer(item.args[culprit]))})`;
  const message = cause instanceof Error ? cause.message : show(cause);
  const error = new DOMException(
    `Cannot send ${what} of task ${nameOf(item.fn)} to a worker: ${message}`,
    "DataCloneError",
  );
  Object.defineProperty(error, "cause", {
    value: cause,
    configurable: true,
    writable: true,
  });
  return error;
}

/** Trying would move it. */
function isMovable(value: unknown): boolean {
  if (value instanceof ArrayBuffer) return !value.detached;
  return [MessagePort, ReadableStream, WritableStream, TransformStream].some((
    type,
  ) => value instanceof type);
}

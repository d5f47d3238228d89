/**
 * Errors for values that cannot be sent, or not be read where they came.
 *
 * @module
 */

import { nameOf, show } from "../../text.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";

/** What the messages name of a call. */
interface Call {
  readonly fn: { readonly name: unknown };
  readonly args: readonly unknown[];
}

/**
 * The error for a call whose arguments could not be cloned, or not be read.
 *
 * @param call The call.
 * @param cause Why the arguments could not be cloned or read.
 * @param cloneable Finds the argument that the message names.
 */
export function cloneError(
  { fn, args }: Call,
  cause: unknown,
  cloneable: (value: unknown) => boolean,
): Error {
  // If each of its parts is fine, the list of what to move is wrong as a whole.
  const culprit = [
    args.findIndex((arg) => !isTransfer(arg) && !cloneable(arg)),
    args.findIndex((arg) =>
      isTransfer(arg) && !arg.transferables.every(isMovable)
    ),
    args.findIndex(isTransfer),
    args.length === 1 ? 0 : -1,
  ].find((index) => index >= 0) ?? -1;
  const what = culprit < 0
    ? "the arguments"
    : `argument ${culprit + 1} (${show(unwrapTransfer(args[culprit]))})`;
  return refusal(
    `Cannot send ${what} of task ${nameOf(fn)} to a worker`,
    cause,
  );
}

/** The error for arguments of an initializer. */
export function initArgsError(cause: unknown): Error {
  return refusal("Cannot send 'initArgs' to a worker", cause);
}

/** The error for a result that could not be cloned. */
export function resultError(result: unknown, cause: unknown): Error {
  return refusal(`Cannot send the result (${show(result)}) back`, cause);
}

/** The error for a value that a task reports and that could not be cloned. */
export function reportError(reported: unknown, cause: unknown): Error {
  return refusal(`Cannot report ${show(reported)}`, cause);
}

/** The error for a result that was sent and could not be read here. */
export function lostResultError({ fn }: Pick<Call, "fn">): Error {
  return refusal(
    `Cannot send the result of task ${nameOf(fn)} back`,
    unreadable(),
  );
}

/** Why a value that could be sent could not be read. */
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

/** The text of what a getter has thrown: anything, a revoked proxy too. */
function messageOf(cause: unknown): string {
  try {
    return cause instanceof Error ? String(cause.message) : show(cause);
  } catch {
    return show(cause);
  }
}

/** Told by its class: to try would move the value. */
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

/**
 * What a task may report, and a copy of that in the isolate of the task.
 *
 * @module
 */

import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { serialize } from "../process/serialize.ts";
import { reportError } from "./clone_error.ts";
import { cloneReviving } from "./revive.ts";
import { checkSendable } from "./sendable.ts";

/**
 * Checks a report that goes on from the host to another machine, where nobody
 * could throw in the task any more.
 *
 * @param reported What a task reports.
 * @param most How many bytes that may have; `Infinity` if it goes nowhere else.
 * @throws {DOMException} If the report cannot go there.
 */
export function checkReport(reported: unknown, most: number): void {
  if (most === Infinity) return;
  const value = unwrapTransfer(reported);
  try {
    const { length } = serialize([value], []);
    if (length <= most) return;
    throw new DOMException(
      `${length} bytes are more than the ${most} of the largest report`,
      "DataCloneError",
    );
  } catch (error) {
    throw reportError(value, error);
  }
}

/**
 * A copy of a report as it is now, for whoever is in the isolate of the task;
 * what `transfer()` has marked is moved.
 *
 * @throws {DOMException} If it cannot be cloned.
 */
export function cloneReport(reported: unknown): unknown {
  const value = unwrapTransfer(reported);
  const moved = isTransfer(reported) ? reported.transferables : [];
  try {
    return cloneReviving(value, checkSendable(value, "thread", moved), moved);
  } catch (error) {
    throw reportError(value, error);
  }
}

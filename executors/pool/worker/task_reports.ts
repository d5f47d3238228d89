/**
 * What running tasks report to whoever has submitted them: each report leaves at
 * once, as the task may go on for long without yielding.
 *
 * @module
 */

import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { reportError } from "../wire/clone_error.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import type { HostLine } from "./report.ts";

/**
 * Sends a report. All outcomes of calls before have been sent.
 *
 * @param line The line to the host.
 * @param position The position of the job that runs.
 * @param call Which of its calls runs.
 * @param value What the task reports.
 * @throws {DOMException} If the value cannot be cloned; then nothing was reported.
 */
export function sendReport(
  line: HostLine,
  position: number,
  call: number,
  value: unknown,
): void {
  const copy = copyPlain(value);
  if (copy !== NOT_PLAIN) {
    return line.send(["report", position, call, copy, false]);
  }
  // If the host cannot read what follows, it is not the result of the call.
  line.send(["reporting", true]);
  try {
    line.send(
      ["report", position, call, unwrapTransfer(value), true],
      isTransfer(value) ? value.transferables : [],
    );
  } catch (error) {
    line.send(["reporting", false]);
    throw reportError(unwrapTransfer(value), error);
  }
}

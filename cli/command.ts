/**
 * What a command is, and how it ends when it cannot go on.
 *
 * @module
 */

import { writeStandardError } from "../executors/pool/process/standard_error.ts";
import { describe } from "./map_block.ts";
import type { OptionTable, Values } from "./options.ts";

/** The exit status for arguments that make no sense, as most programs have it. */
export const USAGE_STATUS = 2;

/** The exit status if something was begun and did not work. */
export const FAILED_STATUS = 1;

/** A command of the command line. */
export interface Command<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** What stands behind its options in the usage line. */
  readonly operands?: string;
  /** What a shell may put there; no answer for files. */
  choices?(commands: readonly Command[]): readonly string[];
  /** What it is for, for a list of commands. */
  readonly summary: string;
  /** What it does, in paragraphs. */
  readonly description: readonly string[];
  readonly options: T;
  /** Does it, and tells the exit status. */
  run(call: CommandCall<T>): Promise<number>;
}

/** What a command is called with. */
export interface CommandCall<T extends OptionTable> {
  readonly values: Values<T>;
  /** The arguments that are no options. */
  readonly operands: readonly string[];
  /** All commands there are; the first one runs if none is named. */
  readonly commands: readonly Command[];
}

/** Ends a command with one line on the standard error stream. */
export class CommandError extends Error {
  /** The exit status. */
  readonly status: number;

  /**
   * @param message The line.
   * @param status The exit status.
   */
  constructor(message: string, status: number = USAGE_STATUS) {
    super(message);
    this.status = status;
  }
}

/**
 * What is said of a file that cannot be written.
 *
 * @param name What it is called.
 * @param error Why, unless that says it all.
 * @param status The exit status.
 * @returns An error that says so.
 */
export function cannotWrite(
  name: string,
  error: unknown,
  status: number,
): CommandError {
  if (error instanceof CommandError) return error;
  return new CommandError(
    `cannot write ${name}: ${describe(error).message}`,
    status,
  );
}

/** Lets the types of a command's values follow from its options. */
export function command<T extends OptionTable>(command: Command<T>): Command {
  return command;
}

/**
 * Says something in one line on the standard error stream. That nobody listens
 * is no reason to stop.
 *
 * @param text What to say; what an error says may have several lines.
 */
export function say(text: string): void {
  writeError(`futures: ${text.replaceAll(/\s*[\r\n]+\s*/g, " ")}\n`);
}

/**
 * Writes to the standard error stream, if somebody reads it.
 *
 * @param text What is written.
 */
export function writeError(text: string): void {
  try {
    writeStandardError(new TextEncoder().encode(text));
  } catch {
    // Nobody does.
  }
}

/** Whether the program ends because it was told to here, not by a function of a user. */
let leaving = false;

/**
 * Ends the program.
 *
 * @param status The exit status.
 */
export function leave(status: number): never {
  leaving = true;
  Deno.exit(status);
}

/** Whether {@linkcode leave} was called. */
export function isLeaving(): boolean {
  return leaving;
}

/**
 * The type of a command, and how a command ends when it cannot go on.
 *
 * @module
 */

import { writeStandardError } from "../executors/pool/process/standard_error.ts";
import { makeRoom } from "../executors/progress/status_line.ts";
import { describe } from "./map_block.ts";
import type { OptionTable, Values } from "./options.ts";

/** The exit status for arguments that make no sense, as most programs have it. */
export const USAGE_STATUS = 2;

/** The exit status if a command was begun and failed. */
export const FAILED_STATUS = 1;

/** A command of the command line. */
export interface Command<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** The operands in the usage line, behind the options. */
  readonly operands?: string;
  /** The operands that a shell completes; none if it cannot know any, left out if they are files. */
  choices?(commands: readonly Command[]): readonly string[];
  /** What the command is for, in a list of commands. */
  readonly summary: string;
  /** What the command does, in paragraphs. */
  readonly description: readonly string[];
  readonly options: T;
  /** Runs the command; resolves to the exit status. */
  run(call: CommandCall<T>): Promise<number>;
}

/** The values that a command is run with. */
export interface CommandCall<T extends OptionTable> {
  readonly values: Values<T>;
  /** The arguments that are no options. */
  readonly operands: readonly string[];
  /** All commands; the first one runs if none is named. */
  readonly commands: readonly Command[];
}

/** Ends a command with one line on the standard error stream. */
export class CommandError extends Error {
  /** The exit status. */
  readonly status: number;

  /**
   * Makes the error.
   *
   * @param message The line.
   * @param status The exit status.
   */
  constructor(message: string, status: number = USAGE_STATUS) {
    super(message);
    this.status = status;
  }
}

/**
 * Makes the error for a file that cannot be written.
 *
 * @param name What messages call the file.
 * @param error Why the file cannot be written; a `CommandError` is returned as
 * it is.
 * @param status The exit status.
 * @returns The error.
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
 * Writes a message, in one line, to the standard error stream, if somebody reads
 * it.
 *
 * @param text The message; that of an error may have several lines.
 */
export function say(text: string): void {
  writeError(`futures: ${text.replaceAll(/\s*[\r\n]+\s*/g, " ")}\n`);
}

/**
 * Writes to the standard error stream, if somebody reads it.
 *
 * @param text The text.
 */
export function writeError(text: string): void {
  try {
    makeRoom();
    writeStandardError(new TextEncoder().encode(text));
  } catch {
    // Nobody reads the stream.
  }
}

/** Whether {@linkcode leave} ends the program, rather than a function of a user. */
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

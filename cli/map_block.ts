/**
 * Calls the function of the user on blocks of lines, for the tasks of `futures
 * map`.
 *
 * A block is text, and so are its results: to read and to write JSON is often
 * most of the work, and belongs where the cores are.
 *
 * What is imported here travels to nodes with the function, so it is little.
 *
 * @module
 */

import { TimeoutError } from "../executors/errors.ts";
import { startTimer } from "../executors/runtime/timer.ts";
import { formatResult } from "./map_result.ts";

/** How blocks are read and how long they may take. */
export interface BlockOptions {
  /** Whether lines are strings and no JSON. */
  readonly raw: boolean;
  /** After how many milliseconds a block comes back, even with lines left. */
  readonly budgetMs: number;
  /** How long to wait for a promise of the function, in milliseconds; `Infinity` for ever. */
  readonly timeoutMs: number;
}

/** The results of a block. */
export interface BlockResult {
  /** How many lines were mapped; the others are to be sent again. */
  readonly lines: number;
  /** How many characters these lines had. */
  readonly length: number;
  /** A line of output for each that did not fail. */
  readonly output: string;
  /** The result of the last line, if it is too long for the output. */
  readonly long?: LongResult | undefined;
  readonly failures: readonly LineFailure[];
  /** How long the block took, in milliseconds. */
  readonly ms: number;
}

/** A result that travels on its own. */
export interface LongResult {
  /** Where its line starts in the block. */
  readonly start: number;
  readonly output: string;
}

/** A place in a block, and in its output. */
export interface Place {
  /** The number of the line in its block, from 0. */
  readonly index: number;
  /** Where the line starts in the block. */
  readonly start: number;
  /** Where in the output the result of the line is, or would be. */
  readonly at: number;
}

/** A line without a result. */
export interface LineFailure extends Place {
  readonly error: ErrorText;
  /** Whether the line was no JSON, so that there is no use in trying again. */
  readonly isUnreadable: boolean;
}

/** The part of an error that a report has. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
}

/**
 * A block comes back when its results have so many characters: the results of all
 * workers are in memory before anybody can ask for fewer.
 */
const MAX_OUTPUT_CHARACTERS = 1024 * 1024;

/** How many characters of a message a report has: nobody reads more. */
const MAX_MESSAGE_CHARACTERS = 64 * 1024;

/** Deno's errors for an import that only the project of the module explains. */
const NEEDS_ITS_PROJECT =
  /not prefixed with|not a dependency|import map|Cannot find module|referrer npm package|Could not find constraint|(require|module|exports) is not defined/;

/** The function of the user. */
export type LineFunction = (input: unknown) => unknown;

/**
 * Loads the function.
 *
 * @param load Imports its module.
 * @param name The name of the export.
 * @param shown The module as the user named it.
 * @throws {Error} If there is no such function; the message says why.
 */
export async function loadLineFunction(
  load: () => Promise<Record<string, unknown>>,
  name: string,
  shown: string,
): Promise<LineFunction> {
  let exports: Record<string, unknown>;
  try {
    exports = await withoutExit(load);
  } catch (error) {
    throw new Error(`cannot load ${shown}: ${explainLoad(error, shown)}`);
  }
  const found = exports[name];
  if (typeof found !== "function") {
    throw new Error(explainMissing(exports, name, shown));
  }
  return found as LineFunction;
}

/**
 * Calls the function on each line of a block.
 *
 * @param fn The function.
 * @param text The lines; each ends with a line feed.
 * @param options How to read them, and how long they may take.
 * @returns The results.
 */
export async function callOnBlock(
  fn: LineFunction,
  text: string,
  { raw, budgetMs, timeoutMs }: BlockOptions,
): Promise<BlockResult> {
  const begin = performance.now();
  const failures: LineFailure[] = [];
  let output = "";
  let long: LongResult | undefined;
  let size = 0;
  let lines = 0;
  let start = 0;
  while (start < text.length) {
    const next = text.indexOf("\n", start) + 1;
    let isUnreadable = true;
    try {
      const input = read(text.slice(start, next - 1), raw);
      isUnreadable = false;
      let result = fn(input);
      // Only promises are awaited: an `await` costs more than a small function.
      if (isThenable(result)) result = await within(timeoutMs, result);
      const line = formatResult(result, raw);
      size += line.length;
      if (line.length > MAX_OUTPUT_CHARACTERS) long = { start, output: line };
      else output += line;
    } catch (thrown) {
      const error = describe(thrown);
      size += error.message.length;
      failures.push({
        index: lines,
        start,
        at: output.length,
        error,
        isUnreadable,
      });
    }
    lines++;
    start = next;
    if (size > MAX_OUTPUT_CHARACTERS) break;
    if (performance.now() - begin >= budgetMs) break;
  }
  const ms = performance.now() - begin;
  return { lines, length: start, output, long, failures, ms };
}

/** Loads a module, which must not end its worker by Deno.exit(). */
async function withoutExit<T>(load: () => Promise<T>): Promise<T> {
  const { exit } = Deno;
  Deno.exit = (code = 0) => {
    throw new Error(
      `it ends the program with exit code ${code} as it is loaded; put that into if (import.meta.main) { … }`,
    );
  };
  try {
    return await load();
  } finally {
    Deno.exit = exit;
  }
}

/**
 * Says why a module did not load: in the first line of Deno's error; the others
 * say who imported it.
 */
function explainLoad(error: unknown, shown: string): string {
  const [what = ""] = describe(error).message.split("\n");
  return NEEDS_ITS_PROJECT.test(what)
    ? `${what}; make one file of it in its own project: deno bundle ${shown} -o FILE.js, and map FILE.js`
    : what;
}

function explainMissing(
  exports: Record<string, unknown>,
  name: string,
  shown: string,
): string {
  const functions = Object.keys(exports).filter((key) =>
    typeof exports[key] === "function"
  );
  const wanted = name === "default"
    ? `${shown} has no default export that is a function`
    : `${shown} exports no function "${name}"`;
  return functions.length === 0
    ? `${wanted}: write "export ${
      name === "default" ? "default function" : `function ${name}`
    } …"`
    : `${wanted}: there is ${
      functions.map((name) => `${shown}#${name}`).join(", ")
    }`;
}

function read(line: string, raw: boolean): unknown {
  if (!raw) return JSON.parse(line);
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

async function within(
  timeoutMs: number,
  result: PromiseLike<unknown>,
): Promise<unknown> {
  if (timeoutMs === Infinity) return await result;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = startTimer(timeoutMs, () => reject(timedOut(timeoutMs)));
  try {
    return await Promise.race([result, promise]);
  } finally {
    stop();
  }
}

/** The error for a line that took too long. */
export function timedOut(timeoutMs: number): TimeoutError {
  return new TimeoutError(`No result after ${timeoutMs} ms`);
}

/** Describes a thrown value, which may be anything. */
export function describe(error: unknown): ErrorText {
  try {
    return error instanceof Error
      ? { name: shorten(error.name), message: shorten(error.message) }
      : { name: "Error", message: shorten(Deno.inspect(error)) };
  } catch {
    return { name: "Error", message: "An error that cannot be shown" };
  }
}

function shorten(text: unknown): string {
  const all = String(text);
  if (all.length <= MAX_MESSAGE_CHARACTERS) return all;
  // A copy, as a part of a string keeps the whole string in memory.
  return structuredClone(`${all.slice(0, MAX_MESSAGE_CHARACTERS)}…`);
}

/**
 * A run of `futures map`, from the first line to the exit status.
 *
 * @module
 */

import { BrokenExecutorError } from "../mod.ts";
import {
  CommandError,
  FAILED_STATUS,
  isLeaving,
  leave,
  say,
} from "./command.ts";
import { Interrupt, INTERRUPTED_STATUS } from "./interrupt.ts";
import type { FailedLine } from "./line_block.ts";
import { BLOCK_MS, LineMap } from "./line_map.ts";
import type { LineOutput, PlainOutput } from "./line_output.ts";
import { NO_TEXT } from "./line_reader.ts";
import type { LineSource } from "./line_source.ts";
import { describe } from "./map_block.ts";
import type { MapPlace } from "./map_place.ts";
import { ProgressLine } from "./map_progress.ts";

/** What to do with a line that has no result. */
export type OnError = "stop" | "skip" | "report";

/** The lines that a run maps, and how. */
export interface MapRun {
  readonly source: LineSource;
  readonly output: LineOutput;
  /** Opens what maps them. */
  open(): MapPlace | Promise<MapPlace>;
  readonly ordered: boolean;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly onError: OnError;
  /** The file of the reports; `undefined` if they take the places of results. */
  readonly errors: PlainOutput | undefined;
  /** Whether reports say which file they are about. */
  readonly namesFiles: boolean;
  readonly raw: boolean;
  readonly progress: boolean;
  /** How to go on with a run that was stopped; empty if all would begin anew. */
  readonly advice: string;
}

/** How many characters are written together: more is no faster, and takes memory. */
const FLUSH_CHARACTERS = 1024 * 1024;

/**
 * Maps lines.
 *
 * The caller then exits with the status: functions may still run, or read the
 * standard input, and nobody waits for them.
 *
 * @param run The lines, and how to map them.
 * @returns The exit status.
 * @throws {CommandError} If the run cannot go on.
 */
export async function mapLines(run: MapRun): Promise<number> {
  using _guard = new ProgramGuard();
  run.source.begin();
  await using place = await run.open();
  const submit = submitter(place, run);
  const impossible = (error: unknown) =>
    new CommandError(describe(place.reasonOf(error)).message);
  try {
    // Loads the function before the first line is asked for.
    await submit("");
  } catch (error) {
    throw impossible(error);
  }
  try {
    return await writeResults(run, place, submit);
  } catch (error) {
    throw error instanceof BrokenExecutorError ? impossible(error) : error;
  }
}

function submitter(place: MapPlace, { raw, timeoutMs }: MapRun) {
  const { stopsTasks } = place;
  const options = {
    raw,
    budgetMs: BLOCK_MS,
    timeoutMs: stopsTasks ? Infinity : timeoutMs,
  };
  const limits = { timeout: stopsTasks ? timeoutMs : Infinity };
  return (text: string) => place.submit(limits, text, options);
}

async function writeResults(
  run: MapRun,
  { workers }: MapPlace,
  submit: ReturnType<typeof submitter>,
): Promise<number> {
  const { source, output, onError } = run;
  const lines = new LineMap(source, {
    ...run,
    submit,
    workers,
    skip: output.lines,
  });
  let done = 0;
  let failed = 0;
  using progress = run.progress
    ? new ProgressLine(() => ({
      done,
      failed,
      total: undefined,
      part: source.partOf(lines.charactersDone),
    }))
    : undefined;
  using interrupt = new Interrupt(() => {
    progress?.hide();
    lines.stop();
  });
  let results = "";
  let reports = "";
  const flush = async () => {
    progress?.hide();
    await output.write(results);
    await run.errors?.write(reports);
    results = "";
    reports = "";
  };
  for await (const pieces of lines) {
    let stopper: FailedLine | undefined;
    for (const piece of pieces) {
      // Flushed, as results and reports may together be longer than a string can be.
      if (results.length + reports.length > FLUSH_CHARACTERS) await flush();
      if (piece.output.length > FLUSH_CHARACTERS) await flush();
      results += piece.output;
      done += piece.lines;
      if (piece.failure === undefined) continue;
      failed++;
      if (onError === "stop") {
        stopper = piece.failure;
        break;
      }
      if (onError !== "report") continue;
      if (run.errors === undefined) results += report(piece.failure, run);
      else reports += report(piece.failure, run);
    }
    await flush();
    if (stopper !== undefined) {
      throw new CommandError(explain(stopper) + run.advice, FAILED_STATUS);
    }
  }
  if (failed > 0) {
    const skipped = onError === "skip" ? " and were skipped" : "";
    say(`${failed} of ${done} lines failed${skipped}`);
  }
  if (interrupt.happened) {
    say(`stopped after ${output.lines + done} lines${run.advice}`);
    return INTERRUPTED_STATUS;
  }
  await output.finish();
  return 0;
}

/**
 * Notices that the program ends before its run does, and makes it fail: with
 * promises, the function runs in this isolate, where its `Deno.exit()` ends the
 * whole program.
 */
class ProgramGuard implements Disposable {
  readonly #listeners = new AbortController();

  constructor() {
    const { signal } = this.#listeners;
    addEventListener("unload", () => {
      if (isLeaving()) return;
      say(
        "the function ended the program, and lines have no result; with --executor worker or process it would end its worker",
      );
      Deno.exitCode = FAILED_STATUS;
    }, { signal });
    addEventListener("beforeunload", () => {
      say("the function promised what nothing is left to bring about");
      leave(FAILED_STATUS);
    }, { signal });
  }

  [Symbol.dispose](): void {
    this.#listeners.abort();
  }
}

function report({ file, line, error }: FailedLine, run: MapRun): string {
  const where = run.namesFiles ? { line, file } : { line };
  return `${JSON.stringify({ error, ...where })}\n`;
}

function explain({ file, line, error, isUnreadable }: FailedLine): string {
  const where = file === undefined ? `line ${line}` : `${file}, line ${line}`;
  if (isUnreadable && error.name === NO_TEXT) {
    return `${where} is no UTF-8: iconv makes it so, --on-error skip goes on without such lines`;
  }
  if (isUnreadable && error.name !== "SyntaxError") {
    return `${where}: ${error.message}; --on-error skip goes on without such lines`;
  }
  return isUnreadable
    ? `${where} is no JSON: ${error.message}; --raw takes lines as text, --on-error skip goes on without them`
    : `${where}: ${error.name}: ${error.message}`;
}

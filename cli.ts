/**
 * The command line: arguments in, calls to the library, text out.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  type BenchmarkOptions,
  type Observer,
  planBenchmark,
  runBenchmark,
} from "./bench/benchmark.ts";
import { CLEAR_LINE, showProgress } from "./bench/progress.ts";
import {
  formatHeading,
  formatLesson,
  formatPlan,
  formatTable,
} from "./bench/report.ts";
import {
  DEFAULT_DELAY_MS,
  DEFAULT_WORK,
  DEFAULT_YEAR,
  SCIENTISTS,
  type WorkKind,
} from "./bench/scientists.ts";
import { EXECUTOR_IDS, type ExecutorId } from "./bench/strategies.ts";
import { wrap } from "./bench/text.ts";
import { drawTimeline } from "./bench/timeline.ts";
import config from "./deno.json" with { type: "json" };

/** The exit status for arguments that make no sense, as most programs have it. */
const USAGE_STATUS = 2;

/** The only command so far; it runs if none is named. */
const COMMAND = "bench";

/** The arguments make no sense; the message says why in one line. */
class UsageError extends Error {}

/** How an option is written, what it means, what it takes. */
interface Option<T> {
  readonly help: string;
  /** The short form, if there is one. */
  readonly letter?: string;
  /** What stands for the value in the help; flags have no value. */
  readonly placeholder?: string;
  /** What the value may be. */
  readonly wanted?: string;
  readonly default: T;
  /** What the help calls the default; nothing for flags. */
  readonly defaultText?: string;
  /** What a text stands for; `undefined` if it makes no sense. */
  read(text: string): T | undefined;
}

/** What the options of a table come to. */
type Values<T> = { [K in keyof T]: T[K] extends Option<infer V> ? V : never };

const KINDS: ReadonlyMap<string, readonly WorkKind[]> = new Map([
  ["wait", ["wait"]],
  ["compute", ["compute"]],
  ["both", ["wait", "compute"]],
]);

/** From this table the options are read, checked and explained. */
const OPTIONS = {
  workload: option({
    help: "what a record does: wait, compute, or both in turn",
    placeholder: "KIND",
    wanted: "wait, compute or both",
    default: ["wait", "compute"],
    defaultText: "both",
    read: (text) => KINDS.get(text),
  }),
  executors: option({
    help: "which executors run",
    placeholder: "LIST",
    wanted: `one or more of ${EXECUTOR_IDS.join(",")}`,
    default: EXECUTOR_IDS,
    defaultText: EXECUTOR_IDS.join(","),
    read: readExecutors,
  }),
  workers: option<number | undefined>({
    ...integer("N", 1),
    help: "how many records a pool works on at a time",
    default: undefined,
    defaultText: "one per core with threads, all of up to 32 with promises",
  }),
  records: option({
    ...integer("N", 1),
    ...byDefault(SCIENTISTS.length),
    help: "how many records; beyond 7 they come again, with numbers",
  }),
  delay: option({
    help: "how many milliseconds a record waits",
    placeholder: "MS",
    wanted: "a number of milliseconds, at least 0",
    ...byDefault(DEFAULT_DELAY_MS),
    read: (text) => /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined,
  }),
  work: option({
    ...integer("N", 1),
    ...byDefault(DEFAULT_WORK),
    help: "how many multiplications a record computes",
  }),
  year: option({
    ...integer("Y", 0),
    ...byDefault(DEFAULT_YEAR),
    help: "the year in which the ages are told",
  }),
  json: flag("print one JSON object instead of text"),
  quiet: flag("print the tables alone, and nothing while things run"),
  help: { ...flag("print this text"), letter: "h" },
  version: { ...flag("print the version"), letter: "V" },
};

if (import.meta.main) Deno.exitCode = await main(Deno.args);

/** Runs what the arguments ask for, and tells the exit status. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const values = readArguments(args);
    if (values.help) console.log(formatHelp());
    else if (values.version) console.log(`futures ${config.version}`);
    else await bench(values);
    return 0;
  } catch (error) {
    // Who reads the output has seen enough, as in `futures | head`.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (!(error instanceof UsageError)) throw error;
    console.error(`futures: ${error.message}`);
    return USAGE_STATUS;
  }
}

/**
 * `futures bench`: what comes out goes to the standard output, what is said
 * meanwhile to the standard error stream.
 */
async function bench(values: Values<typeof OPTIONS>): Promise<void> {
  const { json, quiet, records, workers, work, year } = values;
  const showsProgress = !quiet && Deno.stderr.isTerminal();
  const progress = showsProgress ? showProgress(records) : undefined;
  const style = { color: Deno.stdout.isTerminal() && !Deno.noColor };
  const print = json ? () => {} : console.log;
  const options: BenchmarkOptions = {
    version: config.version,
    kinds: values.workload,
    executors: values.executors,
    records,
    workers,
    delayMs: values.delay,
    work,
    year,
    quiet,
    // What a worker says takes the place of the line that shows the progress.
    lineStart: `${showsProgress ? CLEAR_LINE : ""}    `,
  };
  const observer: Observer = {
    workloadStarted: (workload) => print(`${formatHeading(workload, style)}\n`),
    runStarted(run) {
      if (!quiet) console.error(`  ${run.executor}`);
      progress?.runStarted(run);
    },
    recordDone: () => progress?.recordDone(),
    runEnded: () => progress?.runEnded(),
    workloadEnded(workload) {
      // Ends what was said, so it belongs on the same stream.
      if (!quiet) console.error();
      print(`${formatTable(workload, style)}\n`);
      if (quiet) return;
      print(`${drawTimeline(workload, style)}\n`);
      print(`${formatLesson(workload)}\n`);
    },
  };
  if (!quiet) print(`${formatPlan(planBenchmark(options), style)}\n`);
  const report = await runBenchmark({ ...options, observer });
  if (json) console.log(JSON.stringify(report, null, 2));
}

function readArguments(args: readonly string[]): Values<typeof OPTIONS> {
  const table: [string, Option<unknown>][] = Object.entries(OPTIONS);
  const names = table.map(([name]) => name);
  const unknown: string[] = [];
  const parsed = parseArgs(joinNegatives(args), {
    string: names.filter(takesValue),
    boolean: names.filter((name) => !takesValue(name)),
    alias: Object.fromEntries(
      table.flatMap(([name, { letter }]) => letter ? [[name, letter]] : []),
    ),
    unknown(arg, name) {
      // What has no name is no option.
      if (name !== undefined) unknown.push(arg);
    },
  });
  if (unknown.length > 0) {
    const known = names.map((name) => `--${name}`).join(" ");
    throw new UsageError(`unknown option ${unknown[0]}; there are ${known}`);
  }
  const given: Readonly<Record<string, unknown>> = parsed;
  const values = table.map((
    [name, option],
  ) => [name, readOption(name, option, given[name])]);
  const [command = COMMAND, extra] = parsed._;
  if (command !== COMMAND) {
    throw new UsageError(`unknown command "${command}"; there is ${COMMAND}`);
  }
  if (extra !== undefined) {
    throw new UsageError(
      `unexpected argument "${extra}"; ${COMMAND} takes nothing but options`,
    );
  }
  return Object.fromEntries(values) as Values<typeof OPTIONS>;
}

function readOption(
  name: string,
  option: Option<unknown>,
  given: unknown,
): unknown {
  if (given === undefined) return option.default;
  if (typeof given === "boolean") return given;
  const text = String(given);
  const value = option.read(text);
  if (value === undefined) {
    const received = text === "" ? "nothing" : `"${text}"`;
    throw new UsageError(
      `--${name} takes ${option.wanted}: received ${received}`,
    );
  }
  return value;
}

/** To parseArgs() `-3` is an option, so `--year -3` has to be `--year=-3`. */
function joinNegatives(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1) ?? "";
    const isNegative = /^-\d/.test(arg) && last.startsWith("--") &&
      takesValue(last.slice(2));
    if (isNegative) joined.pop();
    joined.push(isNegative ? `${last}=${arg}` : arg);
  }
  return joined;
}

function takesValue(name: string): boolean {
  const options: Readonly<Record<string, Option<unknown>>> = OPTIONS;
  return options[name]?.placeholder !== undefined;
}

function readExecutors(text: string): readonly ExecutorId[] | undefined {
  const ids: readonly string[] = text.split(",").map((id) => id.trim());
  const known: readonly string[] = EXECUTOR_IDS;
  return ids.every((id) => known.includes(id))
    ? ids as ExecutorId[]
    : undefined;
}

function formatHelp(): string {
  const table: [string, Option<unknown>][] = Object.entries(OPTIONS);
  const options = table.map(
    ([name, { letter, placeholder, help, defaultText }]) => {
      const short = letter ? `-${letter}, ` : "";
      const synopsis = `  ${short}--${name} ${placeholder ?? ""}`;
      const text = defaultText ? `${help} (default: ${defaultText})` : help;
      const indent = " ".repeat(21);
      return synopsis.padEnd(indent.length) +
        wrap(text.split(" "), indent).trimStart();
    },
  );
  return [
    `futures ${config.version}: Python's concurrent.futures for Deno`,
    "",
    "Usage: futures [bench] [OPTIONS]",
    "",
    "Maps one function over the same records, plainly and with each executor, and",
    "shows how long that takes and who works when.",
    "",
    "Options:",
    ...options,
  ].join("\n");
}

/** Lets the type of an option follow from its default. */
function option<T>(option: Option<T>): Option<T> {
  return option;
}

function flag(help: string): Option<boolean> {
  return { help, default: false, read: () => true };
}

function integer(placeholder: string, min: number) {
  return {
    placeholder,
    wanted: `an integer of at least ${min}`,
    read(text: string): number | undefined {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      return Number.isSafeInteger(value) && value >= min ? value : undefined;
    },
  };
}

function byDefault(value: number) {
  return { default: value, defaultText: String(value) };
}

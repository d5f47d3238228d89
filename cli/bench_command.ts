/**
 * `futures bench`: its report goes to the standard output, the progress and the
 * words of the workers to the standard error stream.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import {
  type BenchmarkOptions,
  type Observer,
  planBenchmark,
  runBenchmark,
} from "./bench/benchmark.ts";
import { formatPage } from "./bench/page.ts";
import { showProgress } from "./bench/progress.ts";
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
import {
  LOCAL_STRATEGY_IDS,
  localStrategy,
  type Strategy,
  STRATEGY_IDS,
  type StrategyId,
} from "./bench/strategies.ts";
import { drawSvg } from "./bench/svg.ts";
import { drawTimeline } from "./bench/timeline.ts";
import { type Command, command, CommandError, writeError } from "./command.ts";
import { refuseSameFiles, STREAMS } from "./file_identity.ts";
import { FileOutput, outputFiles, PlainOutput } from "./line_output.ts";
import { checkOn, chooseServer, CONNECTION, on } from "./nats_options.ts";
import {
  byDefault,
  flag,
  integer,
  option,
  path,
  type Values,
} from "./options.ts";
import { CLEAR_LINE } from "./text.ts";

const KINDS: ReadonlyMap<string, readonly WorkKind[]> = new Map([
  ["wait", ["wait"]],
  ["compute", ["compute"]],
  ["both", ["wait", "compute"]],
]);

const OPTIONS = {
  workload: option({
    help: "what a record does: wait, compute, or both in turn",
    placeholder: "KIND",
    wanted: "wait, compute or both",
    choices: [...KINDS.keys()],
    default: ["wait", "compute"],
    defaultText: "both",
    read: (text) => KINDS.get(text),
  }),
  executors: option({
    help: "which executors run",
    placeholder: "LIST",
    wanted: `one or more of ${STRATEGY_IDS.join(",")}`,
    choices: STRATEGY_IDS,
    default: LOCAL_STRATEGY_IDS,
    defaultText: LOCAL_STRATEGY_IDS.join(","),
    read: readExecutors,
  }),
  workers: option<number | undefined>({
    ...integer("N", 1),
    help:
      "how many records a pool works on at a time; nodes have workers of their own",
    default: undefined,
    defaultText: "one per core, with promises one per record up to 32",
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
  svg: option({
    ...path("FILE"),
    help: "draw who worked when into a picture, too",
  }),
  html: option({
    ...path("FILE"),
    help: "and into a page that shows details",
  }),
  json: flag("print one JSON object instead of text"),
  quiet: flag("print the tables alone, and nothing while things run"),
  on: on("where nats of the executors is"),
  ...CONNECTION,
};

/** `futures bench` */
export const BENCH: Command = command({
  name: "bench",
  summary: "show how long the executors take, and who works when",
  description: [
    "Maps one function over the same records, plainly and with each executor, and shows how long that takes and who works when.",
    "The executor nats is the nodes of a NATS pool, which futures serve makes of machines: it needs --on. The times of a node are moved to the clock of this machine.",
  ],
  options: OPTIONS,
  run: ({ values }) => bench(values),
});

async function bench(values: Values<typeof OPTIONS>): Promise<number> {
  const { stdout, stderr } = STREAMS;
  refuseSameFiles(
    [
      ...outputFiles("--svg", values.svg),
      ...outputFiles("--html", values.html),
    ],
    [stdout, stderr],
  );
  const strategies = await strategiesOf(values);
  const { json, quiet, records, workers, work, year } = values;
  const showsProgress = !quiet && Deno.stderr.isTerminal();
  const progress = showsProgress ? showProgress(records) : undefined;
  const style = { color: Deno.stdout.isTerminal() && !Deno.noColor };
  const print = json ? () => {} : console.log;
  const options: BenchmarkOptions = {
    version: config.version,
    kinds: values.workload,
    strategies,
    records,
    workers,
    delayMs: values.delay,
    work,
    year,
    quiet,
    // Words of a worker take the place of the line that shows the progress.
    lineStart: `${showsProgress ? CLEAR_LINE : ""}    `,
  };
  const observer: Observer = {
    workloadStarted: (workload) => print(`${formatHeading(workload, style)}\n`),
    runStarted(run) {
      if (!quiet) writeError(`  ${run.executor}\n`);
      progress?.runStarted(run);
    },
    recordDone: () => progress?.recordDone(),
    runEnded: () => progress?.runEnded(),
    workloadEnded(workload) {
      // Ends the words of the workers, so it belongs on the same stream.
      if (!quiet) writeError("\n");
      print(`${formatTable(workload, style)}\n`);
      if (quiet) return;
      print(`${drawTimeline(workload, style)}\n`);
      print(`${formatLesson(workload)}\n`);
    },
  };
  if (!quiet) print(`${formatPlan(planBenchmark(options), style)}\n`);
  // Opened first, so that an error comes before the time is spent.
  const svg = values.svg === undefined
    ? undefined
    : await FileOutput.open(values.svg);
  const html = values.html === undefined
    ? undefined
    : await FileOutput.open(values.html);
  const report = await runBenchmark({ ...options, observer });
  await svg?.write(drawSvg(report.workload));
  await svg?.finish();
  await html?.write(formatPage(report));
  await html?.finish();
  if (json) {
    await PlainOutput.standard().write(`${JSON.stringify(report, null, 2)}\n`);
  }
  return 0;
}

/** How to run; nodes are asked who they are. */
async function strategiesOf(
  values: Values<typeof OPTIONS>,
): Promise<readonly Strategy[]> {
  const { executors, on } = values;
  const strategies = LOCAL_STRATEGY_IDS.filter((id) => executors.includes(id))
    .map(localStrategy);
  checkOn(values);
  if (executors.includes("nats") !== (on !== undefined)) {
    throw new CommandError(
      on === undefined
        ? "nats of --executors needs --on, the URL of a NATS server"
        : "--on goes with nats in --executors",
    );
  }
  if (on === undefined) return strategies;
  const choice = await chooseServer(on, values);
  // Loaded only now, with all that it imports.
  const { nodesStrategy } = await import("./bench/nodes_strategy.ts");
  return [...strategies, await nodesStrategy(choice)];
}

function readExecutors(text: string): readonly StrategyId[] | undefined {
  const ids: readonly string[] = text.split(",").map((id) => id.trim());
  const known: readonly string[] = STRATEGY_IDS;
  return ids.every((id) => known.includes(id))
    ? ids as StrategyId[]
    : undefined;
}

/**
 * Draws who worked when: one row per worker, one bar per record, all runs of a
 * workload on one time scale.
 *
 * @module
 */

import type { RunReport, TaskReport, WorkloadReport } from "./benchmark.ts";
import type { WorkKind } from "./scientists.ts";
import { LINE_WIDTH, paint, type TextOptions } from "./text.ts";

/** Left of the bars stand a margin, the worker's name and a bracket. */
const MARGIN = "    ";
const NAME_WIDTH = 9;
const LABEL_WIDTH = MARGIN.length + NAME_WIDTH + 2;

/** Right of the bars is room for the last mark on the time axis. */
const CHART_WIDTH = LINE_WIDTH - LABEL_WIDTH - 6;

/** So many columns a mark on the time axis needs. */
const TICK_WIDTH = 8;

/** More rows in one run would show nothing new. */
const MAX_ROWS = 16;

/** A core that is busy looks busier than one that is not. */
const BARS = {
  wait: { fill: "░", look: "cyan", doing: "waiting" },
  compute: { fill: "█", look: "green", doing: "computing" },
} as const;

/** A record is called by its place in the list: names are too long for bars. */
interface Bar extends TaskReport {
  readonly number: number;
}

/** One line of the drawing. */
interface Row {
  /** The worker's name, in the first of its rows. */
  readonly name: string;
  /** What holds the rows of one worker together. */
  readonly bracket: " " | "┌" | "│" | "└";
  readonly bars: Bar[];
}

/**
 * Draws a workload.
 *
 * @param workload The workload.
 * @param options Whether to use colour.
 * @returns Lines of text.
 */
export function drawTimeline(
  { kind, runs }: WorkloadReport,
  options: TextOptions,
): string {
  // A run that took no time at all still needs a scale.
  const longestMs = Math.max(1, ...runs.map(({ wallMs }) => wallMs));
  const { fill, look, doing } = BARS[kind];
  const bar = paint(look, `1${fill}${fill}`, options);
  const lines = [
    `  ${
      paint("bold", "Who worked when", options)
    }: ${bar} is record 1, ${doing}`,
    "",
    paint("dim", drawAxis(longestMs), options),
  ];
  for (const run of runs) {
    lines.push(`  ${run.executor}: ${describe(run, kind)}`);
    const rows = groupByWorker(run).flatMap(splitOverlapping);
    for (const { name, bracket, bars } of rows.slice(0, MAX_ROWS)) {
      const label = name.slice(0, NAME_WIDTH).padEnd(NAME_WIDTH) + bracket;
      const drawn = drawBars(bars, fill, CHART_WIDTH / longestMs);
      lines.push(`${MARGIN}${label} ${paint(look, drawn, options)}`);
    }
    if (rows.length > MAX_ROWS) {
      lines.push(`${MARGIN}… and ${rows.length - MAX_ROWS} more rows`);
    }
  }
  return lines.join("\n");
}

/** What makes this way of running different from the others. */
function describe(
  { executor, workers, tasks }: RunReport,
  kind: WorkKind,
): string {
  const threads = new Set(tasks.map(({ worker }) => worker)).size;
  switch (executor) {
    case "serial":
      return "one thread, one record at a time";
    case "PromisePoolExecutor":
      return kind === "compute"
        ? "one thread, which computes one record at a time"
        : `one thread, which waits for up to ${workers} records at a time`;
    case "WorkerPoolExecutor":
      return threads === 1
        ? "one thread, one record at a time"
        : `${threads} threads, each with one record at a time`;
  }
}

/** Marks at round times, as close to each other as can be read. */
function drawAxis(longestMs: number): string {
  const msPerColumn = longestMs / CHART_WIDTH;
  const step = roundUp(TICK_WIDTH * msPerColumn);
  const [unit, unitMs] = longestMs < 1000 ? ["ms", 1] : ["s", 1000];
  let axis = "";
  for (let i = 0; i * step <= longestMs; i++) {
    // Not i * step / unitMs as it is, which may be 0.30000000000000004.
    const tick = `${Number((i * step / unitMs).toPrecision(6))} ${unit}`;
    const column = LABEL_WIDTH + Math.round(i * step / msPerColumn);
    if (column + tick.length <= LINE_WIDTH) axis = axis.padEnd(column) + tick;
  }
  return axis;
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((digit) => digit * power >= value) ?? 10);
}

/** The bars of each worker in order of time, the workers in order of name. */
function groupByWorker({ tasks }: RunReport): [worker: string, bars: Bar[]][] {
  const groups = new Map<string, Bar[]>();
  for (const [i, task] of tasks.entries()) {
    const bars = groups.get(task.worker) ?? [];
    bars.push({ ...task, number: i + 1 });
    groups.set(task.worker, bars);
  }
  for (const bars of groups.values()) {
    bars.sort((a, b) => a.startMs - b.startMs);
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  return [...groups].sort(([a], [b]) => compare(a, b));
}

/** Bars that overlap get rows of their own: a worker that has several in hand. */
function splitOverlapping([worker, bars]: [string, Bar[]]): Row[] {
  const rows: Bar[][] = [];
  for (const bar of bars) {
    const free = rows.find((row) => row.at(-1)!.endMs <= bar.startMs);
    if (free === undefined) rows.push([bar]);
    else free.push(bar);
  }
  return rows.map((bars, i) => ({
    name: i === 0 ? worker : "",
    bracket: rows.length === 1
      ? " "
      : i === 0
      ? "┌"
      : i === rows.length - 1
      ? "└"
      : "│",
    bars,
  }));
}

function drawBars(bars: Bar[], fill: string, columnsPerMs: number): string {
  let drawn = "";
  for (const { number, startMs, endMs } of bars) {
    const from = Math.max(drawn.length, Math.round(startMs * columnsPerMs));
    // A bar shorter than a column is drawn as one.
    const to = Math.max(
      Math.round(startMs * columnsPerMs) + 1,
      Math.round(endMs * columnsPerMs),
    );
    // No column is left where several of them meet.
    if (to <= from) continue;
    const label = String(number);
    const bar = label.length < to - from ? label : "";
    drawn = drawn.padEnd(from) + bar.padEnd(to - from, fill);
  }
  return drawn;
}

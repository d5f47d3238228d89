/**
 * Draws who worked when: one row per worker, one bar per record, all runs of a
 * workload on one time scale.
 *
 * @module
 */

import { LINE_WIDTH, paint, type TextOptions } from "../text.ts";
import type { WorkloadReport } from "./benchmark.ts";
import {
  type Bar,
  describeRun,
  fitName,
  lanesOf,
  longestOf,
  nameWidthOf,
  ticksOf,
} from "./lanes.ts";

/** The margin, left of the name of the worker, a bracket and the bars. */
const MARGIN = "    ";

/** The width of names: as wide as they are, but a drawing needs room for the bars. */
const MIN_NAME_WIDTH = 9;
const MAX_NAME_WIDTH = 24;

/** What the last mark on the time axis needs behind the bars. */
const MARK_WIDTH = 6;

/** How many columns a mark on the time axis needs. */
const TICK_WIDTH = 8;

/** The characters of bars: computing looks busier than waiting. */
const BARS = {
  wait: { fill: "░", look: "cyan", doing: "waiting" },
  compute: { fill: "█", look: "green", doing: "computing" },
} as const;

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
  const longestMs = longestOf(runs);
  const nameWidth = nameWidthOf(runs, MIN_NAME_WIDTH, MAX_NAME_WIDTH);
  const left = MARGIN.length + nameWidth + 2;
  const width = LINE_WIDTH - left - MARK_WIDTH;
  const { fill, look, doing } = BARS[kind];
  const bar = paint(look, `1${fill}${fill}`, options);
  const lines = [
    `  ${
      paint("bold", "Who worked when", options)
    }: ${bar} is record 1, ${doing}`,
    "",
    paint("dim", drawAxis(longestMs, left, width), options),
  ];
  for (const run of runs) {
    lines.push(`  ${run.executor}: ${describeRun(run, kind)}`);
    const { lanes, more } = lanesOf(run);
    for (const { name, bracket, bars } of lanes) {
      const label = fitName(name, nameWidth).padEnd(nameWidth) + bracket;
      const drawn = drawBars(bars, fill, width / longestMs);
      lines.push(`${MARGIN}${label} ${paint(look, drawn, options)}`);
    }
    if (more > 0) lines.push(`${MARGIN}… and ${more} more rows`);
  }
  return lines.join("\n");
}

/** Draws marks at round times, as close to each other as can be read. */
function drawAxis(longestMs: number, left: number, width: number): string {
  const msPerColumn = longestMs / width;
  let axis = "";
  for (const { ms, text } of ticksOf(longestMs, TICK_WIDTH * msPerColumn)) {
    const column = left + Math.round(ms / msPerColumn);
    if (column + text.length <= LINE_WIDTH) axis = axis.padEnd(column) + text;
  }
  return axis;
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
    // No column is left where several short bars meet.
    if (to <= from) continue;
    const label = String(number);
    const bar = label.length < to - from ? label : "";
    drawn = drawn.padEnd(from) + bar.padEnd(to - from, fill);
  }
  return drawn;
}

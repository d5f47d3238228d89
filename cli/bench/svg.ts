/**
 * Who worked when, as a picture: one lane per worker, one bar per record, all
 * workloads and executors below each other on one time scale.
 *
 * The picture brings its own background and colours for light and dark, as nobody
 * knows on which page it will stand, and says in words what it shows.
 *
 * @module
 */

import type { RunReport, WorkloadReport } from "./benchmark.ts";
import {
  type Bar,
  describeRun,
  fitName,
  type Lane,
  lanesOf,
  longestOf,
  nameWidthOf,
  type Tick,
  ticksOf,
} from "./lanes.ts";
import { formatHeading } from "./report.ts";

const WIDTH = 880;
const MARGIN = 16;

/** The width of a character of the names of the workers, left of the bars. */
const NAME_CHARACTER_WIDTH = 7.6;

/** How many characters names have room for: as many as they have, but bars need room too. */
const MIN_NAME = 11;
const MAX_NAME = 30;

/** The distance between names and bars. */
const NAME_GAP = 12;

const LANE_HEIGHT = 22;
const BAR_HEIGHT = 18;
const LINE_HEIGHT = 22;

/** The distance from the top of a line to the foot of its letters. */
const BASELINE = 15;

/** The distance between runs, and between workloads. */
const GAP = 14;

/** The distance between marks on the time axis: closer ones could not be read. */
const TICK_WIDTH = 70;

/** The width of a digit of the number of a bar. */
const DIGIT_WIDTH = 8;

/** The width of the shortest bar that can be seen. */
const MIN_BAR_WIDTH = 2;

/** How far from 1 a speed-up may be and still be noise. */
const SAME = 0.05;

const STYLE = `
svg { --back: #fff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0;
  --wait: #ddf4ff; --wait-edge: #0969da; --wait-text: #0a3069;
  --compute: #1a7f37; --compute-edge: #1a7f37; --compute-text: #fff }
@media (prefers-color-scheme: dark) {
  svg { --back: #0d1117; --text: #f0f6fc; --dim: #9198a1; --line: #3d444d;
    --wait: #0c2d6b; --wait-edge: #388bfd; --wait-text: #cae8ff;
    --compute: #196c2e; --compute-edge: #2ea043; --compute-text: #fff }
}
text { font: 13px system-ui, sans-serif; fill: var(--text) }
.title { font-weight: 600; font-size: 15px }
.name { font-weight: 600 }
.dim { fill: var(--dim) }
.end { text-anchor: end }
.line { stroke: var(--line) }
.bar rect { stroke-width: 1 }
.bar:hover rect, .bar:focus rect { stroke: var(--text); stroke-width: 2 }
.bar:focus { outline: none }
.wait rect { fill: var(--wait); stroke: var(--wait-edge) }
.wait text { fill: var(--wait-text) }
.compute rect { fill: var(--compute); stroke: var(--compute-edge) }
.compute text { fill: var(--compute-text) }`;

/**
 * Draws workloads.
 *
 * @param workloads The workloads.
 * @returns The text of an SVG file.
 */
export function drawSvg(workloads: readonly WorkloadReport[]): string {
  const runs = workloads.flatMap(({ runs }) => runs);
  const longestMs = longestOf(runs);
  const name = nameWidthOf(runs, MIN_NAME, MAX_NAME);
  const left = Math.ceil(MARGIN + name * NAME_CHARACTER_WIDTH + NAME_GAP);
  const scale = (WIDTH - left - MARGIN) / longestMs;
  const layout: Layout = { left, scale };
  const ticks = ticksOf(longestMs, TICK_WIDTH / scale);
  const body: string[] = [];
  let y = MARGIN;
  for (const workload of workloads) {
    const drawn = drawWorkload(workload, y, layout, ticks);
    body.push(...drawn.lines);
    y = drawn.bottom + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-labelledby="title description">`,
    `<title id="title">Who worked when</title>`,
    `<desc id="description">${escape(describe(workloads))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect width="100%" height="100%" style="fill: var(--back)"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

/**
 * Says how a run compares to the plain loop.
 *
 * @param run The run.
 * @returns Some words.
 */
export function formatSpeedup(
  { executor, wallMs, speedup }: RunReport,
): string {
  const time = formatTime(wallMs);
  if (executor === "serial" || speedup === null) return time;
  if (Math.abs(speedup - 1) < SAME) return `${time}, as fast as serial`;
  return `${time}, ${speedup.toFixed(2)} times as fast as serial`;
}

/**
 * Makes text of anything that may stand in a page.
 *
 * @param text The text.
 * @returns The same, for the inside of an element or an attribute.
 */
export function escape(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

/** Where bars are. */
interface Layout {
  /** Where time begins. */
  readonly left: number;
  /** The width of a millisecond. */
  readonly scale: number;
}

function drawWorkload(
  workload: WorkloadReport,
  top: number,
  layout: Layout,
  ticks: readonly Tick[],
): { lines: string[]; bottom: number } {
  const { left, scale } = layout;
  const lines = [drawText(MARGIN, top, formatHeading(workload), "title")];
  let y = top + LINE_HEIGHT;
  for (const run of workload.runs) {
    const words = escape(describeRun(run, workload.kind));
    lines.push(
      `<text x="${MARGIN}" y="${
        y + BASELINE
      }"><tspan class="name">${run.executor}</tspan><tspan class="dim">: ${words}</tspan></text>`,
      drawText(WIDTH - MARGIN, y, formatSpeedup(run), "end"),
    );
    y += LINE_HEIGHT;
    const { lanes, more } = lanesOf(run);
    const bottom = y + lanes.length * LANE_HEIGHT;
    for (const { ms } of ticks) {
      lines.push(drawLine(left + ms * scale, y, bottom));
    }
    for (const lane of lanes) {
      lines.push(...drawLane(lane, workload, run, y, layout));
      y += LANE_HEIGHT;
    }
    if (more > 0) {
      lines.push(drawText(left, y, `… and ${more} more lanes`, "dim"));
      y += LANE_HEIGHT;
    }
    y += GAP;
  }
  for (const { ms, text } of ticks) {
    const x = round(left + ms * scale);
    // The last mark may have no room for its text.
    const look = x > WIDTH - MARGIN - TICK_WIDTH ? "dim end" : "dim";
    lines.push(drawText(x, y - GAP, text, look));
  }
  return { lines, bottom: y - GAP + LINE_HEIGHT };
}

function drawLane(
  { name, bracket, bars }: Lane,
  { kind }: WorkloadReport,
  run: RunReport,
  y: number,
  layout: Layout,
): string[] {
  const { left } = layout;
  const lines: string[] = [];
  if (name !== "") {
    const shown = fitName(name, MAX_NAME);
    lines.push(drawText(left - NAME_GAP, y, shown, "end"));
  }
  if (bracket !== " ") {
    lines.push(drawLine(left - NAME_GAP / 2, y, y + LANE_HEIGHT));
  }
  for (const bar of bars) {
    lines.push(drawBar(bar, kind, run, y, layout));
  }
  return lines;
}

function drawBar(
  bar: Bar,
  kind: WorkloadReport["kind"],
  { executor }: RunReport,
  y: number,
  { left, scale }: Layout,
): string {
  const { number, record, worker, startMs, endMs } = bar;
  // The clocks of two threads differ by a little.
  const from = Math.max(0, startMs);
  const x = round(left + from * scale);
  const width = round(Math.max(MIN_BAR_WIDTH, (endMs - from) * scale - 1));
  const label = String(number);
  const text = `${number} ${record}: ${
    kind === "wait" ? "waits" : "computes"
  } for ${formatTime(endMs - startMs)}, from ${formatTime(from)} to ${
    formatTime(endMs)
  }, in ${worker} of ${executor}`;
  return [
    `<g class="bar ${kind}"><title>${escape(text)}</title>`,
    `<rect x="${x}" y="${
      y + 1
    }" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
    label.length * DIGIT_WIDTH < width
      ? `<text x="${round(x + 5)}" y="${y + BASELINE}">${label}</text>`
      : "",
    "</g>",
  ].join("");
}

/** Describes the picture for those who do not see it. */
function describe(workloads: readonly WorkloadReport[]): string {
  return workloads.map((workload) =>
    `${formatHeading(workload)}. ${
      workload.runs.map((run) =>
        `${run.executor}, ${describeRun(run, workload.kind)}: ${
          formatSpeedup(run)
        }.`
      ).join(" ")
    }`
  ).join(" ");
}

function drawText(x: number, y: number, text: string, look: string): string {
  return `<text x="${x}" y="${y + BASELINE}" class="${look}">${
    escape(text)
  }</text>`;
}

function drawLine(x: number, from: number, to: number): string {
  const at = round(x);
  return `<line class="line" x1="${at}" x2="${at}" y1="${from}" y2="${to}"/>`;
}

/** A time in milliseconds if it is less than a second, else in seconds. */
function formatTime(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Rounds to a tenth of a pixel, which is more than enough. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

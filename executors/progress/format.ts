/**
 * The line that says how far something is, as text that fits the terminal.
 *
 * @module
 */

import type { Progress, Speed } from "./pace.ts";

/** What does not change from line to line. */
export interface Look {
  /** What the line is about; may be empty. */
  readonly label?: string;
  /** Whether to use colours, by ANSI escape codes. */
  readonly color?: boolean;
}

/** How many characters the inside of the bar may have: the first that fits. */
const BAR_WIDTHS = [20, 10];

/** The brackets of the bar, and the space behind it. */
const AROUND_BAR = 3;

const YELLOW = "\x1b[33m";
const GREEN = "\x1b[32m";
const PLAIN = "\x1b[0m";

/**
 * The line while it goes on.
 *
 * @param progress How far it is.
 * @param speed How fast.
 * @param columns How wide the terminal is; `Infinity` for a line without a bar.
 * @param look What it is about, and whether it has colours.
 */
export function formatProgress(
  progress: Progress,
  speed: Speed,
  columns: number,
  look: Look = {},
): string {
  const { part } = progress;
  const { seconds, left } = speed;
  const more = [
    ...part === undefined ? [] : [`${Math.floor(part * 100)} %`],
    left === undefined ? formatTime(seconds) : `${formatTime(left)} left`,
    formatRate(speed.rate),
  ];
  return fit(progress, more, columns, look);
}

/** The line that stays: the rate is that of the whole. */
export function formatEnd(
  progress: Progress,
  { seconds }: Speed,
  columns: number,
  look: Look = {},
): string {
  const rate = formatRate(seconds > 0 ? progress.done / seconds : 0);
  return fit(
    progress,
    [`${rate} in ${formatTime(seconds)}`],
    columns,
    look,
  );
}

/** Leaves out what does not fit: the last words first, at last the label. */
function fit(
  { done, failed, total, part }: Progress,
  more: readonly string[],
  columns: number,
  { label = "", color = false }: Look,
): string {
  // In the last column, a terminal may begin the next line.
  const room = columns - 1;
  const of = total === undefined ? "" : ` of ${formatNumber(total)}`;
  const failures = `${formatNumber(failed)} failed`;
  const words = [`${formatNumber(done)}${of} done`, failures, ...more];
  let name = label === "" ? "" : `${label}: `;
  const width = () => widthOf(name) + words.join(", ").length;
  while (words.length > 1 && width() > room) words.pop();
  if (width() > room) name = "";
  const text = words.join(", ").slice(0, room);
  const bar = part === undefined || columns === Infinity
    ? ""
    : formatBar(part, room - width(), color);
  return bar + name +
    (color && failed > 0
      ? text.replace(failures, `${YELLOW}${failures}${PLAIN}`)
      : text);
}

/** [=====>    ] and a space; nothing if there is no room. */
function formatBar(part: number, room: number, color: boolean): string {
  const width = BAR_WIDTHS.find((width) => width + AROUND_BAR <= room);
  if (width === undefined) return "";
  const filled = Math.min(width, Math.floor(part * width));
  const head = filled < width ? ">" : "";
  const done = "=".repeat(filled) + head;
  const rest = " ".repeat(width - done.length);
  return `[${color ? `${GREEN}${done}${PLAIN}` : done}${rest}] `;
}

/** How many columns a text takes at most: characters of some scripts, and pictures, take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += character < "\x7f" ? 1 : 2;
  return width;
}

/** 0.3/s, 1,234/s */
function formatRate(rate: number): string {
  return `${formatNumber(Number(rate.toFixed(rate < 10 ? 1 : 0)))}/s`;
}

/** 5.1 s, 2 min 03 s, 7 h 05 min */
function formatTime(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(rounded / 60);
  return minutes < 60
    ? `${minutes} min ${two(rounded % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function formatNumber(value: number): string {
  return value.toLocaleString("en");
}

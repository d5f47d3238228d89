/**
 * Arranges who worked when as lanes with bars on a time scale, for drawings of a
 * run as text and as a picture.
 *
 * @module
 */

import type { RunReport, TaskReport } from "./benchmark.ts";
import type { WorkKind } from "./scientists.ts";

/**
 * The time of one record, which is called by its place in the list: names are
 * too long for bars.
 */
export interface Bar extends TaskReport {
  readonly number: number;
}

/** Bars of one worker, none of which overlap. */
export interface Lane {
  /** The worker's name, in the first of its lanes. */
  readonly name: string;
  /** The part of the bracket that holds the lanes of one worker together. */
  readonly bracket: " " | "┌" | "│" | "└";
  readonly bars: Bar[];
}

/** A mark on a time scale. */
export interface Tick {
  readonly ms: number;
  readonly text: string;
}

/** How many lanes of one run are drawn: more would show nothing new. */
const MAX_LANES = 16;

/**
 * Makes the lanes of a run, the workers in order of their names.
 *
 * @param run The run.
 * @returns The lanes, and how many are left out as there are too many.
 */
export function lanesOf(run: RunReport): { lanes: Lane[]; more: number } {
  const lanes = groupByWorker(run).flatMap(splitOverlapping);
  return {
    lanes: lanes.slice(0, MAX_LANES),
    more: Math.max(0, lanes.length - MAX_LANES),
  };
}

/**
 * Says how this way of running differs from the others.
 *
 * @param run The run.
 * @param kind The work of its records.
 * @returns Some words.
 */
export function describeRun(
  { executor, workers, tasks }: RunReport,
  kind: WorkKind,
): string {
  const names = new Set(tasks.map(({ worker }) => worker));
  const threads = names.size;
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
    case "ProcessPoolExecutor":
      return threads === 1
        ? "one process, one record at a time"
        : `${threads} processes, each with one record at a time`;
    case "NatsPoolExecutor": {
      const nodes = new Set([...names].map(nodeOf)).size;
      return `${
        nodes === 1 ? "one node" : `${nodes} nodes`
      } of a pool that has ${
        workers === 1 ? "one worker" : `${workers} workers`
      }`;
    }
  }
}

/** The node of a worker that is called `node/worker-1`. */
function nodeOf(worker: string): string {
  return worker.slice(0, worker.lastIndexOf("/"));
}

/**
 * Tells how many characters the names of workers need in a drawing.
 *
 * @param runs What is drawn.
 * @param least How many they get in any case.
 * @param most How many there is room for.
 */
export function nameWidthOf(
  runs: readonly RunReport[],
  least: number,
  most: number,
): number {
  let longest = least;
  for (const { tasks } of runs) {
    for (const { worker } of tasks) longest = Math.max(longest, worker.length);
  }
  return Math.min(longest, most);
}

/**
 * Makes a name fit, by leaving out its beginning: its end tells workers of one
 * node apart.
 *
 * @param name The name.
 * @param width How many characters there is room for.
 */
export function fitName(name: string, width: number): string {
  return name.length <= width
    ? name
    : `…${name.slice(name.length - width + 1)}`;
}

/**
 * Tells where the time scale of some runs ends.
 *
 * @param runs The runs.
 * @returns Milliseconds.
 */
export function longestOf(runs: readonly RunReport[]): number {
  // A run that took no time at all still needs a scale.
  return Math.max(1, ...runs.map(({ wallMs }) => wallMs));
}

/**
 * Makes marks at round times.
 *
 * @param longestMs Where the scale ends.
 * @param closestMs How close they may be to each other.
 * @returns The marks, from 0 on.
 */
export function ticksOf(longestMs: number, closestMs: number): Tick[] {
  const step = roundUp(closestMs);
  const [unit, unitMs] = longestMs < 1000 ? ["ms", 1] : ["s", 1000];
  const ticks: Tick[] = [];
  for (let i = 0; i * step <= longestMs; i++) {
    const ms = i * step;
    // Rounded, as ms / unitMs may be 0.30000000000000004.
    const value = Number((ms / unitMs).toPrecision(6));
    ticks.push({ ms, text: `${value} ${unit}` });
  }
  return ticks;
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

/** Gives bars that overlap lanes of their own: a worker may have several records in hand. */
function splitOverlapping([worker, bars]: [string, Bar[]]): Lane[] {
  const lanes: Bar[][] = [];
  for (const bar of bars) {
    const free = lanes.find((lane) => lane.at(-1)!.endMs <= bar.startMs);
    if (free === undefined) lanes.push([bar]);
    else free.push(bar);
  }
  return lanes.map((bars, i) => ({
    name: i === 0 ? worker : "",
    bracket: lanes.length === 1
      ? " "
      : i === 0
      ? "┌"
      : i === lanes.length - 1
      ? "└"
      : "│",
    bars,
  }));
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((digit) => digit * power >= value) ?? 10);
}

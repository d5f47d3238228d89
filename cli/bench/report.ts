/**
 * The benchmark's report as text, in the order in which people read it: what is
 * about to run, how long it took, who worked when, and what that means.
 *
 * @module
 */

import { paint, type TextOptions, wrap } from "../text.ts";
import type {
  Plan,
  RunPlan,
  WorkloadPlan,
  WorkloadReport,
} from "./benchmark.ts";
import type { WorkKind } from "./scientists.ts";
import type { StrategyName } from "./strategies.ts";

/** How many names of records are listed at most. */
const MAX_NAMES = 14;

/** The columns of the table; negative widths are aligned to the left. */
const COLUMNS = [
  { heading: "executor", width: -20 },
  { heading: "workers", width: 9 },
  { heading: "wall time", width: 12 },
  { heading: "speed-up", width: 11 },
] as const;

/** The lesson of each way of running for each kind of work. */
const LESSONS: Readonly<
  Record<WorkKind, Readonly<Record<StrategyName, string>>>
> = {
  wait: {
    serial: "Waiting keeps no core busy.",
    PromisePoolExecutor:
      "One thread can wait for many records at the same time, and waiting needs no more.",
    WorkerPoolExecutor:
      "A worker waits for one record at a time: to wait for all at once, a pool needs as many threads as records.",
    ProcessPoolExecutor:
      "Nor does a process wait for more than one: what it is good for is something else.",
    NatsPoolExecutor:
      "Nodes wait for as many records as they have workers: a node that serves with --executor promise can have hundreds.",
  },
  compute: {
    serial:
      "Computing keeps a core busy, and a thread runs on one core at a time.",
    PromisePoolExecutor:
      "A promise pool has one thread: records take turns, and nothing is won.",
    WorkerPoolExecutor:
      "A worker pool has several: as many records are computed side by side as there are cores.",
    ProcessPoolExecutor:
      "So does a process pool. It takes longer to start; each of its workers can be killed, and has memory of its own.",
    NatsPoolExecutor:
      "A NATS pool has the cores of all its nodes; records and results travel through a server.",
  },
};

/**
 * Describes the runs that are to come.
 *
 * @param plan The runs.
 * @param options Whether to use colour.
 * @returns Lines of text.
 */
export function formatPlan(plan: Plan, options: TextOptions = {}): string {
  const { version, deno, cores, records, runs } = plan;
  const title = `futures ${version}`;
  const names = records.map((name, i) => `${i + 1} ${name}`);
  if (names.length > MAX_NAMES) names.splice(MAX_NAMES, Infinity, "…");
  return [
    `${paint("bold", title, options)} on Deno ${deno}, ${count(cores, "core")}`,
    "",
    `The same function over the same ${count(records.length, "record")}, by`,
    ...runs.map((run) => `  ${run.executor.padEnd(21)}${describe(run)}`),
    "",
    // Split behind names, as one has several words.
    wrap(`Records: ${names.join(", ")}`.split(/(?<=,) /)),
  ].join("\n");
}

/**
 * Says which workload is about to run.
 *
 * @param workload The workload.
 * @param options Whether to use colour.
 * @returns A line of text.
 */
export function formatHeading(
  { kind, delayMs, work }: WorkloadPlan,
  options: TextOptions = {},
): string {
  return `${paint("bold", kind, options)}: each record ${
    kind === "wait"
      ? `waits ${delayMs} ms, as for an answer from the network`
      : `takes ${
        work?.toLocaleString("en")
      } multiplications, each after the other`
  }`;
}

/**
 * Says how long each run of a workload took.
 *
 * @param workload The results.
 * @param options Whether to use colour.
 * @returns Lines of text.
 */
export function formatTable(
  { runs }: WorkloadReport,
  options: TextOptions = {},
): string {
  const isLong = runs.some(({ wallMs }) => wallMs >= 1000);
  const rule = "─".repeat(
    COLUMNS.reduce((sum, { width }) => sum + Math.abs(width), 0),
  );
  return [
    paint("bold", formatRow(COLUMNS.map(({ heading }) => heading)), options),
    paint("dim", `  ${rule}`, options),
    ...runs.map(({ executor, workers, wallMs, speedup }) =>
      formatRow([
        executor,
        String(workers),
        // One unit for all, so that the figures can be compared by eye.
        isLong ? `${(wallMs / 1000).toFixed(2)} s` : `${wallMs.toFixed(1)} ms`,
        speedup === null ? "–" : `${speedup.toFixed(2)} ×`,
      ])
    ),
  ].join("\n");
}

/**
 * Says in words what the figures and the drawing of a workload show.
 *
 * @param workload The results.
 * @returns Lines of text.
 */
export function formatLesson({ kind, runs }: WorkloadReport): string {
  const lessons = runs.map(({ executor }) => LESSONS[kind][executor]);
  return wrap(lessons.join(" ").split(" "), "  ");
}

function describe({ executor, workers }: RunPlan): string {
  switch (executor) {
    case "serial":
      return "a plain loop, one record at a time";
    case "PromisePoolExecutor":
      return `one thread, up to ${count(workers, "record")} at a time`;
    case "WorkerPoolExecutor":
      return `up to ${
        count(workers, "thread")
      }, each with one record at a time`;
    case "ProcessPoolExecutor":
      return `up to ${
        count(workers, "process", "processes")
      }, each with one record at a time`;
    case "NatsPoolExecutor":
      return `nodes of a pool, up to ${count(workers, "record")} at a time`;
  }
}

function formatRow(cells: readonly string[]): string {
  return "  " +
    COLUMNS.map(({ width }, i) =>
      width < 0 ? cells[i]!.padEnd(-width) : cells[i]!.padStart(width)
    ).join("");
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

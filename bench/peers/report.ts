/**
 * What the runs of a workload come to, and the table of it.
 *
 * @module
 */

import type { Contestant } from "./contestants.ts";
import { BEST_PEER, type Workload } from "./workloads.ts";

/** What one contestant did, or why it did not. */
export interface Outcome {
  readonly contestant: Contestant;
  /** The median of each process. */
  readonly rounds: readonly number[];
  /** Of the first process that failed. */
  readonly failure?: string;
}

/** A table, in JSON. */
export interface WorkloadReport {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalReport[];
}

/** A line of a table; figures are `null` where there are none. */
export interface Row {
  readonly name: string;
  readonly runtime: string;
  readonly role: Contestant["role"];
  /** Over the rounds. */
  readonly median: number | null;
  readonly rounds: readonly number[];
  /** How many times as much as the best peer. */
  readonly toBestPeer: number | null;
  /** How many times as much as the best limit. */
  readonly toLimit: number | null;
  readonly failure: string | null;
}

/** What this package was to reach, and what it did. */
export interface GoalReport {
  readonly goal: string;
  readonly reached: number | null;
  readonly met: boolean;
}

/**
 * Compares the contestants of a workload.
 *
 * @param workload The workload.
 * @param outcomes What its contestants did.
 * @returns Medians and ratios.
 */
export function reportWorkload(
  workload: Workload,
  outcomes: readonly Outcome[],
): WorkloadReport {
  const { id, title, unit } = workload;
  const medians = outcomes.map(({ rounds, failure }) =>
    rounds.length === 0 || failure !== undefined ? null : median(rounds)
  );
  const bestPeer = best(workload, outcomes, medians, "peer");
  const limit = best(workload, outcomes, medians, "limit");
  const rows = outcomes.map(({ contestant, rounds, failure = null }, i) => ({
    name: contestant.name,
    runtime: contestant.runtime,
    role: contestant.role,
    median: medians[i]!,
    rounds,
    toBestPeer: ratio(medians[i]!, bestPeer),
    toLimit: ratio(medians[i]!, limit),
    failure,
  }));
  const own = rows.find(({ role }) => role === "this")?.median ?? null;
  const goals = workload.goals.map(({ against, factor }) => {
    const base = against === null
      ? 1
      : against === BEST_PEER
      ? bestPeer
      : rows.find(({ name }) => name === against)?.median ?? null;
    const reached = ratio(own, base);
    return {
      goal: `${workload.more ? "at least" : "at most"} ${factor} ×${
        against === null ? "" : ` ${against}`
      }`,
      reached,
      met: reached !== null &&
        (workload.more ? reached >= factor : reached <= factor),
    };
  });
  return { id, title, unit, rows, goals };
}

/**
 * Writes a table in Markdown, as wide as its cells need.
 *
 * @param report The figures.
 * @returns Lines of text.
 */
export function formatWorkload(report: WorkloadReport): string {
  const header = [
    "contestant",
    "on",
    report.unit,
    "lowest to highest",
    "to best peer",
    "to limit",
  ];
  const cells = report.rows.map((row) => [
    row.role === "this" ? `**${row.name}**` : row.name,
    row.runtime,
    row.failure === null ? figure(row.median) : "failed",
    row.failure === null
      ? `${figure(Math.min(...row.rounds))} to ${
        figure(Math.max(...row.rounds))
      }`
      : "",
    times(row.toBestPeer),
    times(row.toLimit),
  ]);
  const goals = report.goals.map(({ goal, reached, met }) =>
    `- ${met ? "met" : "MISSED"}: ${goal}: ${times(reached) || "not measured"}`
  );
  const failures = report.rows.filter(({ failure }) => failure !== null).map((
    { name, runtime, failure },
  ) => `- failed: ${name} on ${runtime}: ${failure}`);
  return [
    `### ${report.id}: ${report.title}`,
    "",
    ...table(header, cells),
    "",
    ...goals,
    ...failures,
  ].join("\n");
}

/**
 * The one in the middle; of an even number, the mean of the two.
 *
 * @param values At least one.
 * @returns The median.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function best(
  { more }: Workload,
  outcomes: readonly Outcome[],
  medians: readonly (number | null)[],
  role: Contestant["role"],
): number | null {
  const values = medians.filter((value, i) =>
    value !== null && outcomes[i]!.contestant.role === role
  ) as number[];
  if (values.length === 0) return null;
  return more ? Math.max(...values) : Math.min(...values);
}

function ratio(value: number | null, base: number | null): number | null {
  return value === null || base === null ? null : value / base;
}

function figure(value: number | null): string {
  if (value === null) return "";
  const maximumFractionDigits = value >= 100 ? 0 : value >= 10 ? 1 : 3;
  const rounded = value >= 10_000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en", { maximumFractionDigits });
}

function times(value: number | null): string {
  return value === null ? "" : `${value.toFixed(2)} ×`;
}

/** Figures to the right, words to the left. */
function table(header: string[], rows: string[][]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, i) =>
    Math.max(3, ...lines.map((cells) => cells[i]!.length))
  );
  const line = (cells: string[]) =>
    `| ${
      cells.map((cell, i) =>
        i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    i < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(header), line(rule), ...rows.map(line)];
}

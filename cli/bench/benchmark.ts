/**
 * Runs the scientist benchmark: every workload under every executor, with the
 * results compared.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { wallTime } from "../../executors/runtime/clock.ts";
import { type Aged, takeScientists, type WorkKind } from "./scientists.ts";
import { byOwnClock } from "./node_clocks.ts";
import type { Performance, Strategy, StrategyName } from "./strategies.ts";

/** Options of {@linkcode runBenchmark}. */
export interface BenchmarkOptions {
  /** The version of this package, for the report. */
  readonly version: string;
  readonly kinds: readonly WorkKind[];
  /** The ways to run, in this order; serial is the first, if at all. */
  readonly strategies: readonly Strategy[];
  /** How many records. */
  readonly records: number;
  /** How many workers; `undefined` leaves it to each executor. */
  readonly workers: number | undefined;
  readonly delayMs: number;
  readonly work: number;
  readonly year: number;
  /** Whether the workers say nothing. */
  readonly quiet: boolean;
  /** What begins each line that a worker says. */
  readonly lineStart: string;
  readonly observer?: Observer;
}

/** Hears of the progress. */
export interface Observer {
  /** The runs of a workload begin. */
  workloadStarted?(workload: WorkloadPlan): void;
  /** A run begins. */
  runStarted?(run: RunPlan): void;
  /** One more result is there. */
  recordDone?(): void;
  /** The run that began is over. */
  runEnded?(): void;
  /** All runs of a workload are over. */
  workloadEnded?(workload: WorkloadReport): void;
}

/** The runs that are to come. */
export interface Plan {
  readonly version: string;
  /** Deno's version. */
  readonly deno: string;
  readonly cores: number;
  /** The names of the records. */
  readonly records: readonly string[];
  readonly runs: readonly RunPlan[];
}

/** One kind of work. */
export interface WorkloadPlan {
  readonly kind: WorkKind;
  /** How many records. */
  readonly records: number;
  /** How long a record waits, if that is the work. */
  readonly delayMs?: number;
  /** How many multiplications a record takes, if that is the work. */
  readonly work?: number;
}

/** An executor, and how many records it may work on at a time. */
export interface RunPlan {
  readonly executor: StrategyName;
  readonly workers: number;
}

/** The results of a benchmark. */
export interface Report {
  readonly version: string;
  /** Deno's version. */
  readonly deno: string;
  readonly cores: number;
  readonly workload: readonly WorkloadReport[];
}

/** One kind of work under every executor. */
export interface WorkloadReport extends WorkloadPlan {
  readonly runs: readonly RunReport[];
}

/** One workload under one executor. */
export interface RunReport extends RunPlan {
  /** How long the run took, from before the executor is made until it has been shut down. */
  readonly wallMs: number;
  /** The wall time of serial over this one; `null` if serial did not run. */
  readonly speedup: number | null;
  readonly results: readonly Aged[];
  readonly tasks: readonly TaskReport[];
}

/** One record in one run. */
export interface TaskReport {
  /** The record's name. */
  readonly record: string;
  /** A worker's name, behind that of its node, if it has one; the id of its process; or `"main"`. */
  readonly worker: string;
  /** When the record was begun, from the start of the run. */
  readonly startMs: number;
  /** When the record was done, from the start of the run. */
  readonly endMs: number;
}

/**
 * Tells what {@linkcode runBenchmark} would do.
 *
 * @param options The runs, and how much work they have.
 * @returns All that is known before anything has run.
 */
export function planBenchmark(options: BenchmarkOptions): Plan {
  return {
    version: options.version,
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
    records: takeScientists(options.records).map(({ name }) => name),
    runs: options.strategies.map((strategy) => ({
      executor: strategy.executor,
      workers: strategy.workers(options),
    })),
  };
}

/**
 * Runs every workload under every executor, one after the other.
 *
 * @param options The runs, and how much work they have.
 * @returns How long each run took, and who worked when.
 * @throws {Error} If an executor's results differ from those of the first.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<Report> {
  const { version, deno, cores } = planBenchmark(options);
  const workload: WorkloadReport[] = [];
  for (const kind of options.kinds) {
    workload.push(await runWorkload(kind, options));
  }
  return { version, deno, cores, workload };
}

/**
 * Fails unless two runs of a workload have the same results.
 *
 * @param run One run.
 * @param first The run that it has to equal.
 * @throws {Error} If a result differs; the message says whose and which.
 */
export function assertSameResults(run: RunReport, first: RunReport): void {
  for (const [i, { record }] of first.tasks.entries()) {
    const expected = first.results[i];
    const received = run.results[i];
    if (isDeepStrictEqual(received, expected)) continue;
    throw new Error(
      `Results differ for ${record}: ${first.executor} made ${
        Deno.inspect(expected)
      } of it, ${run.executor} made ${Deno.inspect(received)}`,
    );
  }
}

async function runWorkload(
  kind: WorkKind,
  options: BenchmarkOptions,
): Promise<WorkloadReport> {
  const { records, delayMs, work, strategies, observer } = options;
  const plan = { kind, records, ...(kind === "wait" ? { delayMs } : { work }) };
  observer?.workloadStarted?.(plan);
  const runs: RunReport[] = [];
  for (const strategy of strategies) {
    const { executor } = strategy;
    const workers = strategy.workers(options);
    observer?.runStarted?.({ executor, workers });
    const { wallMs, results, tasks } = await measure(strategy, kind, options);
    observer?.runEnded?.();
    const serialMs = executor === "serial"
      ? wallMs
      : runs.find((run) => run.executor === "serial")?.wallMs;
    const speedup = serialMs === undefined ? null : round(serialMs / wallMs);
    const run = { executor, workers, wallMs, speedup, results, tasks };
    assertSameResults(run, runs[0] ?? run);
    runs.push(run);
  }
  const report = { ...plan, runs };
  observer?.workloadEnded?.(report);
  return report;
}

/**
 * Measures a run for as long as a user would wait: making the executor, starting
 * workers and shutting down included.
 */
async function measure(
  strategy: Strategy,
  kind: WorkKind,
  options: BenchmarkOptions,
): Promise<Pick<RunReport, "wallMs" | "results" | "tasks">> {
  const { delayMs, work, year, quiet, lineStart, observer } = options;
  const workers = strategy.workers(options);
  const records = takeScientists(options.records);
  const task = { kind, delayMs, work, year, quiet, lineStart };
  const performances: Performance[] = [];
  const results: Aged[] = [];
  const begin = wallTime();
  const run = strategy.run(records, workers, task, (performance) => {
    performances[performance.index] = performance;
    observer?.recordDone?.();
  });
  for await (const result of run) results.push(result);
  const wallMs = round(wallTime() - begin);
  return {
    wallMs,
    results,
    tasks: byOwnClock(performances).map((
      { worker, startedAt, endedAt },
      i,
    ) => ({
      record: records[i]!.name,
      worker,
      startMs: round(startedAt - begin),
      endMs: round(endedAt - begin),
    })),
  };
}

/** To microseconds: the clock knows no more. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

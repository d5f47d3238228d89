/**
 * The ways to run the same function over the same records.
 *
 * @module
 */

import { wallTime } from "../../executors/runtime/clock.ts";
import type { Executor } from "../../mod.ts";
import {
  EXECUTOR_IDS,
  type ExecutorId,
  type ExecutorName,
  EXECUTORS,
} from "../executors.ts";
import {
  type Aged,
  type Scientist,
  transform,
  type TransformOptions,
} from "./scientists.ts";

/** The name of a strategy of this machine on the command line. */
export type LocalStrategyId = "serial" | ExecutorId;

/** The name of a strategy on the command line. */
export type StrategyId = LocalStrategyId | "nats";

/** The name of a strategy in the report. */
export type StrategyName = "serial" | ExecutorName | "NatsPoolExecutor";

/** Who worked on a record, and when, in milliseconds since 1970; see {@linkcode wallTime}. */
export interface Performance {
  /** The place of the record in the list. */
  readonly index: number;
  /** A worker's name, the id of its process, or `"main"`. */
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /**
   * The node whose clock tells the times, and when its word came by the clock of
   * this program; see node_clocks.ts.
   */
  readonly heard?: { readonly node: string; readonly at: number };
}

/** The numbers on which that of workers depends. */
export interface Concurrency {
  /** How many records there are. */
  readonly records: number;
  /** How many workers are asked for; `undefined` leaves it to the executor. */
  readonly workers: number | undefined;
}

/** How a workload can be run. */
export interface Strategy {
  readonly executor: StrategyName;
  /** How many records may be worked on at a time. */
  workers(options: Concurrency): number;
  /** Maps the records, in their order; tells of each that is done. */
  run(
    records: readonly Scientist[],
    workers: number,
    options: TransformOptions,
    done: (performance: Performance) => void,
  ): AsyncIterable<Aged>;
}

/**
 * The most places in a promise pool. A place costs next to nothing, so every
 * record gets one, up to the limit of the defaults in Python and in this package.
 */
const MAX_PROMISES = 32;

/** Those of this machine, in the order in which they run: the others are compared to serial. */
export const LOCAL_STRATEGY_IDS: readonly LocalStrategyId[] = [
  "serial",
  ...EXECUTOR_IDS,
];

/** All names on the command line, in the order in which they run. */
export const STRATEGY_IDS: readonly StrategyId[] = [
  ...LOCAL_STRATEGY_IDS,
  "nats",
];

/**
 * Makes a strategy of this machine.
 *
 * @param id Its name on the command line.
 */
export function localStrategy(id: LocalStrategyId): Strategy {
  if (id === "serial") {
    return {
      executor: "serial",
      workers: () => 1,
      run: (records, _workers, options, done) =>
        runSerial(records, options, done),
    };
  }
  const { executor, worker, workers: byDefault, open } = EXECUTORS[id];
  return {
    executor,
    workers: ({ workers, records }) =>
      workers ??
        (worker === "promise" ? Math.min(records, MAX_PROMISES) : byDefault),
    run: (records, maxWorkers, options, done) =>
      runPool(
        open({ maxWorkers }),
        records,
        { ...options, inProcess: worker === "process" },
        done,
      ),
  };
}

/** Maps in a plain loop, as `records.map(…)` would begin all records at once. */
async function* runSerial(
  records: readonly Scientist[],
  options: TransformOptions,
  done: (performance: Performance) => void,
): AsyncGenerator<Aged> {
  for (const [index, record] of records.entries()) {
    const startedAt = wallTime();
    const result = await transform(record, options);
    done({ index, worker: "main", startedAt, endedAt: wallTime() });
    yield result;
  }
}

/**
 * Maps with an executor: the same two lines for each.
 *
 * @param executor The executor, which is shut down.
 * @param records The records.
 * @param options What is done with each.
 * @param done Told of each that is done.
 */
export async function* runPool(
  executor: Executor,
  records: readonly Scientist[],
  options: TransformOptions,
  done: (performance: Performance) => void,
): AsyncGenerator<Aged> {
  await using pool = executor;
  pool.addEventListener("task", ({ index, worker, started, ended }) => {
    if (worker === undefined || started === undefined) return;
    const { pid } = pool.stats().workers.find(({ name }) => name === worker) ??
      {};
    done({
      index,
      worker: pid === undefined ? worker : String(pid),
      startedAt: started,
      endedAt: ended,
    });
  });
  yield* pool.map(transform, records, records.map(() => options));
}

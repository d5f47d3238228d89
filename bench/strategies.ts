/**
 * The ways to run the same function over the same records.
 *
 * @module
 */

import {
  type Executor,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../mod.ts";
import {
  type Scientist,
  type Timed,
  timedTransform,
  type TransformOptions,
} from "./scientists.ts";

/** What the command line calls an executor. */
export type ExecutorId = "serial" | "promise" | "worker";

/** What the report calls an executor. */
export type ExecutorName =
  | "serial"
  | "PromisePoolExecutor"
  | "WorkerPoolExecutor";

/** What the number of workers depends on. */
export interface Concurrency {
  /** How many records there are. */
  readonly records: number;
  /** How many workers are asked for; `undefined` leaves it to the executor. */
  readonly workers: number | undefined;
}

/** How a workload can be run. */
export interface Strategy {
  readonly id: ExecutorId;
  readonly executor: ExecutorName;
  /** How many records may be worked on at a time. */
  workers(options: Concurrency): number;
  /** The results in the order of the records. */
  run(
    records: readonly Scientist[],
    workers: number,
    options: TransformOptions,
  ): AsyncIterable<Timed>;
}

/**
 * A place in a promise pool costs next to nothing, so every record gets one, up
 * to the limit that Python and this package have for their defaults.
 */
const MAX_PROMISES = 32;

/** In the order in which they run: serial is what the others are compared to. */
export const STRATEGIES: readonly Strategy[] = [
  {
    id: "serial",
    executor: "serial",
    workers: () => 1,
    run: (records, _workers, options) => runSerial(records, options),
  },
  {
    id: "promise",
    executor: "PromisePoolExecutor",
    workers: ({ workers, records }) =>
      workers ?? Math.min(records, MAX_PROMISES),
    run: (records, maxWorkers, options) =>
      runPool(new PromisePoolExecutor({ maxWorkers }), records, options),
  },
  {
    id: "worker",
    executor: "WorkerPoolExecutor",
    workers: ({ workers }) => workers ?? navigator.hardwareConcurrency,
    run: (records, maxWorkers, options) =>
      runPool(new WorkerPoolExecutor({ maxWorkers }), records, options),
  },
];

/** What the command line calls the executors, in the order in which they run. */
export const EXECUTOR_IDS: readonly ExecutorId[] = STRATEGIES.map(({ id }) =>
  id
);

/** A plain map. Not `records.map(…)`, which would begin all of them at once. */
async function* runSerial(
  records: readonly Scientist[],
  options: TransformOptions,
): AsyncGenerator<Timed> {
  for (const record of records) yield await timedTransform(record, options);
}

/** The two lines, whichever the executor. */
async function* runPool(
  executor: Executor,
  records: readonly Scientist[],
  options: TransformOptions,
): AsyncGenerator<Timed> {
  await using pool = executor;
  yield* pool.map(timedTransform, records, records.map(() => options));
}

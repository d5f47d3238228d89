/**
 * The executors that the command line can use: the one table of them, from
 * which `futures map` and `futures bench` derive theirs.
 *
 * @module
 */

import {
  type Executor,
  type InitializerOptions,
  ProcessPoolExecutor,
  PromisePoolExecutor,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
} from "../mod.ts";

/**
 * The options of an executor of the table. Executors without workers ignore
 * those that they do not have.
 */
export interface ExecutorOptions extends
  InitializerOptions,
  Pick<
    WorkerPoolExecutorOptions,
    "idleTimeout" | "startTimeout" | "gracePeriod"
  > {
  readonly maxWorkers: number;
}

/** What the command line knows of an executor. */
export interface ExecutorChoice {
  /** The name of the executor in reports. */
  readonly executor: string;
  /** The kind of its workers. */
  readonly worker: "promise" | "thread" | "process";
  /** How many workers the executor has by default. */
  readonly workers: number;
  /**
   * Whether a task that is out of time makes room for others. A promise cannot
   * be stopped, and would keep its place.
   */
  readonly stopsTasks: boolean;
  open(options: ExecutorOptions): Executor;
}

const CORES = navigator.hardwareConcurrency;

/**
 * The executors by their names on the command line; the more a worker has of
 * its own, the later.
 */
export const EXECUTORS = {
  promise: {
    executor: "PromisePoolExecutor",
    worker: "promise",
    // The default of PromisePoolExecutor.
    workers: Math.min(32, CORES + 4),
    stopsTasks: false,
    open: (options) => new PromisePoolExecutor(options),
  },
  worker: {
    executor: "WorkerPoolExecutor",
    worker: "thread",
    workers: CORES,
    stopsTasks: true,
    open: (options) => new WorkerPoolExecutor(options),
  },
  process: {
    executor: "ProcessPoolExecutor",
    worker: "process",
    workers: CORES,
    stopsTasks: true,
    open: (options) => new ProcessPoolExecutor(options),
  },
} as const satisfies Record<string, ExecutorChoice>;

/** The name of an executor on the command line. */
export type ExecutorId = keyof typeof EXECUTORS;

/** The name of an executor in reports. */
export type ExecutorName = (typeof EXECUTORS)[ExecutorId]["executor"];

/** The names on the command line, in the order of the table. */
export const EXECUTOR_IDS = Object.keys(EXECUTORS) as readonly ExecutorId[];

/** The same, those first that can stop a call that hangs; the first is the default. */
export const BY_STOPPING: readonly ExecutorId[] = EXECUTOR_IDS.toSorted((
  a,
  b,
) => Number(EXECUTORS[b].stopsTasks) - Number(EXECUTORS[a].stopsTasks));

/** How many workers an executor has by default, for the help. */
export const DEFAULT_WORKERS = "one per core, with promises 4 more";

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
 * What an executor of the table is opened with. What only executors with
 * workers understand, the others leave unread.
 */
export interface ExecutorOptions
  extends
    InitializerOptions,
    Pick<WorkerPoolExecutorOptions, "startTimeout" | "gracePeriod"> {
  readonly maxWorkers: number;
}

/** What the command line knows of an executor. */
export interface ExecutorChoice {
  /** What reports call it. */
  readonly executor: string;
  /** What makes its calls. */
  readonly worker: "promise" | "thread" | "process";
  /** How many workers it has unless told otherwise. */
  readonly workers: number;
  /**
   * Whether a task that is out of time makes room for others. A promise cannot
   * be stopped, and would keep its place.
   */
  readonly stopsTasks: boolean;
  open(options: ExecutorOptions): Executor;
}

const CORES = navigator.hardwareConcurrency;

/** Each by its name on the command line; the more of its own a worker has, the later. */
export const EXECUTORS = {
  promise: {
    executor: "PromisePoolExecutor",
    worker: "promise",
    // As PromisePoolExecutor has it.
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

/** What the command line calls an executor. */
export type ExecutorId = keyof typeof EXECUTORS;

/** What reports call an executor. */
export type ExecutorName = (typeof EXECUTORS)[ExecutorId]["executor"];

/** The names on the command line, in the order of the table. */
export const EXECUTOR_IDS = Object.keys(EXECUTORS) as readonly ExecutorId[];

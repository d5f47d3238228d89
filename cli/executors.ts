/**
 * The executors that `futures map` can use.
 *
 * @module
 */

import {
  type Executor,
  type InitializerOptions,
  ProcessPoolExecutor,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../mod.ts";

/** What the executors of the table have in common. */
export interface ExecutorOptions extends InitializerOptions {
  readonly maxWorkers: number;
}

/** An executor by its name on the command line. */
export interface ExecutorChoice {
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

/** For functions that know nothing of this package. */
const STRANGERS = {
  // A module may load a model of gigabytes.
  startTimeout: Infinity,
  // They do not know that they are to stop.
  gracePeriod: 0,
};

/** All there are; the first one is the default. */
export const EXECUTORS: ReadonlyMap<string, ExecutorChoice> = new Map<
  string,
  ExecutorChoice
>([
  ["worker", {
    workers: CORES,
    stopsTasks: true,
    open: (options) => new WorkerPoolExecutor({ ...options, ...STRANGERS }),
  }],
  ["process", {
    workers: CORES,
    stopsTasks: true,
    open: (options) => new ProcessPoolExecutor({ ...options, ...STRANGERS }),
  }],
  ["promise", {
    // As PromisePoolExecutor has it.
    workers: Math.min(32, CORES + 4),
    stopsTasks: false,
    open: (options) => new PromisePoolExecutor(options),
  }],
]);

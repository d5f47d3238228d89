/**
 * The executors that `futures map` can use.
 *
 * @module
 */

import {
  type Executor,
  type InitializerOptions,
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

/** All there are; the first one is the default. */
export const EXECUTORS: ReadonlyMap<string, ExecutorChoice> = new Map<
  string,
  ExecutorChoice
>([
  ["worker", {
    workers: CORES,
    stopsTasks: true,
    open: (options) =>
      new WorkerPoolExecutor({
        ...options,
        // A module may load a model of gigabytes.
        startTimeout: Infinity,
        // A function that knows nothing of this package does not know that it
        // is to stop.
        gracePeriod: 0,
      }),
  }],
  ["promise", {
    // As PromisePoolExecutor has it.
    workers: Math.min(32, CORES + 4),
    stopsTasks: false,
    open: (options) => new PromisePoolExecutor(options),
  }],
]);

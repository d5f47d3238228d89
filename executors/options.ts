/**
 * Options that all executors have, or many of them, and those of a shutdown.
 *
 * @module
 */

import type { Rate } from "./job/rate.ts";

/** Options of {@linkcode Executor.shutdown}. */
export interface ShutdownOptions {
  /**
   * Whether to wait until all work has ended and every resource is freed.
   *
   * @default {true}
   */
  wait?: boolean;
  /**
   * Whether to cancel what has not started.
   *
   * @default {false}
   */
  cancelFutures?: boolean;
  /**
   * After how many milliseconds what is left ends as by `terminate()`; of several
   * calls of `shutdown()`, the earliest end counts.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/** Options of all executors. */
export interface ExecutorOptions {
  /**
   * How many calls may be pending before {@linkcode Executor.ready} waits, an
   * integer of at least 1, or `Infinity`.
   *
   * @default {Infinity}
   */
  highWaterMark?: number;
  /** How many calls begin within any span of time; without, as many as there is room for. */
  rate?: Rate;
}

/** Options of executors that have an initializer. */
export interface InitializerOptions {
  /**
   * Called before the first task: once in the promise pool, once in each
   * worker elsewhere. If it throws, the executor is broken.
   */
  // deno-lint-ignore no-explicit-any
  initializer?: (...args: any[]) => unknown;
  /** The arguments of the initializer. */
  initArgs?: readonly unknown[];
}

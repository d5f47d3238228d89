/**
 * Where `futures map` has blocks of lines mapped: here, by an executor of this
 * program.
 *
 * @module
 */

import { BrokenExecutorError, type Future } from "../mod.ts";
import type { ExecutorChoice } from "./executors.ts";
import type { BlockOptions, BlockResult } from "./map_block.ts";
import { loadFunction, mapBlock } from "./map_tasks.ts";
import type { ModuleAddress } from "./module_address.ts";

/** What has the function, and makes its calls. */
export interface MapPlace extends AsyncDisposable {
  /** Has the function called on a block. */
  submit(
    limits: { readonly timeout: number },
    text: string,
    options: BlockOptions,
  ): Future<BlockResult>;
  /** Whether a task that is out of time makes room for others. */
  readonly stopsTasks: boolean;
  /** How many blocks are worked on at a time, now. */
  workers(): number;
  /** Why there is no result for any block, in words for the user of the program. */
  reasonOf(error: unknown): unknown;
}

/** Options for functions that know nothing of this package. */
const STRANGERS = {
  // A module may load a model of gigabytes.
  startTimeout: Infinity,
  // Such a function does not know that it is to stop.
  gracePeriod: 0,
};

/**
 * Opens an executor of this program.
 *
 * @param address The function.
 * @param choice The executor.
 * @param maxWorkers How many workers it has.
 */
export function openHere(
  { url, name, shown }: ModuleAddress,
  choice: ExecutorChoice,
  maxWorkers: number,
): MapPlace {
  const executor = choice.open({
    ...STRANGERS,
    maxWorkers,
    initializer: loadFunction,
    initArgs: [url, name, shown],
  });
  return {
    submit: (limits, ...block) =>
      executor.submitWith(limits, mapBlock, ...block),
    stopsTasks: choice.stopsTasks,
    workers: () => maxWorkers,
    // The initializer has failed, and says why.
    reasonOf: (error) =>
      error instanceof BrokenExecutorError ? error.cause ?? error : error,
    // What still runs is left.
    [Symbol.asyncDispose]: () =>
      executor.shutdown({ wait: false, cancelFutures: true }),
  };
}

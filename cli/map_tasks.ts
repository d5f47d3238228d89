/**
 * The tasks of `futures map`: a worker loads the function, and calls it on blocks
 * of lines.
 *
 * The function of the user knows nothing of this package, so that the tasks are
 * here.
 *
 * @module
 */

import { task } from "../mod.ts";
import { sayOnStderr } from "./function_output.ts";
import {
  type BlockOptions,
  type BlockResult,
  callOnBlock,
  type LineFunction,
  loadLineFunction,
} from "./map_block.ts";

/** The function of the user: one in each program. */
let mapped: LineFunction | undefined;

/** Loads the function; to be called before {@linkcode mapBlock}. */
export const loadFunction: (
  url: string,
  name: string,
  shown: string,
) => Promise<void> = task(
  import.meta,
  async function loadFunction(
    url: string,
    name: string,
    shown: string,
  ): Promise<void> {
    // Output of the function must not get between its results.
    sayOnStderr();
    mapped = await loadLineFunction(() => import(url), name, shown);
  },
);

/** Calls the function on each line of a block; each line ends with a line feed. */
export const mapBlock: (
  text: string,
  options: BlockOptions,
) => Promise<BlockResult> = task(
  import.meta,
  function mapBlock(text: string, options: BlockOptions): Promise<BlockResult> {
    return callOnBlock(mapped!, text, options);
  },
);

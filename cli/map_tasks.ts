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
  describe,
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

/** A function that comes with its blocks, as its module is on another machine. */
export interface SentFunction {
  /** The text of the module. */
  readonly source: string;
  readonly name: string;
  readonly shown: string;
}

/** Imports a module that has no address, by its text. */
async function importText(
  source: string,
  shown: string,
): Promise<Record<string, unknown>> {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  try {
    return await import(url);
  } catch (error) {
    throw new Error(describe(error).message.replaceAll(url, shown));
  }
}

/** The functions that have come here, by their modules and names. */
const sent = new Map<string, Promise<LineFunction>>();

/** Calls a function that comes along on each line of a block. */
export const mapSentBlock: (
  fn: SentFunction,
  text: string,
  options: BlockOptions,
) => Promise<BlockResult> = task(
  import.meta,
  async function mapSentBlock(
    { source, name, shown }: SentFunction,
    text: string,
    options: BlockOptions,
  ): Promise<BlockResult> {
    const key = `${name}\n${source}`;
    let fn = sent.get(key);
    if (fn === undefined) {
      const load = () => importText(source, shown);
      sent.set(key, fn = loadLineFunction(load, name, shown));
    }
    return callOnBlock(await fn, text, options);
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

/**
 * Has `futures map` map blocks of lines on the nodes of a NATS pool. Only `--on`
 * loads this module.
 *
 * Nodes have no initializer that could load the function. So a module is made
 * for them, for one run, with a task that loads the function and calls it on a
 * block. It travels as the modules of all tasks do, in a bundle. The module of
 * the user is bundled before, where its own project explains what it imports.
 *
 * A compiled program cannot bundle. Its nodes are the same program, and so have
 * a task that does the same; the text of the user's module goes with each block.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { bundleOf } from "../executors/nats/code/bundle.ts";
import {
  type NatsConnectionOptions,
  NatsPoolExecutor,
} from "../executors/nats/mod.ts";
import { task, TaskNotFoundError } from "../mod.ts";
import { CommandError } from "./command.ts";
import { type BlockOptions, type BlockResult, describe } from "./map_block.ts";
import type { MapPlace } from "./map_place.ts";
import { mapSentBlock } from "./map_tasks.ts";
import type { ModuleAddress } from "./module_address.ts";

/** What a node cannot do that is another program than this one, which is compiled. */
const NO_FUTURES =
  "a node is no futures serve, and does not know how to map lines: start nodes with that, or run cli.ts with Deno";

/** The name of the bundle of the user's module. */
const FUNCTION = "function.js";

/**
 * Opens a pool of nodes.
 *
 * @param address The function.
 * @param options Where the server is, and who connects.
 * @throws {CommandError} If functions cannot be sent from here.
 */
export async function openOnNodes(
  address: ModuleAddress,
  options: NatsConnectionOptions,
): Promise<MapPlace> {
  const executor = new NatsPoolExecutor(options);
  return {
    submit: Deno.build.standalone
      ? await sendingText(executor, address)
      : await sendingBundle(executor, address),
    // A worker of a node that does not stop is closed.
    stopsTasks: true,
    workers: () => executor.maxWorkers,
    reasonOf: (error) =>
      error instanceof TaskNotFoundError ? new Error(NO_FUTURES) : error,
    [Symbol.asyncDispose]: () => executor.terminate(),
  };
}

/** What has a module bundled, and its function called on nodes. */
async function sendingBundle(
  executor: NatsPoolExecutor,
  address: ModuleAddress,
): Promise<MapPlace["submit"]> {
  const mapBlock = task(
    { url: await bundle(address) },
    "mapBlock",
    (_text: string, _options: BlockOptions): Promise<BlockResult> => {
      throw new Error("This function is on the nodes");
    },
  );
  return (limits, ...block) => executor.submitWith(limits, mapBlock, ...block);
}

/** What has the text of a module sent, and its function called on nodes. */
async function sendingText(
  executor: NatsPoolExecutor,
  { url, name, shown }: ModuleAddress,
): Promise<MapPlace["submit"]> {
  const source = await readText(url, shown);
  const fn = { source, name, shown };
  return (limits, ...block) =>
    executor.submitWith(limits, mapSentBlock, fn, ...block);
}

async function readText(url: string, shown: string): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(url));
  } catch (error) {
    throw new CommandError(`cannot load ${shown}: ${describe(error).message}`);
  }
}

/**
 * Makes the module, and its bundle, which this program has from then on: the
 * files are not needed any more.
 *
 * @returns The address of the module.
 */
async function bundle(address: ModuleAddress): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "futures-" });
  const module = `${folder}/lines.js`;
  try {
    if (address.url.startsWith("file:")) {
      const { bytes } = await bundleOf(address.url);
      await Deno.writeFile(`${folder}/${FUNCTION}`, bytes);
    }
    await Deno.writeTextFile(module, writeModule(address));
    const { href } = pathToFileURL(module);
    await bundleOf(href);
    return href;
  } catch (error) {
    if (!(error instanceof TaskNotFoundError)) throw error;
    throw new CommandError(error.message);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Imports the function when a block asks for it: a module that throws is to say so there. */
function writeModule({ url, name, shown }: ModuleAddress): string {
  const quote = JSON.stringify;
  const module = url.startsWith("file:") ? `./${FUNCTION}` : url;
  const library = (path: string) => quote(import.meta.resolve(path));
  return `\
import { task } from ${library("../executors/task.ts")};
import { callOnBlock, loadLineFunction } from ${library("./map_block.ts")};

let mapped;

export const mapBlock = task(import.meta, "mapBlock", async (text, options) => {
  mapped ??= loadLineFunction(
    () => import(${quote(module)}),
    ${quote(name)},
    ${quote(shown)},
  );
  return await callOnBlock(await mapped, text, options);
});
`;
}

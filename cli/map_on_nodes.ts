/**
 * Has `futures map` map blocks of lines on the nodes of a NATS pool. Only this
 * module and what it imports later know of NATS, and only `--on` loads it.
 *
 * Nodes have no initializer that could load the function. So there is a module
 * for them, which has the function and what calls it on a block: it is made
 * here, for one run, and bundled as the module of any task is.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { NatsPoolExecutor } from "../executors/nats/mod.ts";
import type { NatsConnectionOptions } from "../executors/nats/mod.ts";
import { task } from "../mod.ts";
import { CommandError } from "./command.ts";
import type { MapPlace } from "./map_place.ts";
import type { ModuleAddress } from "./module_address.ts";

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
  if (Deno.build.standalone) {
    throw new CommandError(
      "--on needs Deno, which bundles the function: a compiled program has none; run cli.ts",
    );
  }
  const folder = await Deno.makeTempDir({ prefix: "futures-" });
  const module = `${folder}/lines.js`;
  await Deno.writeTextFile(module, writeModule(address));
  const executor = new NatsPoolExecutor(options);
  return {
    executor,
    mapBlock: task(
      { url: pathToFileURL(module).href },
      "mapBlock",
      (): Promise<never> => {
        throw new Error("This function is on the nodes");
      },
    ),
    // A worker of a node that does not stop is closed.
    stopsTasks: true,
    workers: () => executor.maxWorkers,
    reasonOf: (error) => error,
    async [Symbol.asyncDispose]() {
      await executor.terminate();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Imports the function when a block asks for it: a module that throws is to say so there. */
function writeModule({ url, name, shown }: ModuleAddress): string {
  const quote = JSON.stringify;
  return `\
import { callOnBlock, loadLineFunction } from ${
    quote(import.meta.resolve("./map_block.ts"))
  };

let mapped;

export async function mapBlock(text, options) {
  mapped ??= loadLineFunction(
    () => import(${quote(url)}),
    ${quote(name)},
    ${quote(shown)},
  );
  return await callOnBlock(await mapped, text, options);
}
`;
}

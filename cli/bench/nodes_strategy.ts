/**
 * Runs the benchmark on the nodes of a NATS pool. Only `--on` loads this module.
 *
 * @module
 */

import { wallTime } from "../../executors/runtime/clock.ts";
import {
  type NatsConnectionOptions,
  NatsPoolExecutor,
} from "../../executors/nats/mod.ts";
import { printable } from "../../executors/text.ts";
import { TaskNotFoundError } from "../../mod.ts";
import { CommandError, FAILED_STATUS } from "../command.ts";
import { describe } from "../map_block.ts";
import type { ServerChoice } from "../nats_options.ts";
import type { Aged, Scientist, TransformOptions } from "./scientists.ts";
import { type Performance, runPool, type Strategy } from "./strategies.ts";

/**
 * Makes the strategy, once nodes have said how many workers they have.
 *
 * @param choice The pool.
 * @throws {CommandError} If the server cannot be used, or nobody serves the pool.
 */
export async function nodesStrategy(choice: ServerChoice): Promise<Strategy> {
  const workers = await countWorkers(choice);
  return {
    executor: "NatsPoolExecutor",
    workers: () => workers,
    run: (records, _workers, options, done) =>
      runOnNodes(choice, records, options, done),
  };
}

async function countWorkers(
  { options, server, pool }: ServerChoice,
): Promise<number> {
  await using executor = new NatsPoolExecutor(options);
  const nodes = await executor.nodes().catch((error) => {
    throw new CommandError(describe(error).message, FAILED_STATUS);
  });
  if (nodes.length > 0) {
    return nodes.reduce((sum, { workers }) => sum + workers, 0);
  }
  throw new CommandError(
    `no node serves the pool ${pool} at ${server}: start one with ${
      serveCommand(options, server)
    }`,
    FAILED_STATUS,
  );
}

async function* runOnNodes(
  { options: connection, server }: ServerChoice,
  records: readonly Scientist[],
  options: TransformOptions,
  done: (performance: Performance) => void,
): AsyncGenerator<Aged> {
  // What a node says would be read by whoever has started it.
  const quiet = { ...options, quiet: true };
  const executor = new NatsPoolExecutor(connection);
  try {
    yield* runPool(executor, records, quiet, (performance) => {
      const worker = printable(performance.worker);
      const node = worker.slice(0, worker.lastIndexOf("/"));
      done({ ...performance, worker, heard: { node, at: wallTime() } });
    });
  } catch (error) {
    if (!(error instanceof TaskNotFoundError)) throw error;
    // A compiled program sends the name of a function, which other programs do
    // not know; else it could not be bundled.
    throw new CommandError(
      Deno.build.standalone
        ? `a node has not got the functions of the benchmark: start nodes with this program, ${
          serveCommand(connection, server)
        }`
        : error.message,
      FAILED_STATUS,
    );
  }
}

function serveCommand({ pool }: NatsConnectionOptions, server: string): string {
  return `futures serve ${server}${
    pool === undefined || pool === "default" ? "" : ` --pool ${pool}`
  }`;
}

/**
 * `futures nodes`: who serves a NATS pool, and what waits for them.
 *
 * @module
 */

import {
  type Command,
  command,
  CommandError,
  FAILED_STATUS,
} from "./command.ts";
import { describe } from "./map_block.ts";
import { chooseServer, CONNECTION } from "./nats_options.ts";
import {
  formatPool,
  type PoolAddress,
  type PoolReport,
} from "./nodes_table.ts";
import { flag, type Values } from "./options.ts";
import { CLEAR_SCREEN } from "./text.ts";

/** How often `--watch` looks, in milliseconds: nodes say how they are about as often. */
const WATCH_MS = 1000;

const OPTIONS = {
  json: flag("print an object in a line, { nodes, pending, redelivered }"),
  watch: flag("look again every second, until Ctrl-C"),
  ...CONNECTION,
};

/** `futures nodes` */
export const NODES: Command = command({
  name: "nodes",
  operands: "URL",
  choices: () => [],
  summary: "list the machines that serve a NATS pool, and how busy they are",
  description: [
    "Lists the nodes that serve a pool of the NATS server at the URL, and how many messages wait for them. A message has one task or several; programs keep most of theirs until workers are free. One that is redelivered was with another node before.",
    "Exit status: 0, also if there is no node; 1 if the server cannot be asked; 2 if the arguments make no sense.",
  ],
  options: OPTIONS,
  run: ({ values, operands }) => showNodes(values, operands),
});

async function showNodes(
  values: Values<typeof OPTIONS>,
  [url, extra]: readonly string[],
): Promise<number> {
  if (url === undefined || extra !== undefined) {
    throw new CommandError(
      "nodes takes the URL of a NATS server: futures nodes nats://10.0.0.5:4222",
    );
  }
  const { json, watch } = values;
  const { options, ...address } = await chooseServer(url, values);
  const [{ NatsPoolExecutor }, { TaskQueue }] = await Promise.all([
    import("../executors/nats/mod.ts"),
    import("./task_queue.ts"),
  ]);
  await using pool = new NatsPoolExecutor(options);
  await using queue = new TaskQueue(options);
  const look = async (): Promise<PoolReport> => {
    try {
      const [nodes, length] = await Promise.all([pool.nodes(), queue.length()]);
      return { nodes, ...length };
    } catch (error) {
      throw new CommandError(describe(error).message, FAILED_STATUS);
    }
  };
  const show = json
    ? (report: PoolReport) => console.log(JSON.stringify(report))
    : screen(address, watch);
  show(await look());
  while (watch) {
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    show(await look());
  }
  return 0;
}

/** Shows text: on a terminal that is watched, one in place of the other. */
function screen(
  address: PoolAddress,
  watch: boolean,
): (report: PoolReport) => void {
  const isTerminal = Deno.stdout.isTerminal();
  const style = { color: isTerminal && !Deno.noColor };
  const begin = watch && isTerminal ? CLEAR_SCREEN : "";
  const end = watch && !isTerminal ? "\n" : "";
  return (report) => {
    const text = formatPool(report, address, { now: Date.now(), ...style });
    console.log(begin + text + end);
  };
}

/**
 * `futures serve`: has this machine make calls for the programs that share a
 * NATS pool.
 *
 * @module
 */

import {
  type Command,
  command,
  CommandError,
  FAILED_STATUS,
  say,
} from "./command.ts";
import { BY_STOPPING, DEFAULT_WORKERS, EXECUTORS } from "./executors.ts";
import { Interrupt } from "./interrupt.ts";
import { describe } from "./map_block.ts";
import { chooseServer, CONNECTION } from "./nats_options.ts";
import { choice, integer, option, path, type Values } from "./options.ts";

/** What asks a program to end; Windows has no TERM. */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** So long a name may be. */
const MAX_NAME = 100;

/** A worker without work is closed after so long, in milliseconds: more may come, and needs what it has loaded. */
const IDLE_MS = 60_000;

const OPTIONS = {
  executor: option({
    ...choice("NAME", BY_STOPPING),
    help:
      "what makes the calls: worker for what computes, process for what may have to be killed, promise for what waits",
  }),
  workers: option<number | undefined>({
    ...integer("N", 1),
    help: "how many calls are made at a time",
    default: undefined,
    defaultText: DEFAULT_WORKERS,
  }),
  name: option<string | undefined>({
    help: "what the node is called",
    placeholder: "NAME",
    wanted: `1 to ${MAX_NAME} characters`,
    default: undefined,
    defaultText: "the machine's, and four letters",
    read: (text) => text.length <= MAX_NAME && text || undefined,
  }),
  ...CONNECTION,
  preload: option({
    ...path("FILE"),
    help:
      "a module whose tasks are found here by their names, for clients that are compiled programs",
  }),
  cache: option({
    ...path("DIR"),
    help: "where functions are kept, rather than with the caches of the user",
  }),
  "drain-timeout": option({
    help: "how many milliseconds what runs may take when the node is to end",
    placeholder: "MS",
    wanted: "a number of milliseconds, at least 0",
    default: 30_000,
    defaultText: "30000",
    read: (text) => /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined,
  }),
};

/** `futures serve` */
export const SERVE: Command = command({
  name: "serve",
  operands: "URL",
  choices: () => [],
  summary: "make calls here for the programs that share a NATS pool",
  description: [
    "Connects to the NATS server at the URL, and makes calls for programs whose NatsPoolExecutor uses the same pool, until it is told to end. Any number of machines may do so, and come and go.",
    "Whoever may submit to the pool runs code here, as the user who has started this. A password in the URL can be seen by other users of the machine; one in a file cannot.",
    "Ctrl-C, or TERM, once: takes nothing more, gives back what has not begun, and ends when the rest has. Twice: leaves at once, and the rest begins anew elsewhere.",
    "Exit status: 0; 1 if calls that ran had to be given back, or if it cannot go on; 2 if the arguments make no sense; 130 after the second Ctrl-C.",
  ],
  options: OPTIONS,
  run: ({ values, operands }) => serve(values, operands),
});

async function serve(
  values: Values<typeof OPTIONS>,
  [url, extra]: readonly string[],
): Promise<number> {
  if (url === undefined || extra !== undefined) {
    throw new CommandError(
      "serve takes the URL of a NATS server: futures serve nats://10.0.0.5:4222",
    );
  }
  const { name, preload, cache } = values;
  const { options, server, pool } = await chooseServer(url, values);
  const { servePool } = await import("../executors/nats/mod.ts");
  const choice = EXECUTORS[values.executor];
  const workers = values.workers ?? choice.workers;
  const executor = choice.open({ maxWorkers: workers, idleTimeout: IDLE_MS });
  const served = await possible(servePool({
    ...options,
    executor,
    drainTimeout: values["drain-timeout"],
    ...name === undefined ? {} : { name },
    ...preload === undefined ? {} : { preload },
    ...cache === undefined ? {} : { cache },
  }));
  using _interrupt = new Interrupt(() => void served.drain(), STOP_SIGNALS);
  console.log(
    `${served.name} serves the pool ${pool} at ${server} with ${
      count(workers, choice.worker)
    }`,
  );
  const { givenBack } = await possible(served.finished);
  // What was given back may still run, and nobody waits for it.
  await executor.shutdown({ wait: false, cancelFutures: true });
  if (givenBack === 0) return 0;
  say(`gave ${count(givenBack, "call")} back, to begin anew elsewhere`);
  return FAILED_STATUS;
}

/** Has a command fail with the message of an error, which says what to do. */
async function possible<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new CommandError(describe(error).message, FAILED_STATUS);
  }
}

function count(number: number, one: string): string {
  const plural = one === "process" ? "processes" : `${one}s`;
  return `${number} ${number === 1 ? one : plural}`;
}

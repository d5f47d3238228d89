// The behaviours of all executors, over NATS: a pool for each, which one node
// serves with threads, and one server for all.
//
// Not among them are files about the life of workers, about initializers, and
// about how threads and processes talk: of these a client sees nothing.

import { assertEquals } from "@std/assert";
import {
  NatsPoolExecutor,
  type ServedPool,
  servePool,
} from "../../../executors/nats/mod.ts";
import {
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
} from "../../../mod.ts";
import { type CommonOptions, KINDS } from "../helpers/harness.ts";
import { WORKER_KINDS } from "../helpers/worker_harness.ts";
import { HAS_NATS, NatsServer } from "./nats_server.ts";

const FILES = [
  "abort",
  "as_completed",
  "crash",
  "current_task",
  "deep_values",
  "errors",
  "executor_model",
  "for_each",
  "function_names",
  "hostile_errors",
  "map_array",
  "map_buffer",
  "map_closed",
  "map_input",
  "map_item_timeout",
  "map_iterable",
  "map_model",
  "map_options",
  "map_order",
  "map_progress",
  "map_promises",
  "map_retry",
  "map_settled",
  "map_unread",
  "map",
  "method_functions",
  "plain_function",
  "plain_outside",
  "platform_values",
  "reentrancy",
  "reports",
  "revoked_proxy",
  "shutdown",
  "stats",
  "stopping",
  "submission",
  "submit",
  "submit_with",
  "task_error",
  "task_timeout",
  "terminate",
  "transfer",
  "values",
  "wait",
];

/** Behaviours that are otherwise here, as design and documentation say. */
const OTHERWISE = new Set([
  // What a node has counts as running, whatever its workers are at.
  "cancel() in a done callback of a crashed task reaches what its worker had not entered",
  "shutdown() with cancelFutures in a done callback of a crashed task reaches what its worker had not entered",
  "terminate() in a done callback of a crashed task reaches what its worker had not entered",
  "with an endless gracePeriod a task that ignores its signal keeps its worker",
  // Workers are named after their node.
  "a task that was stopped has an event with its worker",
]);

/** The options that the pool has, or the executor of its node. */
const OFFERED = new Set(["maxWorkers", "gracePeriod"]);

/** A behaviour needs an option that is not offered. */
class NotOffered extends Error {}

const NAME = "NatsPoolExecutor";
const server = HAS_NATS ? await NatsServer.start() : undefined;

/** Pools that nobody uses: to make a new one for each test would take longer, and more room than a server has. */
const free: string[] = [];
let pools = 0;

/** All that closes. */
const closing: Promise<void>[] = [];

/** A client and a node, which have a pool for themselves. */
class Pool extends NatsPoolExecutor {
  readonly #pool: string;
  readonly #executor: WorkerPoolExecutor;
  readonly #node: Promise<ServedPool>;

  constructor(options: WorkerPoolExecutorOptions = {}) {
    for (const name in options) {
      if (!OFFERED.has(name)) throw new NotOffered(name);
    }
    const servers = server!.url;
    const pool = free.pop() ?? `pool-${++pools}`;
    super({ servers, pool });
    this.#pool = pool;
    // As that which a node has by itself, it keeps its workers.
    const executor = new WorkerPoolExecutor({
      idleTimeout: 60_000,
      ...options,
    });
    this.#executor = executor;
    const cache = `${server!.folder}/cache`;
    this.#node = servePool({ servers, pool, executor, cache });
  }

  protected override close(cancelFutures: boolean): Promise<void> {
    const closed = this.#close(cancelFutures);
    closing.push(closed);
    return closed;
  }

  async #close(cancelFutures: boolean): Promise<void> {
    await super.close(cancelFutures);
    await (await this.#node).drain();
    await this.#executor.shutdown();
    if (!free.includes(this.#pool)) free.push(this.#pool);
  }
}

const make = (options?: CommonOptions) => new Pool(options);
KINDS.splice(0, Infinity, { name: NAME, exact: false, make });
WORKER_KINDS.splice(0, Infinity, { name: NAME, make });

// What the files test beside runs where they are.
const deno: { test: unknown } = Deno;
const { test } = Deno;
deno.test = (definition: Deno.TestDefinition | string) => {
  if (typeof definition === "string") return;
  const [kind, ...words] = definition.name.split(" ");
  if (kind !== NAME || OTHERWISE.delete(words.join(" "))) return;
  const ignore = !HAS_NATS;
  test({ ...definition, ignore, fn: (context) => run(definition, context) });
};
for (const file of FILES) await import(`../${file}_test.ts`);
deno.test = test;

Deno.test("what is said to be otherwise over NATS is there elsewhere", () => {
  assertEquals([...OTHERWISE], []);
});

Deno.test({
  name: "the server of all behaviours ends",
  ignore: !HAS_NATS,
  // It was started before.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () => server![Symbol.asyncDispose](),
});

/** Runs a behaviour, unless it turns out to need what is not offered. */
async function run(
  { fn }: Deno.TestDefinition,
  context: Deno.TestContext,
): Promise<void> {
  try {
    await fn(context);
  } catch (error) {
    const isLeftOut = error instanceof NotOffered ||
      error instanceof Error && error.cause instanceof NotOffered;
    if (!isLeftOut) throw error;
    // Nobody has waited for what was made before.
    await Promise.all(closing);
  } finally {
    closing.length = 0;
  }
}

/**
 * Has this machine make calls for the programs that share a pool.
 *
 * @module
 */

import { checkDuration, checkOptions } from "../arguments.ts";
import { Executor } from "../executor.ts";
import { show } from "../text.ts";
import { WorkerPoolExecutor } from "../worker_pool.ts";
import { CodeStore } from "./code/store.ts";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "./connection_options.ts";
import { identify } from "./node/hello.ts";
import { PoolNode } from "./node/node.ts";

/** So many characters a message has for the name of a node. */
const MAX_NAME = 100;

/**
 * A worker of the node's own executor that has had nothing to do for so long is
 * closed, and with it the modules that it has loaded for clients that may never
 * come back.
 */
const IDLE_MS = 60_000;

/** Options of {@linkcode servePool}. */
export interface ServePoolOptions extends NatsConnectionOptions {
  /**
   * What makes the calls, as many at a time as its `maxWorkers`. It stays its
   * giver's, who shuts it down after the node. In a promise pool, a function that
   * computes holds up the node's signs of life. By default, threads for all cores.
   */
  executor?: Executor;
  /**
   * What the node is called, where somebody looks for it.
   *
   * @default {the name of the machine, and four letters}
   */
  name?: string;
  /**
   * The address or path of a module, the tasks of which are found by their names:
   * those of clients that are compiled programs.
   */
  preload?: string;
  /**
   * The folder in which the node keeps functions.
   *
   * @default {where the user of this program has caches}
   */
  cache?: string;
  /**
   * How long what runs may take once the node drains, in milliseconds; then it is
   * given back, to begin anew elsewhere, or to fail if its submitter wants nothing
   * run twice.
   *
   * @default {30_000}
   */
  drainTimeout?: number;
}

/** A node that serves a pool. */
export interface ServedPool {
  /** What the node is called. */
  readonly name: string;
  /**
   * Takes no more calls, and gives back those that have not begun.
   *
   * @returns A promise that resolves when the rest has ended, or had to be given
   * back too. Never rejects.
   */
  drain(): Promise<void>;
  /**
   * Resolves when the node has ended, with how many calls had to be given back
   * that had begun. Rejects if it ended as its executor takes no calls any more.
   */
  readonly finished: Promise<{ readonly givenBack: number }>;
}

/**
 * Makes calls for all programs that have a `NatsPoolExecutor` for the same pool,
 * until it is told to drain. `futures serve` is this.
 *
 * Whoever may submit to the pool runs code here, as the user of this program.
 *
 * @param options Which pool, and what makes the calls.
 * @returns A promise of the node, once it serves. Rejects with
 * `BrokenExecutorError` if the server cannot be reached, refuses, or has no
 * JetStream, and with `TaskNotFoundError` if `preload` does not load.
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts ignore
 * import { servePool } from "@concurrent/futures/nats";
 *
 * const node = await servePool({ servers: "nats://10.0.0.5:4222" });
 * Deno.addSignalListener("SIGTERM", () => node.drain());
 * await node.finished;
 * ```
 */
export function servePool(options?: ServePoolOptions): Promise<ServedPool> {
  const { executor, name, preload, cache, drainTimeout } = checkOptions(
    options,
  );
  if (executor !== undefined && !(executor instanceof Executor)) {
    throw new TypeError(
      `'executor' must be an Executor: received ${show(executor)}`,
    );
  }
  checkText("preload", preload);
  checkText("cache", cache);
  const connection = checkConnectionOptions(options, "futures serve");
  if (name !== undefined && (name === "" || name.length > MAX_NAME)) {
    throw new RangeError(
      `'name' must have 1 to ${MAX_NAME} characters: received ${show(name)}`,
    );
  }
  return serve({
    executor,
    store: {
      ...preload === undefined ? {} : { preload },
      ...cache === undefined ? {} : { cache },
    },
    identity: identify(name),
    connection,
    drainTimeout: checkDuration("drainTimeout", drainTimeout, 30_000),
  });
}

async function serve(
  { executor, store, identity, ...settings }:
    & Pick<
      Parameters<typeof PoolNode.serve>[0],
      "identity" | "connection" | "drainTimeout"
    >
    & {
      executor: Executor | undefined;
      store: ConstructorParameters<typeof CodeStore>[0];
    },
): Promise<ServedPool> {
  const functions = new CodeStore(store);
  const own = executor === undefined
    ? new WorkerPoolExecutor({ idleTimeout: IDLE_MS })
    : undefined;
  const end = async () => {
    await own?.terminate();
    functions[Symbol.dispose]();
  };
  try {
    await functions.preload();
    const node = await PoolNode.serve({
      ...settings,
      identity,
      functions,
      executor: executor ?? own!,
    });
    const finished = node.finished.finally(end);
    return {
      name: identity.name,
      async drain() {
        await node.drain();
        await finished.catch(() => {});
      },
      finished,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function checkText(name: string, value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  throw new TypeError(`'${name}' must be a string: received ${show(value)}`);
}

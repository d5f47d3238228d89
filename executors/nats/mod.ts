/**
 * Many machines: the same executor, over all that a NATS server connects.
 *
 * ```ts ignore
 * import { NatsPoolExecutor } from "@concurrent/futures/nats";
 *
 * const transform = ({ name, born }: { name: string; born: number }) => ({ name, age: 2017 - born });
 *
 * await using pool = new NatsPoolExecutor({ servers: "nats://10.0.0.5:4222" });
 * const ages = await pool.map(transform, [{ name: "Ada Lovelace", born: 1815 }]);
 * ```
 *
 * @module
 */

export type {
  NatsConnectionOptions,
  NatsCredentials,
  NatsTls,
} from "./connection_options.ts";
export { NatsPoolExecutor } from "./nats_pool.ts";
export type { NatsNode, NatsPoolExecutorOptions } from "./nats_pool.ts";

import type { Executor } from "../executor.ts";
import type { NatsConnectionOptions } from "./connection_options.ts";

/** Options of {@linkcode servePool}. */
export interface ServePoolOptions extends NatsConnectionOptions {
  /** What makes the calls. */
  executor?: Executor;
  /** A module with tasks that are found by their names. */
  preload?: string;
  /** A folder for functions. */
  cache?: string;
  /** How long what runs may take once the node drains, in milliseconds. */
  drainTimeout?: number;
}

/** A node. */
export interface ServedPool {
  /** What the node is called. */
  readonly name: string;
  /** Takes no more, and resolves when the rest has ended. */
  drain(): Promise<void>;
  /** Resolves when the node has ended, with how much it has given back. */
  readonly finished: Promise<{ readonly givenBack: number }>;
}

/** Serves a pool. */
export function servePool(_options?: ServePoolOptions): Promise<ServedPool> {
  return Promise.reject(new Error("Not written yet"));
}

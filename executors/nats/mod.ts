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
export { servePool } from "./serve_pool.ts";
export type { ServedPool, ServePoolOptions } from "./serve_pool.ts";

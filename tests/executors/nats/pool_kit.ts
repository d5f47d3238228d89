/**
 * A server, a node that does what it is told, and a pool, for tests of what
 * happens between them.
 *
 * @module
 */

import { NatsPoolExecutor } from "../../../executors/nats/mod.ts";
import { NatsServer } from "./nats_server.ts";
import { StandInNode, type StandInOptions } from "./stand_in_node.ts";

const ROOT = new URL("../../../", import.meta.url);

/** See above. */
export interface PoolKit extends AsyncDisposable {
  readonly server: NatsServer;
  readonly servers: string;
  readonly node: StandInNode;
  readonly pool: NatsPoolExecutor;
}

/** Starts all three, which end together. */
export async function setUp(
  options: StandInOptions = {},
  maxDeliveries = 3,
): Promise<PoolKit> {
  const server = await NatsServer.start();
  const servers = server.url;
  const node = await StandInNode.start({ servers }, options);
  const pool = new NatsPoolExecutor({ servers, maxDeliveries });
  return {
    server,
    servers,
    node,
    pool,
    async [Symbol.asyncDispose]() {
      endWaiting();
      await pool.terminate();
      await node.die();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Runs until the test says {@linkcode endWaiting}: nodes are in this isolate. */
export const wait = async <T>(value?: T): Promise<T | undefined> => {
  const all = globalThis as { natsTestWaits?: boolean };
  all.natsTestWaits = true;
  while (all.natsTestWaits) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return value;
};

/** Lets all that wait go on. */
export function endWaiting(): void {
  (globalThis as { natsTestWaits?: boolean }).natsTestWaits = false;
}

/** What is written with `console.warn` meanwhile. */
export async function warnings(run: () => Promise<void>): Promise<string[]> {
  const written: string[] = [];
  const original = console.warn;
  console.warn = (message) => written.push(message);
  try {
    await run();
  } finally {
    console.warn = original;
  }
  return written;
}

/** A node in a process of its own, which serves when this has resolved. */
export async function startNode(servers: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`
    import { servePool } from "./executors/nats/serve_pool.ts";
    import { WorkerPoolExecutor } from "./mod.ts";
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await servePool({ servers: "${servers}", executor });
    console.log("serves");
  `));
  await writer.close();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

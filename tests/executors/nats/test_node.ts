/**
 * Nodes in this isolate, of functions that travel by their source, so that a
 * test and the tasks of a promise pool can meet in global variables.
 *
 * @module
 */

import type { Executor } from "../../../mod.ts";
import { checkConnectionOptions } from "../../../executors/nats/connection_options.ts";
import type { NatsConnectionOptions } from "../../../executors/nats/connection_options.ts";
import type { Functions } from "../../../executors/nats/node/batches.ts";
import { identify } from "../../../executors/nats/node/hello.ts";
import { PoolNode } from "../../../executors/nats/node/node.ts";
import { loadFunction } from "../../../executors/pool/worker/load.ts";

/** Finds functions by their source alone. */
const BY_SOURCE: Functions = {
  find: (code) => {
    if (code.kind !== "source") throw new Error(`No ${code.kind} here`);
    return loadFunction(code);
  },
};

/** Options of {@linkcode serve}. */
export interface TestNodeOptions extends NatsConnectionOptions {
  drainTimeout?: number;
  functions?: Functions;
}

/** A node that ends, if it has not, when it is disposed of. */
export interface TestNode extends AsyncDisposable {
  readonly node: PoolNode;
}

/** Serves an executor, which stays the test's. */
export async function serve(
  { url }: { url: string },
  executor: Executor,
  options: TestNodeOptions = {},
): Promise<TestNode> {
  const { drainTimeout = 10_000, functions = BY_SOURCE, ...connection } =
    options;
  const node = await PoolNode.serve({
    connection: checkConnectionOptions(
      { servers: url, ...connection },
      "test node",
    ),
    identity: identify(options.name),
    executor,
    functions,
    drainTimeout,
  });
  node.finished.catch(() => {});
  return { node, [Symbol.asyncDispose]: () => node.drain() };
}

/** Where tasks in this isolate say that they have begun, and wait. */
export class Meeting implements Disposable {
  /** What tasks were called with, in the order in which they began. */
  readonly begun: unknown[] = [];
  readonly #open = Promise.withResolvers<void>();
  readonly #passed = new Set<unknown>();
  #gates = new Map<unknown, () => void>();

  constructor() {
    meetings.meeting = this;
  }

  /** For tasks: waits until it may go on. */
  async wait(key: unknown): Promise<void> {
    this.begun.push(key);
    if (this.#passed.has(key)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.set(key, resolve);
    await Promise.race([promise, this.#open.promise]);
  }

  /** Lets one task go on. */
  pass(key: unknown): void {
    this.#passed.add(key);
    this.#gates.get(key)?.();
  }

  /** Lets all go on. */
  [Symbol.dispose](): void {
    this.#open.resolve();
  }
}

const meetings = globalThis as { meeting?: Meeting };

/** A task that meets the test, and returns what it was called with. */
export async function meet(key: unknown): Promise<unknown> {
  await (globalThis as { meeting?: Meeting }).meeting!.wait(key);
  return key;
}

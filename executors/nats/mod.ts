/**
 * The same interface over many machines, which a NATS server connects: a
 * program submits to a pool, and nodes serve it.
 *
 * @module
 */

import { Executor } from "../executor.ts";
import type { NatsConnectionOptions } from "./connection_options.ts";

export type {
  NatsConnectionOptions,
  NatsCredentials,
  NatsTls,
} from "./connection_options.ts";

/** Options of {@linkcode NatsPoolExecutor}. */
export interface NatsPoolExecutorOptions extends NatsConnectionOptions {
  /** How many nodes a call may be lost with. */
  maxDeliveries?: number;
}

/** A node, as a client sees it. */
export interface NatsNode {
  /** What its user calls it. */
  readonly name: string;
  /** The machine. */
  readonly host: string;
  /** How many calls it makes at a time. */
  readonly workers: number;
  /** How many of them have something to do. */
  readonly busy: number;
  /** The pool that it serves. */
  readonly pool: string;
  /** Its version of Deno. */
  readonly deno: string;
  /** Its version of this package. */
  readonly version: string;
  /** Since when it serves, in milliseconds since 1970. */
  readonly since: number;
}

/** Runs functions on the nodes of a pool. */
export class NatsPoolExecutor extends Executor {
  /** Connects to nothing yet. */
  constructor(_options?: NatsPoolExecutorOptions) {
    super();
  }

  /** How many workers the nodes have now. */
  get maxWorkers(): number {
    return 0;
  }

  /** Resolves when a node is there. */
  start(): Promise<void> {
    return Promise.reject(notYet());
  }

  /** Stops at once. */
  terminate(): Promise<void> {
    return this.shutdown();
  }

  /** Who is there. */
  nodes(): Promise<NatsNode[]> {
    return Promise.reject(notYet());
  }

  /** Takes a job. */
  protected override enqueue(): void {
    throw notYet();
  }

  /** Ends. */
  protected override close(): Promise<void> {
    return Promise.resolve();
  }
}

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
  return Promise.reject(notYet());
}

function notYet(): Error {
  return new Error("Not written yet");
}

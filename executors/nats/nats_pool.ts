/**
 * The executor for work that has outgrown one machine.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { checkCount, checkOptions } from "../arguments.ts";
import { WorkerTerminatedError } from "../errors.ts";
import { Executor } from "../executor.ts";
import type { Job } from "../job/job.ts";
import type { ExecutorOptions } from "../options.ts";
import type { Activity } from "../stats.ts";
import { type AnyFunction, referenceOf } from "../task.ts";
import { Client } from "./client/client.ts";
import { CodeSource } from "./code/describe.ts";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "./connection_options.ts";

/** Options of {@linkcode NatsPoolExecutor}. */
export interface NatsPoolExecutorOptions
  extends NatsConnectionOptions, ExecutorOptions {
  /**
   * How many nodes a call may be lost with that had begun it, or may have, before
   * its future fails with a `WorkerCrashedError`, an integer of at least 1. What
   * a node gives back as it leaves, and outages of the server, do not count. With
   * 1, nothing is ever run twice: calls travel alone, and what may have been
   * begun when a node, or the data of the server, is lost fails, as does what a
   * node had begun and gives back.
   *
   * @default {3}
   */
  maxDeliveries?: number;
}

/** A node that serves a pool, as {@linkcode NatsPoolExecutor.nodes} sees it. */
export interface NatsNode {
  /** What it is called. */
  readonly name: string;
  /** The machine that it runs on. */
  readonly host: string;
  /** How many calls it makes at a time. */
  readonly workers: number;
  /** How many of its workers have something to do. */
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

/**
 * Runs functions on all machines that serve a pool: `futures serve URL` makes a
 * machine one of them, a NATS server with JetStream is between, and any number of
 * programs may use a pool.
 *
 * Connects with the first task, and closes its connection when there has been
 * nothing to do for a second. A server that cannot be reached, or refuses, breaks
 * the executor; a connection that is lost later does not, nor does a server that
 * is started again, even without its data.
 *
 * A plain function travels as its source; the module of a `task()` is bundled,
 * with all that it imports, unless it has an address from which nodes can import
 * it.
 *
 * Nothing is sent before a node is there. Tasks count as running from when a node
 * was told to begin them, several at a time if they are short; until then
 * `cancel()` is true, and the function will never be entered. A node that is lost
 * costs no task: what it had runs elsewhere, so a task may be entered twice.
 *
 * @example
 * ```ts ignore
 * import { NatsPoolExecutor } from "@concurrent/futures/nats";
 *
 * await using pool = new NatsPoolExecutor({ servers: "nats://10.0.0.5:4222" });
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3]));
 * ```
 */
export class NatsPoolExecutor extends Executor {
  readonly #pool: string;
  readonly #client: Client;

  /**
   * Makes an executor, which connects when something is submitted.
   *
   * @param options Where the server is, who comes, and which pool to use.
   * @throws {TypeError} If an option has the wrong type, or if credentials would
   * travel in the clear.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(options?: NatsPoolExecutorOptions) {
    super(options);
    const { maxDeliveries } = checkOptions(options);
    const connection = checkConnectionOptions(options, "futures");
    const code = new CodeSource();
    this.#pool = connection.pool;
    this.#client = new Client(this.queue, {
      connection,
      maxDeliveries: checkCount("maxDeliveries", maxDeliveries, 3),
      versions: { deno: Deno.version.deno, version: config.version },
      describe: (fn) => code.describe(fn),
      onBroken: (error) => this.breakWith(error),
    });
  }

  /** How many workers the nodes have that are known now: none without a connection. */
  override get maxWorkers(): number {
    return this.#client.workers;
  }

  /**
   * Connects now, and waits for a node.
   *
   * @returns A promise that resolves when a node is there, however long that
   * takes. Rejects with `BrokenExecutorError` if there is no server to be had, and
   * with `ShutdownError` after a shutdown.
   *
   * @example
   * ```ts ignore
   * import { NatsPoolExecutor } from "@concurrent/futures/nats";
   *
   * await using pool = new NatsPoolExecutor();
   * await pool.start();
   * ```
   */
  async start(): Promise<void> {
    this.assertOpen();
    await this.#client.start();
  }

  /**
   * Asks who serves the pool.
   *
   * @returns A promise of the nodes that have answered within half a second.
   * Rejects with `BrokenExecutorError` if there is no server to be had, and with
   * `ShutdownError` after a shutdown.
   *
   * @example
   * ```ts ignore
   * import { NatsPoolExecutor } from "@concurrent/futures/nats";
   *
   * await using pool = new NatsPoolExecutor();
   * for (const { name, workers, busy } of await pool.nodes()) {
   *   console.log(`${name}: ${busy} of ${workers} workers are busy`);
   * }
   * ```
   */
  async nodes(): Promise<NatsNode[]> {
    this.assertOpen();
    const hellos = await this.#client.nodes();
    return hellos.map((
      { name, host, workers, busy, deno, version, since },
    ) => ({
      name,
      host,
      workers,
      busy,
      pool: this.#pool,
      deno,
      version,
      since,
    }));
  }

  /**
   * Stops at once: pending futures are cancelled, running ones fail with
   * `WorkerTerminatedError`, nodes are told to stop them.
   *
   * @returns A promise that resolves when nodes have been told and the connection
   * is closed.
   *
   * @example
   * ```ts ignore
   * import { NatsPoolExecutor } from "@concurrent/futures/nats";
   *
   * const pool = new NatsPoolExecutor();
   * await pool.terminate();
   * ```
   */
  terminate(): Promise<void> {
    this.giveUp(() =>
      new WorkerTerminatedError("Terminated before another attempt")
    );
    this.shutdown({ wait: false });
    return this.#client.terminate();
  }

  /** Gives up what is left. */
  protected override abandon(): Promise<void> {
    return this.terminate();
  }

  /** Calls may be taken that had to wait for the rate. */
  protected override wake(): void {
    this.#client.wake();
  }

  /** Throws unless `fn` can travel by address or by source. */
  protected override checkTask(fn: AnyFunction): void {
    referenceOf(fn);
  }

  /** Takes a job; its calls are sent in a later microtask, when their turn comes. */
  protected override enqueue(job: Job): void {
    this.queue.push(job);
    this.#client.wake();
  }

  /** Cancels jobs that wait if asked to; resolves when the connection is closed. */
  protected override close(cancelFutures: boolean): Promise<void> {
    return this.#client.close(cancelFutures);
  }

  /** What the workers do, and have done. */
  protected override activity(): Activity {
    return this.#client.activity();
  }

  /** How many calls wait here and were sent, and which nodes there are. */
  protected override describe(): Record<string, unknown> {
    return this.#client.describe();
  }
}

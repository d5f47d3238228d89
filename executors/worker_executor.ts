/**
 * What executors have in common whose workers are outside of this isolate.
 *
 * @module
 */

import { show } from "./text.ts";
import {
  checkCount,
  checkDuration,
  checkInitializer,
  checkOptions,
} from "./arguments.ts";
import { InvalidStateError } from "./errors.ts";
import { Executor, type InitializerOptions } from "./executor.ts";
import type { Engine } from "./pool/engine.ts";
import { makeEngine } from "./pool/late_engine.ts";
import { JobQueue } from "./job/queue.ts";
import type { OpenChannel } from "./pool/channel.ts";
import { loadingModule } from "./pool/worker/load.ts";
import type { Activity } from "./stats.ts";
import { referenceOf } from "./task.ts";
import type { Job } from "./job/job.ts";
import type { AnyFunction } from "./task.ts";

/** Options of all executors that have workers. */
export interface WorkerExecutorOptions extends InitializerOptions {
  /**
   * How many workers there are at most, an integer of at least 1.
   *
   * @default {navigator.hardwareConcurrency}
   */
  maxWorkers?: number;
  /**
   * After how many tasks a worker is replaced by a new one, an integer of at
   * least 1: for functions that leak.
   *
   * @default {Infinity}
   */
  maxTasksPerWorker?: number;
  /**
   * After how long without work a worker is closed, in milliseconds; with
   * `Infinity`, only `shutdown()` lets the program end.
   *
   * @default {1000}
   */
  idleTimeout?: number;
  /**
   * How long a worker may take to be ready, initializer included, and to load
   * the module of a task, in milliseconds; after that it is closed.
   *
   * @default {30_000}
   */
  startTimeout?: number;
  /**
   * How long a task that was told to stop may go on before its worker is
   * closed, in milliseconds. A worker that does not react to what it is sent is
   * given as long, but at least a second and at most ten, before another takes
   * its place.
   *
   * @default {1000}
   */
  gracePeriod?: number;
  /**
   * The prefix of the workers' names, `name-1` and so on, which stand in stack
   * traces and errors.
   *
   * @default {"worker"}
   */
  name?: string;
}

/** An executor whose workers run functions elsewhere, one at a time in each. */
export abstract class WorkerExecutor extends Executor {
  readonly #queue = new JobQueue();
  readonly #engine: Engine;

  /**
   * Makes an executor; workers start when something is submitted.
   *
   * @param options How many workers, and how long they live.
   * @param open Starts a worker; a promise while what does that is loaded.
   */
  constructor(
    options: WorkerExecutorOptions | undefined,
    open: OpenChannel | Promise<OpenChannel>,
  ) {
    super();
    const {
      maxWorkers,
      maxTasksPerWorker,
      idleTimeout,
      startTimeout,
      gracePeriod,
      name,
      ...rest
    } = checkOptions(options);
    if (name !== undefined && typeof name !== "string") {
      throw new TypeError(`'name' must be a string: received ${show(name)}`);
    }
    const module = loadingModule();
    if (module !== undefined) {
      throw new InvalidStateError(
        `Cannot make a ${this.constructor.name} while a worker loads ${module}: put the program of this module into if (import.meta.main) { … }`,
      );
    }
    const checked = checkInitializer(rest);
    if (checked !== undefined) referenceOf(checked.fn);
    this.#engine = makeEngine(this.#queue, {
      name: name ?? "worker",
      maxWorkers: checkCount(
        "maxWorkers",
        maxWorkers,
        navigator.hardwareConcurrency,
      ),
      initializer: checked,
      maxTasksPerWorker: checkCount(
        "maxTasksPerWorker",
        maxTasksPerWorker,
        Infinity,
        { unbounded: true },
      ),
      idleTimeout: checkDuration("idleTimeout", idleTimeout, 1000),
      startTimeout: checkDuration("startTimeout", startTimeout, 30_000),
      gracePeriod: checkDuration("gracePeriod", gracePeriod, 1000),
      onBroken: (error) => this.breakWith(error),
    }, open);
  }

  /**
   * Starts all workers now, so that no task has to wait for one.
   *
   * Until then none is closed for having nothing to do.
   *
   * @returns A promise that resolves when all are ready; what tasks have used
   * up meanwhile was ready once. It rejects with `BrokenExecutorError` if the
   * initializer throws, with `WorkerCrashedError` if workers do not outlive
   * being ready, and with `ShutdownError` after a shutdown.
   *
   * @example
   * ```ts
   * import { WorkerPoolExecutor } from "@concurrent/futures";
   *
   * await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
   * await pool.start();
   * ```
   */
  async start(): Promise<void> {
    this.assertOpen();
    await this.#engine.start();
  }

  /**
   * Stops at once: pending futures are cancelled, running ones fail with
   * `WorkerTerminatedError`, workers are closed.
   *
   * @returns A promise that resolves when the workers are gone. A thread in a
   * loop that never yields cannot be stopped by Deno (denoland/deno#32617); it
   * is not waited for. A process can always be stopped.
   *
   * @example
   * ```ts
   * import { ShutdownError, WorkerPoolExecutor } from "@concurrent/futures";
   * import { assertThrows } from "@std/assert";
   *
   * const pool = new WorkerPoolExecutor();
   * await pool.terminate();
   * assertThrows(() => pool.submit(() => 1), ShutdownError);
   * ```
   */
  terminate(): Promise<void> {
    this.shutdown({ wait: false });
    return this.#engine.terminate();
  }

  /** Functions travel by name or by source. */
  protected override checkTask(fn: AnyFunction): void {
    referenceOf(fn);
  }

  /** Takes a job; its calls are sent to workers in a later microtask, when their turn comes. */
  protected override enqueue(job: Job): void {
    this.#queue.push(job);
    this.#engine.wake();
  }

  /** Cancels what waits if asked to, and resolves when all workers are gone. */
  protected override close(cancelFutures: boolean): Promise<void> {
    return this.#engine.close(cancelFutures);
  }

  /** What the workers do, and have done. */
  protected override activity(): Activity {
    return this.#engine.activity();
  }

  /** Workers note when calls begin and end. */
  protected override watch(): void {
    this.#engine.watch();
  }

  /** How many calls wait here, and what each worker has. */
  protected override describe(): Record<string, unknown> {
    return this.#engine.describe();
  }
}

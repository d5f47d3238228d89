/**
 * The common part of executors whose workers are outside of this isolate: their
 * options, and the engine that runs their jobs.
 *
 * @module
 */

import {
  checkCount,
  checkDuration,
  checkInitializer,
  checkOptions,
} from "./arguments.ts";
import { InvalidStateError, WorkerTerminatedError } from "./errors.ts";
import { Executor } from "./executor.ts";
import type { ExecutorOptions, InitializerOptions } from "./options.ts";
import type { Job } from "./job/job.ts";
import { isTraced } from "./job/trace.ts";
import type { OpenChannel } from "./pool/channel.ts";
import type { Engine } from "./pool/engine.ts";
import { makeEngine } from "./pool/late_engine.ts";
import { loadingModule } from "./pool/worker/load.ts";
import type { Activity } from "./stats.ts";
import { type AnyFunction, referenceOf } from "./task.ts";
import { show } from "./text.ts";

/** Options of all executors that have workers. */
export interface WorkerExecutorOptions
  extends InitializerOptions, ExecutorOptions {
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
   * the module of a task, in milliseconds; after that the worker is closed.
   *
   * @default {30_000}
   */
  startTimeout?: number;
  /**
   * How long a task that was told to stop may go on before its worker is
   * closed, in milliseconds. A worker that does not react to messages is given as
   * long, but at least a second and at most ten, before another takes its place.
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
  readonly #engine: Engine;
  readonly #maxWorkers: number;

  /**
   * Makes an executor; workers start when something is submitted.
   *
   * @param options How many workers, and how long they live.
   * @param open Opens a channel to a new worker; a promise of that while the
   * transport is loaded.
   */
  constructor(
    options: WorkerExecutorOptions | undefined,
    open: OpenChannel | Promise<OpenChannel>,
  ) {
    super(options);
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
    this.#maxWorkers = checkCount(
      "maxWorkers",
      maxWorkers,
      navigator.hardwareConcurrency,
    );
    this.#engine = makeEngine(this.queue, {
      name: name ?? "worker",
      maxWorkers: this.#maxWorkers,
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
    // A span says which worker it was.
    if (isTraced) this.#engine.watch();
  }

  /** How many workers there are at most. */
  override get maxWorkers(): number {
    return this.#maxWorkers;
  }

  /**
   * Starts all workers now, so that no task has to wait for one. Until all are
   * ready, none is closed for having nothing to do.
   *
   * @returns A promise that resolves when all workers have been ready, even if
   * tasks have used some of them up meanwhile. Rejects with `BrokenExecutorError`
   * if the initializer throws, with `WorkerCrashedError` if workers die as soon as
   * they are ready, and with `ShutdownError` after a shutdown.
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
   * @returns A promise that resolves when the workers are gone, but for threads
   * in a loop that never yields, which Deno cannot stop (denoland/deno#32617). A
   * process can always be stopped.
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
    this.giveUp(() =>
      new WorkerTerminatedError("Terminated before another attempt")
    );
    this.shutdown({ wait: false });
    return this.#engine.terminate();
  }

  /** Ends the workers. */
  protected override abandon(): Promise<void> {
    return this.terminate();
  }

  /** Calls may be taken that had to wait for the rate. */
  protected override wake(): void {
    this.#engine.wake();
  }

  /** Throws unless `fn` can travel by address or by source. */
  protected override checkTask(fn: AnyFunction): void {
    referenceOf(fn);
  }

  /** Takes a job; its calls are sent to workers in a later microtask, when their turn comes. */
  protected override enqueue(job: Job): void {
    this.queue.push(job);
    this.#engine.wake();
  }

  /** Cancels jobs that wait if asked to; resolves when all workers are gone. */
  protected override close(cancelFutures: boolean): Promise<void> {
    return this.#engine.close(cancelFutures);
  }

  /** What the workers do, and have done. */
  protected override activity(): Activity {
    return this.#engine.activity();
  }

  /** Has workers note when calls begin and end. */
  protected override watch(): void {
    this.#engine.watch();
  }

  /** How many calls wait here, and how many each worker has. */
  protected override describe(): Record<string, unknown> {
    return this.#engine.describe();
  }
}

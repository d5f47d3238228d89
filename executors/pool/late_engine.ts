/**
 * Makes the engine of an executor with workers: the scheduler, or in a worker
 * one that waits until the scheduler is loaded.
 *
 * A program loads the scheduler and its transports with this package. A worker
 * whose tasks import the package does not: most tasks never make an executor,
 * and these modules would take each worker 4 ms and a megabyte.
 *
 * @module
 */

import { BrokenExecutorError } from "../errors.ts";
import type { JobQueue } from "../job/queue.ts";
import { isWorker } from "../runtime/main_module.ts";
import type { Activity } from "../stats.ts";
import type { OpenChannel } from "./channel.ts";
import type { Engine } from "./engine.ts";
// Known before any bundle is loaded, whose copy of this package asks for them.
import "./entries.ts";
import type { Scheduler, SchedulerSettings } from "./host/scheduler.ts";

/** A module that a program loads with this package, and a worker when the module is needed. */
export class HostModule<Module> {
  readonly #import: () => Promise<Module>;
  /** The module, once it is loaded. */
  loaded: Module | undefined;

  private constructor(load: () => Promise<Module>) {
    this.#import = load;
  }

  /**
   * Makes one of a module, which is loaded unless this isolate is a worker.
   *
   * @param load Imports the module, by a literal `import()` that `deno compile`
   * and JSR can see.
   */
  static async of<Module>(
    load: () => Promise<Module>,
  ): Promise<HostModule<Module>> {
    const module = new HostModule(load);
    if (!isWorker) await module.load();
    return module;
  }

  /** Loads the module, unless that was done before. */
  async load(): Promise<Module> {
    return this.loaded ??= await this.#import();
  }
}

/** The settings of a pool, but for how it opens channels. */
type PoolSettings = Omit<SchedulerSettings, "open">;

const scheduling = await HostModule.of(() => import("./host/scheduler.ts"));

/**
 * Makes the engine for a queue.
 *
 * @param queue The queue in which jobs wait.
 * @param settings How many workers there are, and how long they live.
 * @param open Opens a channel to a new worker; a promise of that while the
 * transport is loaded.
 */
export function makeEngine(
  queue: JobQueue,
  settings: PoolSettings,
  open: OpenChannel | Promise<OpenChannel>,
): Engine {
  const { loaded } = scheduling;
  return loaded === undefined || open instanceof Promise
    ? new LateEngine(queue, settings, open)
    : new loaded.Scheduler(queue, { ...settings, open });
}

/** Stands for the scheduler: until that is loaded jobs wait, then all goes to it. */
class LateEngine implements Engine {
  readonly #queue: JobQueue;
  readonly #loading: Promise<Scheduler | undefined>;
  #scheduler: Scheduler | undefined;
  /** Why there will be no scheduler. */
  #broken: (() => BrokenExecutorError) | undefined;

  constructor(
    queue: JobQueue,
    settings: PoolSettings,
    open: OpenChannel | Promise<OpenChannel>,
  ) {
    this.#queue = queue;
    this.#loading = this.#load(settings, open).catch((cause) => {
      const broken = () =>
        new BrokenExecutorError("Cannot load what starts workers", { cause });
      this.#broken = broken;
      settings.onBroken(broken);
      queue.end((job) => job.rejectAll(broken));
      return undefined;
    });
  }

  wake(): void {
    this.#scheduler?.wake();
  }

  async start(): Promise<void> {
    const scheduler = await this.#loading;
    if (scheduler === undefined) throw this.#broken!();
    await scheduler.start();
  }

  // Futures are cancelled before these return, whatever is loaded by then.

  close(cancelFutures: boolean): Promise<void> {
    if (this.#scheduler !== undefined) {
      return this.#scheduler.close(cancelFutures);
    }
    if (cancelFutures) this.#queue.end((job) => job.cancel());
    return this.#loading.then((scheduler) => scheduler?.close(cancelFutures));
  }

  terminate(): Promise<void> {
    if (this.#scheduler !== undefined) return this.#scheduler.terminate();
    this.#queue.end((job) => job.cancel());
    return this.#loading.then((scheduler) => scheduler?.terminate());
  }

  watch(): void {
    this.#loading.then((scheduler) => scheduler?.watch());
  }

  activity(): Activity {
    return this.#scheduler?.activity() ??
      { running: 0, workers: [], utilisation: 0 };
  }

  describe(): Record<string, unknown> {
    return this.#scheduler?.describe() ??
      { queued: this.#queue.calls, workers: [], leaving: 0 };
  }

  async #load(
    settings: PoolSettings,
    open: OpenChannel | Promise<OpenChannel>,
  ): Promise<Scheduler> {
    const { Scheduler } = await scheduling.load();
    this.#scheduler = new Scheduler(this.#queue, {
      ...settings,
      open: await open,
    });
    if (this.#queue.length > 0) this.#scheduler.wake();
    return this.#scheduler;
  }
}

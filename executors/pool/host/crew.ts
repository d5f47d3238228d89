/**
 * The workers of one pool: those that are there, and those that have been told
 * to go.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { monotonicTime } from "../../runtime/clock.ts";
import type { Activity } from "../../stats.ts";
import {
  PoolWorker,
  type PoolWorkerOwner,
  type PoolWorkerSettings,
} from "./worker.ts";

/** The workers of one pool. */
export class Crew {
  readonly #name: string;
  readonly #owner: PoolWorkerOwner;
  readonly #settings: PoolWorkerSettings;
  readonly #workers = new Set<PoolWorker>();
  /** Workers that have been told to go, and have not gone. */
  readonly #leaving = new Set<Promise<void>>();
  #started = 0;
  #watched = false;
  /** How long workers that are gone were busy, and there. */
  readonly #past = { busyMs: 0, aliveMs: 0 };

  constructor(
    name: string,
    owner: PoolWorkerOwner,
    settings: PoolWorkerSettings,
  ) {
    this.#name = name;
    this.#owner = owner;
    this.#settings = settings;
  }

  /** How many workers there are. */
  get size(): number {
    return this.#workers.size;
  }

  /** How many workers have been told to go, and have not gone. */
  get leaving(): number {
    return this.#leaving.size;
  }

  /** The workers there are; some may be dismissed meanwhile. */
  [Symbol.iterator](): Iterator<PoolWorker> {
    return this.#workers.values();
  }

  /** Starts a worker. */
  start(): PoolWorker {
    const name = `${this.#name}-${++this.#started}`;
    const worker = new PoolWorker(name, this.#owner, this.#settings);
    this.#workers.add(worker);
    if (this.#watched) worker.watch();
    return worker;
  }

  /**
   * Has a worker go; the calls that it still runs fail with `error`. Resolves
   * when the worker is gone; `undefined` if it has been dismissed before.
   */
  dismiss(
    worker: PoolWorker,
    error?: (job: Job) => Error,
  ): Promise<void> | undefined {
    if (!this.#workers.delete(worker)) return undefined;
    this.#past.busyMs += worker.ledger.busyMs;
    this.#past.aliveMs += monotonicTime() - worker.born;
    const gone = worker.close(error).then(() => {
      this.#leaving.delete(gone);
    });
    this.#leaving.add(gone);
    return gone;
  }

  /** From now on, workers say when calls begin and end. */
  watch(): void {
    this.#watched = true;
    for (const worker of this.#workers) worker.watch();
  }

  /** How busy the workers are, and were. */
  activity(): Activity {
    const now = monotonicTime();
    const workers = [...this.#workers];
    const running = workers.map((worker) => worker.ledger.running);
    let { busyMs, aliveMs } = this.#past;
    for (const worker of workers) {
      busyMs += worker.ledger.busyMs;
      aliveMs += now - worker.born;
    }
    return {
      running: running.reduce((sum, calls) => sum + calls, 0),
      workers: workers.map(({ name, pid, starting, ledger }, i) => ({
        name,
        ...(pid === undefined ? {} : { pid }),
        state: starting ? "starting" : running[i]! > 0 ? "running" : "idle",
        tasks: ledger.reported,
        busyMs: ledger.busyMs,
      })),
      utilisation: aliveMs === 0 ? 0 : Math.min(1, busyMs / aliveMs),
    };
  }

  /** How many calls each worker has, in words. */
  describe(): string[] {
    return [...this.#workers].map(({ name, starting, ledger }) =>
      `${name}: ${starting ? "starting" : "ready"}, ${ledger.count} calls`
    );
  }
}

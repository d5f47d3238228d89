/**
 * This package's executors with workers as contestants.
 *
 * @module
 */

import {
  ProcessPoolExecutor,
  transfer,
  type WorkerExecutor,
  WorkerPoolExecutor,
} from "../../mod.ts";
import * as tasks from "./futures_tasks.ts";

/** What is mapped or submitted by name. */
type Task = (input: unknown) => unknown;

/** What the executor is to be. */
interface Options {
  workers: number;
  /** Whether workers are processes. */
  processes?: boolean;
}

/** Makes an executor. */
export function open({ workers, processes }: Options): FuturesContestant {
  const Pool = processes ? ProcessPoolExecutor : WorkerPoolExecutor;
  // The contestants keep their workers, so this one does.
  return new FuturesContestant(
    new Pool({ maxWorkers: workers, idleTimeout: Infinity }),
  );
}

class FuturesContestant {
  readonly #pool: WorkerExecutor;

  constructor(pool: WorkerExecutor) {
    this.#pool = pool;
  }

  async warm(): Promise<void> {
    await this.#pool.start();
  }

  run(name: keyof typeof tasks, input: unknown): PromiseLike<unknown> {
    return this.#pool.submit(tasks[name] as Task, input);
  }

  async map(name: keyof typeof tasks, inputs: unknown[]): Promise<unknown[]> {
    return await this.#pool.map(tasks[name] as Task, inputs);
  }

  move(array: Float64Array): PromiseLike<unknown> {
    return this.#pool.submit(tasks.move, transfer(array, [array.buffer]));
  }

  close(): Promise<void> {
    return this.#pool.shutdown();
  }
}

/**
 * This package's WorkerPoolExecutor as a contestant.
 *
 * @module
 */

import { transfer, WorkerPoolExecutor } from "../../mod.ts";
import * as tasks from "./futures_tasks.ts";

/** What is mapped or submitted by name. */
type Task = (input: unknown) => unknown;

/** Makes an executor. */
export function open({ workers }: { workers: number }): FuturesContestant {
  return new FuturesContestant(workers);
}

class FuturesContestant {
  readonly #pool: WorkerPoolExecutor;

  constructor(maxWorkers: number) {
    // The contestants keep their workers, so this one does.
    this.#pool = new WorkerPoolExecutor({ maxWorkers, idleTimeout: Infinity });
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

/**
 * This package's PromisePoolExecutor as a contestant.
 *
 * @module
 */

import { PromisePoolExecutor } from "../../mod.ts";

/** What is mapped or submitted. */
type AsyncFunction = (input: unknown) => Promise<unknown>;

/** Makes an executor. */
export function open({ workers }: { workers: number }): PromiseContestant {
  return new PromiseContestant(workers);
}

class PromiseContestant {
  readonly #pool: PromisePoolExecutor;

  constructor(maxWorkers: number) {
    this.#pool = new PromisePoolExecutor({ maxWorkers });
  }

  run(fn: AsyncFunction, input: unknown): PromiseLike<unknown> {
    return this.#pool.submit(fn, input);
  }

  async map(fn: AsyncFunction, inputs: unknown[]): Promise<unknown[]> {
    return await this.#pool.map(fn, inputs);
  }

  close(): Promise<void> {
    return this.#pool.shutdown();
  }
}

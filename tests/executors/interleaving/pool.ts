/**
 * The scheduler as an executor, on whatever channels a test opens.
 *
 * @module
 */

import { Executor } from "../../../mod.ts";
import { Scheduler } from "../../../executors/pool/host/scheduler.ts";
import type { Job } from "../../../executors/job/job.ts";
import { JobQueue } from "../../../executors/job/queue.ts";

/** A scheduler as an executor. */
export class FakePool extends Executor {
  readonly #queue = new JobQueue();
  readonly #scheduler: Scheduler;

  constructor(
    settings: Omit<
      ConstructorParameters<typeof Scheduler>[1],
      "onBroken" | "name" | "initializer"
    >,
  ) {
    super();
    this.#scheduler = new Scheduler(this.#queue, {
      ...settings,
      name: "fake",
      initializer: undefined,
      onBroken: (error) => this.breakWith(error),
    });
  }

  start(): Promise<void> {
    return this.#scheduler.start();
  }

  terminate(): Promise<void> {
    this.shutdown({ wait: false });
    return this.#scheduler.terminate();
  }

  protected override enqueue(job: Job): void {
    this.#queue.push(job);
    this.#scheduler.wake();
  }

  protected override close(cancelFutures: boolean): Promise<void> {
    return this.#scheduler.close(cancelFutures);
  }

  protected override activity(): ReturnType<Scheduler["activity"]> {
    return this.#scheduler.activity();
  }

  protected override describe(): Record<string, unknown> {
    return this.#scheduler.describe();
  }
}

/**
 * The scheduler as an executor, on whatever channels a test opens.
 *
 * @module
 */

import { Executor } from "../../../mod.ts";
import { Scheduler } from "../../../executors/pool/host/scheduler.ts";
import type { Job } from "../../../executors/job/job.ts";

/** A scheduler as an executor. */
export class FakePool extends Executor {
  #scheduler: Scheduler;

  constructor(
    settings: Omit<
      ConstructorParameters<typeof Scheduler>[0],
      "onBroken" | "name" | "initializer"
    >,
  ) {
    super();
    this.#scheduler = new Scheduler({
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

  protected override enqueue(item: Job): void {
    this.#scheduler.enqueue(item);
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

/**
 * The worked example of `@concurrent/futures/job`: whatever every executor does,
 * this one does too.
 *
 * @module
 */

import { Executor } from "@concurrent/futures";
import type { Job } from "@concurrent/futures/job";

/** Makes one call after another. */
export class SerialExecutor extends Executor {
  #running: Promise<void> | undefined;
  #closing = false;
  readonly #closed = Promise.withResolvers<void>();

  protected override enqueue(job: Job): void {
    this.queue.push(job);
    this.wake();
  }

  protected override wake(): void {
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  protected override close(cancelFutures: boolean): Promise<void> {
    if (cancelFutures) this.queue.end((job) => job.cancel());
    this.#closing = true;
    this.wake();
    return this.#closed.promise;
  }

  async #run(): Promise<void> {
    for (let job = this.queue.enter(); job; job = this.queue.enter()) {
      const { call } = this.queue;
      try {
        job.resolve(await job.invoke(call), call);
      } catch (error) {
        job.reject(error, call);
      }
    }
    this.#running = undefined;
    // Else some wait for the rate of the executor.
    if (this.#closing && this.queue.isEmpty) this.#closed.resolve();
  }
}

/**
 * The parts for authors of executors: jobs, the queue in which they wait, how
 * functions are named and found again elsewhere, and how errors travel.
 *
 * An executor extends `Executor` by two methods: `enqueue()` takes a job, and
 * `close()` resolves when all jobs have ended. Its `queue` obeys priorities and
 * the options of the executor; `wake()` is called when calls may be taken that
 * had to wait.
 *
 * @example One call after another, in this isolate
 * ```ts
 * import { Executor } from "@concurrent/futures";
 * import type { Job } from "@concurrent/futures/job";
 * import { assertEquals } from "@std/assert";
 *
 * class SerialExecutor extends Executor {
 *   #running: Promise<void> | undefined;
 *   #closing = false;
 *   readonly #closed = Promise.withResolvers<void>();
 *
 *   protected override enqueue(job: Job): void {
 *     this.queue.push(job);
 *     this.wake();
 *   }
 *
 *   protected override wake(): void {
 *     this.#running ??= Promise.resolve().then(() => this.#run());
 *   }
 *
 *   protected override close(cancelFutures: boolean): Promise<void> {
 *     if (cancelFutures) this.queue.end((job) => job.cancel());
 *     this.#closing = true;
 *     this.wake();
 *     return this.#closed.promise;
 *   }
 *
 *   async #run(): Promise<void> {
 *     for (let job = this.queue.enter(); job; job = this.queue.enter()) {
 *       const { call } = this.queue;
 *       try {
 *         job.resolve(await job.invoke(call), call);
 *       } catch (error) {
 *         job.reject(error, call);
 *       }
 *     }
 *     this.#running = undefined;
 *     // Else some wait for the rate of the executor.
 *     if (this.#closing && this.queue.isEmpty) this.#closed.resolve();
 *   }
 * }
 *
 * await using executor = new SerialExecutor();
 * assertEquals(await executor.map((n: number) => 2 * n, [1, 2, 3]), [2, 4, 6]);
 * ```
 *
 * @module
 */

export type { Job, JobHolder } from "./job.ts";
export type { CallOptions } from "./options.ts";
export { JobQueue } from "./queue.ts";
export type { Retry } from "./retry.ts";
export { decodeError, encodeError } from "../pool/wire/codec.ts";
export type { EncodedError } from "../pool/wire/codec.ts";
export { loadFunction } from "../pool/worker/load.ts";
export type { Activity, CallTiming } from "../stats.ts";
export { referenceOf } from "../task.ts";
export type { AnyFunction, FunctionReference } from "../task.ts";

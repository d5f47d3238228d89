/**
 * Python's `concurrent.futures` for Deno: one small interface over different
 * execution strategies.
 *
 * A program that maps a pure function over immutable data uses all cores, or
 * waits for all requests at once, by two more lines:
 *
 * ```ts
 * import { WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const scientists = [{ name: "Ada Lovelace", born: 1815 }, { name: "Vera Rubin", born: 1928 }];
 * const transform = ({ name, born }: { name: string; born: number }) => ({ name, age: 2017 - born });
 *
 * await using pool = new WorkerPoolExecutor();
 * const ages = await pool.map(transform, scientists);
 * assertEquals(ages, scientists.map(transform));
 * ```
 *
 * - {@linkcode WorkerPoolExecutor} for work that computes: Web Workers.
 * - {@linkcode ProcessPoolExecutor} for work that may have to be killed:
 *   processes.
 * - {@linkcode PromisePoolExecutor} for work that waits: promises, a bounded
 *   number at a time.
 * - {@linkcode task} names a function that uses more than its arguments, so
 *   that a worker can import it.
 *
 * @module
 */

export { currentTask } from "./executors/current_task.ts";
export type { CurrentTask } from "./executors/running_task.ts";
export {
  BrokenExecutorError,
  CancelledError,
  ConcurrentError,
  InvalidStateError,
  ShutdownError,
  TaskNotFoundError,
  TimeoutError,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "./executors/errors.ts";
export { Executor } from "./executors/executor.ts";
export type {
  ExecutorOptions,
  InitializerOptions,
  ShutdownOptions,
} from "./executors/options.ts";
export { Future } from "./executors/future.ts";
export type {
  FutureState,
  FutureWithResolvers,
  NativePromise,
  WaitForOptions,
} from "./executors/future.ts";
export type { Input } from "./executors/map/inputs.ts";
export type {
  ForEachOptions,
  MapOptions,
  MapProgress,
  MapResult,
} from "./executors/map/options.ts";
export { ProcessPoolExecutor } from "./executors/process_pool.ts";
export type { ProcessPoolExecutorOptions } from "./executors/process_pool.ts";
export { PromisePoolExecutor } from "./executors/promise_pool.ts";
export type { PromisePoolExecutorOptions } from "./executors/promise_pool.ts";
export type {
  ExecutorStats,
  RetryEvent,
  TaskEvent,
  TaskOutcome,
  WorkerStats,
} from "./executors/stats.ts";
export { task } from "./executors/task.ts";
export type { TaskModule } from "./executors/task.ts";
export { transfer } from "./executors/transfer.ts";
export {
  ALL_COMPLETED,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  wait,
} from "./executors/wait.ts";
export type {
  AsCompletedOptions,
  FutureIterator,
  ReturnWhen,
  WaitOptions,
  WaitResult,
} from "./executors/wait.ts";
export type { SubmitOptions } from "./executors/job/options.ts";
export type { Rate } from "./executors/job/rate.ts";
export type { RetryOptions } from "./executors/job/retry.ts";
export type {
  WorkerExecutor,
  WorkerExecutorOptions,
} from "./executors/worker_executor.ts";
export { WorkerPoolExecutor } from "./executors/worker_pool.ts";
export type { WorkerPoolExecutorOptions } from "./executors/worker_pool.ts";

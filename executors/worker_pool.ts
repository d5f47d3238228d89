/**
 * The executor for work that computes: a bounded number of Web Workers, each a
 * thread with a heap of its own.
 *
 * @module
 */

import { checkOptions } from "./arguments.ts";
import { checkPermissions } from "./pool/thread/permissions.ts";
import { openWebWorker } from "./pool/thread/web_worker.ts";
import {
  WorkerExecutor,
  type WorkerExecutorOptions,
} from "./worker_executor.ts";

/** Options of {@linkcode WorkerPoolExecutor}. */
export interface WorkerPoolExecutorOptions extends WorkerExecutorOptions {
  /**
   * What workers may do, at most what the program may. Needs
   * `--unstable-worker-options`. If the program itself may not do it, the
   * executor is broken.
   *
   * At a terminal, Deno asks about what a task may not do, and "y" allows it:
   * start Deno, or compile, with `--no-prompt`. npm takes no permission, so any
   * name that a task imports is a request to the registry: start Deno with
   * `--cached-only`. The standard input of tasks, through descriptor 0 too, is
   * that of the program. docs/security.md says what else a thread is no wall
   * against; where that matters, use {@linkcode ProcessPoolExecutor}.
   *
   * @default {"inherit"}
   */
  permissions?: Deno.PermissionOptions;
}

/**
 * Runs functions in at most `maxWorkers` Web Workers, one at a time in each.
 * Workers start on demand and are reused; one that dies is replaced, and costs
 * the task that it ran.
 *
 * A function can be submitted if `task()` has named its module, or if it uses
 * only its arguments and globals. Arguments and results are copied by structured
 * clone when the task is sent, which may be after `submit()` has returned.
 *
 * A thread shares the fate of its program: a loop that never yields cannot be
 * stopped, and a worker that runs out of memory ends everything. Where that
 * matters, use {@linkcode ProcessPoolExecutor}.
 *
 * Python: `concurrent.futures.InterpreterPoolExecutor`.
 *
 * @example
 * ```ts
 * import { WorkerPoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const age = (scientist: { born: number }) => 2017 - scientist.born;
 * await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
 * assertEquals(await pool.map(age, [{ born: 1815 }, { born: 1867 }]), [202, 150]);
 * ```
 */
export class WorkerPoolExecutor extends WorkerExecutor {
  /**
   * Makes an executor; workers start when something is submitted.
   *
   * @param options How many workers, what they may do, and how long they live.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   * @throws {Deno.errors.NotSupported} If there are `permissions` without
   * `--unstable-worker-options`.
   * @throws {InvalidStateError} If a worker is loading the module that calls
   * this: each worker would start workers, which would start workers.
   */
  constructor(options?: WorkerPoolExecutorOptions) {
    const permissions = checkPermissions(checkOptions(options).permissions);
    super(
      options,
      (name, listener) => openWebWorker(name, listener, { permissions }),
    );
  }
}

/**
 * The executor for work that may have to be killed: a bounded number of
 * processes.
 *
 * @module
 */

import { checkCount, checkOptions } from "./arguments.ts";
import type { OpenChannel } from "./pool/channel.ts";
import { HostModule } from "./pool/late_engine.ts";
import type * as ChildProcess from "./pool/process/child_process.ts";
import { planProcess } from "./pool/process/plan.ts";
import { show } from "./text.ts";
import {
  WorkerExecutor,
  type WorkerExecutorOptions,
} from "./worker_executor.ts";

const processes = await HostModule.of(() =>
  import("./pool/process/child_process.ts")
);

/** Options of {@linkcode ProcessPoolExecutor}. */
export interface ProcessPoolExecutorOptions extends WorkerExecutorOptions {
  /**
   * What workers may do, at most what the program may: by default as much as the
   * program can tell of its own permissions. It cannot tell what is on lists,
   * such as those of `--allow-net=…` and `--deny-net=…`; of `--allow-read=…`, it
   * can tell whether the current folder and that of the main module are on the
   * list. Entries are those of the flags, one each: none can be empty or have a
   * comma.
   *
   * Without `import`, no import of a task leaves the machine: packages from npm
   * are those in Deno's cache and in node_modules. With a list of hosts, they are
   * those in node_modules alone, as no list names registries. docs/security.md
   * lists the attacks that were tried, and failed.
   *
   * @default {"inherit"}
   */
  permissions?: Deno.PermissionOptions;
  /**
   * How much memory V8 may use for the objects of a worker, in MiB, an integer
   * of at least 1. A worker that needs more is ended by V8, and costs the task
   * that it ran. Typed arrays and buffers do not count.
   *
   * @default {Infinity}
   */
  memoryLimit?: number;
  /** Environment variables of the workers, on top of those of the program. */
  env?: Record<string, string>;
}

/**
 * Runs functions in at most `maxWorkers` processes, one at a time in each.
 *
 * As {@linkcode WorkerPoolExecutor}, with a stronger wall between a task and
 * the program: a process can be killed, whatever it does, and has memory of its
 * own. In return, a worker takes more memory and more time to start, and a
 * message takes longer. Output of tasks goes to the standard error stream, each
 * line with the name of the worker. For tasks and the programs that they start,
 * the standard input is at its end. (A compiled program needs `--allow-ffi` for
 * that; without, the programs must be started by `Deno.Command`.) Workers use
 * the deno.json and the package.json of the main module, with its unstable
 * features. The flags `--config`, `--import-map`, `--node-modules-dir`,
 * `--unstable-…` and `--v8-flags` do not get to workers; the environment variable
 * `DENO_V8_FLAGS` does.
 *
 * Needs `--allow-run` for the executable that runs the program, which is
 * `Deno.execPath()`. `SharedArrayBuffer`s, ports and blobs cannot be sent. A task
 * that has been sent ahead counts as running, as in Python, so `cancel()` is true
 * only if the function will never be entered.
 *
 * Python: `concurrent.futures.ProcessPoolExecutor`.
 *
 * @example A loop that never ends, and does
 * ```ts
 * import { ProcessPoolExecutor, TimeoutError } from "@concurrent/futures";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 1, gracePeriod: 10 });
 * const spin = () => {
 *   while (true);
 * };
 * await assertRejects(() => pool.submitWith({ timeout: 50 }, spin).result(), TimeoutError);
 * assertEquals(await pool.submit((n: number) => n + 1, 41), 42);
 * ```
 */
export class ProcessPoolExecutor extends WorkerExecutor {
  /**
   * Makes an executor; workers start when something is submitted.
   *
   * @param options How many workers, what they may do, and how long they live.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   * @throws {Deno.errors.NotCapable} If the program may not run itself, or has
   * not the permissions that its workers are to have.
   * @throws {Deno.errors.NotFound} If the working folder of the program, in which
   * workers start, was removed.
   * @throws {Deno.errors.NotSupported} If a compiled program is to narrow
   * permissions to a list.
   * @throws {InvalidStateError} If a worker is loading the module that calls
   * this: each worker would start workers, which would start workers.
   */
  constructor(options?: ProcessPoolExecutorOptions) {
    const { permissions, memoryLimit, env } = checkOptions(options);
    const plan = planProcess({
      permissions,
      memoryLimit: checkCount("memoryLimit", memoryLimit, Infinity, {
        unbounded: true,
      }),
      env: checkEnv(env),
    });
    const opens =
      ({ openProcess }: typeof ChildProcess): OpenChannel => (name, listener) =>
        openProcess(name, listener, plan);
    super(
      options,
      processes.loaded === undefined
        ? processes.load().then(opens)
        : opens(processes.loaded),
    );
  }
}

function checkEnv(
  env: Record<string, string> | undefined,
): Record<string, string> {
  if (env === undefined) return {};
  const fits = typeof env === "object" && env !== null && !Array.isArray(env) &&
    Object.values(env).every((value) => typeof value === "string");
  if (!fits) {
    throw new TypeError(
      `'env' must be an object of strings: received ${show(env)}`,
    );
  }
  for (const [name, value] of Object.entries(env)) {
    if (/^$|[=\0]/.test(name) || value.includes("\0")) {
      throw new RangeError(
        `'env' must have names without "=" and nothing with NUL: received ${
          show({ [name]: value })
        }`,
      );
    }
  }
  return { ...env };
}

/**
 * Behaviours × executors: each behaviour is written once and run over every
 * kind of executor, under a watchdog that turns a hang into a failure.
 *
 * @module
 */

import { runCommand } from "../../helpers/run_command.ts";
import { removeCells } from "./cells.ts";
import { SerialExecutor } from "./serial_executor.ts";
import {
  type Executor,
  ProcessPoolExecutor,
  PromisePoolExecutor,
  type PromisePoolExecutorOptions,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
} from "../../../mod.ts";

/** Long against anything that a behaviour waits for, short against a stuck run. */
const WATCHDOG_MS = 30_000;

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 20_000;

/** The options that every kind has. */
export type CommonOptions = Pick<
  PromisePoolExecutorOptions & WorkerPoolExecutorOptions,
  "maxWorkers" | "initializer" | "initArgs" | "highWaterMark" | "rate"
>;

/** A kind of executor. */
export interface Kind {
  readonly name: string;
  /** Whether a task that was sent ahead can be told from one that runs. */
  readonly exact: boolean;
  make(options?: CommonOptions): Executor;
}

/** Every kind there is; a test that imports others may have put its own in their place. */
export const KINDS: Kind[] = [
  {
    name: "PromisePoolExecutor",
    exact: true,
    make: (options) => new PromisePoolExecutor(options),
  },
  {
    name: "WorkerPoolExecutor",
    exact: true,
    make: (options) => new WorkerPoolExecutor(options),
  },
  {
    name: "ProcessPoolExecutor",
    exact: false,
    make: (options) => new ProcessPoolExecutor(options),
  },
];

// The first one asks Deno for its flags, by a way that leaves a handle open.
new ProcessPoolExecutor();

/** An executor that anybody could write; its tasks know nothing of themselves, and none is ever stopped. */
const SERIAL: Kind = {
  name: "SerialExecutor",
  exact: true,
  make: (options) => new SerialExecutor(options),
};

/** What a behaviour is given. */
export interface Kit {
  readonly kind: Kind;
  /** Makes an executor that is shut down after the behaviour, whatever happens. */
  make(options?: CommonOptions): Executor;
}

/** A behaviour of every executor, whoever wrote it. */
export function commonBehaviour(
  name: string,
  run: (kit: Kit) => Promise<void> | void,
): void {
  behaviour(name, run, [...KINDS, SERIAL]);
}

/** Registers a test for each kind of executor. */
export function behaviour(
  name: string,
  run: (kit: Kit) => Promise<void> | void,
  kinds: readonly Kind[] = KINDS,
): void {
  for (const kind of kinds) {
    watched(`${kind.name} ${name}`, async (executors) => {
      const make = (options?: CommonOptions) => {
        const executor = kind.make(options);
        executors.push(executor);
        return executor;
      };
      await run({ kind, make });
    });
  }
}

/**
 * Registers one test under the watchdog, which may leave no timer and nothing
 * else behind. Executors that it pushes to its argument are shown when it
 * hangs, and shut down when it ends.
 *
 * @param limit How long it may take, in milliseconds, if that is long.
 */
export function watched(
  name: string,
  run: (executors: Executor[]) => Promise<void> | void,
  limit: number = WATCHDOG_MS,
): void {
  Deno.test({ name, sanitizeOps: true, sanitizeResources: true, fn });

  async function fn() {
    const executors: Executor[] = [];
    const hang = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      hang.reject(
        new Error(`'${name}' hangs: ${Deno.inspect(executors, { depth: 4 })}`),
      );
    }, limit);
    const ended = (async () => {
      await run(executors);
      await Promise.all(
        executors.map((executor) => executor.shutdown({ cancelFutures: true })),
      );
    })();
    try {
      await Promise.race([ended, hang.promise]);
    } finally {
      clearTimeout(timer);
      // After a failure, what runs may wait for a test that is over.
      for (const executor of executors) {
        executor.shutdown({ wait: false, cancelFutures: true });
      }
      removeCells();
    }
  }
}

/** Waits until something is so; the watchdog is what ends a wait that is in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Gives the event loop as many turns as it takes to run everything that is due. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Waits until no worker runs a task, be it one that was stopped and goes on. */
export async function untilIdle(executor: Executor): Promise<void> {
  await until(() =>
    executor.stats().workers.every(({ state }) => state !== "running")
  );
}

/** Whether it is still pending when everything that is due has run. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false);
  await settle();
  return pending;
}

/** What `run` wrote with `console.error`, one array of arguments for each call. */
export async function loggedErrors(
  run: () => Promise<void> | void,
): Promise<unknown[][]> {
  const logged: unknown[][] = [];
  const original = console.error;
  console.error = (...args) => logged.push(args);
  try {
    await run();
  } finally {
    console.error = original;
  }
  return logged;
}

/**
 * Runs a program that has to end by itself, with exit code 0.
 *
 * @param source Its text, which finds everything of mod.ts as `futures`.
 * @param flags For `deno run`.
 * @returns What it wrote to its output.
 */
export async function runProgram(
  source: string,
  flags: string[] = [],
): Promise<string> {
  const module = new URL("../../../mod.ts", import.meta.url);
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-config", ...flags, "-"],
    cwd: new URL("../", import.meta.url),
    env: Deno.env.toObject(),
    stdin: `import * as futures from "${module}";\n${source}`,
    timeout: PROGRAM_LIMIT_MS,
  });
  return stdout;
}

/** Counts the listeners that a signal has from now on. */
export function countListeners(signal: AbortSignal): () => number {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: never[]) => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args as never);
  };
  signal.removeEventListener = (...args: never[]) => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args as never);
  };
  return () => listeners.size;
}

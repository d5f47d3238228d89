/**
 * Behaviours × executors with workers: what holds for tasks that run in
 * another isolate, wherever that is.
 *
 * @module
 */

import { assertInstanceOf } from "@std/assert";
import {
  type Executor,
  type Future,
  ProcessPoolExecutor,
  WorkerCrashedError,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
} from "../../../mod.ts";
import { type Output, runCommand } from "../../helpers/run_command.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";
import { watched } from "./harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 20_000;

/** Where a program finds this package. */
export const MOD: string = new URL("../../../mod.ts", import.meta.url).href;

/** Which Deno this is: what stands after `2.`. */
export const MINOR_RELEASE: number = Number(Deno.version.deno.split(".")[1]);

/** Whether Deno tells a worker that ends with which exit code it does. */
export const TELLS_EXIT_CODES: boolean = MINOR_RELEASE >= 7;

/** An executor that has workers. */
export interface WorkerExecutor extends Executor {
  start(): Promise<void>;
  terminate(): Promise<void>;
}

/** A kind of executor that has workers. */
export interface WorkerKind {
  readonly name: string;
  make(options?: WorkerPoolExecutorOptions): WorkerExecutor;
}

/** Every kind there is; see `KINDS`. */
export const WORKER_KINDS: WorkerKind[] = [
  {
    name: "WorkerPoolExecutor",
    make: (options) => new WorkerPoolExecutor(options),
  },
  {
    name: "ProcessPoolExecutor",
    make: (options) => new ProcessPoolExecutor(options),
  },
];

/** Makes an executor that is shut down after the behaviour, whatever happens. */
export type MakeExecutor = (
  options?: WorkerPoolExecutorOptions,
) => WorkerExecutor;

/** Registers a test for each kind of executor that has workers; `limit` as in {@linkcode watched}. */
export function workerBehaviour(
  name: string,
  run: (make: MakeExecutor) => Promise<void> | void,
  limit?: number,
): void {
  for (const kind of WORKER_KINDS) {
    watched(`${kind.name} ${name}`, (executors) =>
      run((options) => {
        const executor = kind.make(options);
        executors.push(executor);
        return executor;
      }), limit);
  }
}

/** What became of a future. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly error: unknown };

/** The outcome of a future, also if its error is `undefined`. */
export async function outcomeOf(future: Future<unknown>): Promise<Outcome> {
  try {
    return { value: await future };
  } catch (error) {
    return { error };
  }
}

/** Options for {@linkcode runMain}. */
export interface RunMainOptions {
  /** For `deno run`. */
  flags?: string[];
  /** The exit code that is expected. */
  code?: number;
}

/**
 * Runs a program of several modules, of which main.ts is the main one. It has
 * to end by itself.
 *
 * @param files The text of each module by its name.
 * @returns What it wrote.
 */
export async function runMain(
  files: Record<string, string>,
  { flags = ["-A"], code = 0 }: RunMainOptions = {},
): Promise<Output> {
  await using folder = await makeTempFolder(files);
  return await runCommand(Deno.execPath(), {
    args: ["run", "--no-config", "--no-check", ...flags, "main.ts"],
    cwd: folder.url,
    env: Deno.env.toObject(),
    code,
    timeout: PROGRAM_LIMIT_MS,
  });
}

/** Resolves when no worker holds the lock that says it lives; where there are locks. */
export async function noWorkerLeft(): Promise<void> {
  interface Held {
    held?: { name?: string }[];
  }
  const { locks } = navigator as { locks?: { query?(): Promise<Held> } };
  if (locks?.query === undefined) return;
  const lives = async () => {
    const { held = [] } = await locks.query!();
    return held.some(({ name }) => name?.startsWith("@concurrent/futures"));
  };
  while (await lives()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A program that tries in a worker without permissions what it takes one for, and what it prints. */
export function attempts(
  executor: string,
): { source: string; lines: string[] } {
  const source = `
    import { ${executor} } from "${MOD}";
    const attempts = {
      read: () => Deno.readTextFile("main.ts"),
      write: () => Deno.writeTextFile("written.txt", ""),
      fetch: () => fetch("http://127.0.0.1:8000/"),
      connect: () => Deno.connect({ port: 8000 }),
      env: () => Deno.env.get("HOME"),
      run: () => new Deno.Command(Deno.execPath()).output(),
      sys: () => Deno.hostname(),
      ffi: () => Deno.dlopen("library.so", {}),
    };
    await using pool = new ${executor}({ maxWorkers: 1, permissions: "none" });
    console.log(await pool.submit((n) => n + 1, 41));
    for (const [what, attempt] of Object.entries(attempts)) {
      const error = await pool.submit(attempt).exception();
      console.log(what, error instanceof Deno.errors.NotCapable);
    }
    console.log(await pool.submit(() => "goes on"));
  `;
  const lines = [
    "42",
    "read true",
    "write true",
    "fetch true",
    "connect true",
    "env true",
    "run true",
    "sys true",
    "ffi true",
    "goes on",
  ];
  return { source, lines };
}

/** Which of the futures have failed, by number, each of them with its worker. */
export async function failures(
  futures: readonly Future<unknown>[],
): Promise<number[]> {
  const failed: number[] = [];
  for (const [n, future] of futures.entries()) {
    const error = await future.exception();
    if (error === undefined) continue;
    assertInstanceOf(error, WorkerCrashedError);
    failed.push(n);
  }
  return failed;
}

/**
 * Programs of tests over a NATS server, each in a process of its own.
 *
 * @module
 */

import { Listener } from "../helpers/listener.ts";
import { futures, startFutures } from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import type { NatsServer } from "../executors/nats/nats_server.ts";

/** A program of a test, which ends with it. */
export interface Running extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly stdout: Listener;
  readonly stderr: Listener;
}

/** Starts `futures`. */
export function start(args: string[], cwd = "."): Running {
  return running(startFutures(args, cwd));
}

/** Starts `futures serve`, which serves once this has resolved, and keeps functions in a folder of its own. */
export function serve(...args: string[]): Promise<Running> {
  return untilServing((args) => startFutures(args, "."), args);
}

/** The same by another program, such as a compiled one. */
export function serveBy(program: string, ...args: string[]): Promise<Running> {
  return untilServing((args) =>
    new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn(), args);
}

async function untilServing(
  spawn: (args: string[]) => Deno.ChildProcess,
  args: readonly string[],
): Promise<Running> {
  const cache = await makeTempFolder();
  const program = running(spawn(["serve", ...args, "--cache", cache.path]));
  const node: Running = {
    ...program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
  try {
    await node.stdout.until("\n");
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw new Error(`futures serve says: ${node.stderr.text}`, {
      cause: error,
    });
  }
}

function running(child: Deno.ChildProcess): Running {
  const stdout = new Listener(child.stdout);
  const stderr = new Listener(child.stderr);
  return {
    child,
    stdout,
    stderr,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.stdin.close().catch(() => {});
      await Promise.all([stdout.end(), stderr.end(), child.status]);
    },
  };
}

/** What `futures nodes --json` says. */
export async function nodes(url: string): Promise<Record<string, unknown>> {
  const { stdout } = await futures(["nodes", url, "--json"]);
  return JSON.parse(stdout);
}

/** Maps one line by a module in a folder; what becomes of it is heard later. */
export function mapOne(server: NatsServer, module: string, cwd: string) {
  const output = futures(["map", module, "--on", server.url], {
    cwd,
    stdin: "1\n",
  });
  output.catch(() => {});
  return output;
}

/** Waits until a file is there. */
export async function untilThere(path: string): Promise<void> {
  while (!await Deno.stat(path).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A module with a function that says by a file that it has begun, and waits for another to end. */
export function gate(folder: string): string {
  return `export default async (line) => {
    Deno.writeTextFileSync(${JSON.stringify(`${folder}/begun`)}, "");
    while (!await Deno.stat(${
    JSON.stringify(`${folder}/open`)
  }).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return line;
  };`;
}

/**
 * A program that makes, uses and disposes of one executor after another, and
 * what it costs in memory.
 *
 * @module
 */

import { runCommand } from "../../helpers/run_command.ts";
import { WORKER_KINDS } from "./worker_harness.ts";

/** Bytes. */
export interface Memory {
  /** Of the whole program, with the pages that its heap keeps for later. */
  readonly resident: number;
  /** Of its heap, garbage collected. */
  readonly heap: number;
}

/**
 * Runs the program in a process of its own.
 *
 * @returns Its memory after a tenth of `count` executors, and at the end.
 */
export async function measureManyPools(
  name: string,
  count: number,
): Promise<[early: Memory, end: Memory]> {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--v8-flags=--expose-gc",
      import.meta.url,
      name,
      `${count}`,
    ],
    cwd: new URL("../", import.meta.url),
    env: Deno.env.toObject(),
    timeout: 600_000,
  });
  return JSON.parse(stdout);
}

if (import.meta.main) {
  const [name, count] = [Deno.args[0], Number(Deno.args[1])];
  const { make } = WORKER_KINDS.find((kind) => kind.name === name)!;
  const { gc } = globalThis as unknown as { gc(): void };
  const memory: Memory[] = [];
  for (let n = 1; n <= count; n++) {
    {
      await using executor = make({ maxWorkers: 2 });
      await executor.map((n: number) => n + 1, [1, 2, 3, 4]);
    }
    if (n !== count / 10 && n !== count) continue;
    const { rss } = Deno.memoryUsage();
    gc();
    memory.push({ resident: rss, heap: Deno.memoryUsage().heapUsed });
  }
  console.log(JSON.stringify(memory));
}

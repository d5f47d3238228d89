/**
 * What a `map()` over ever more items costs in memory: nothing that depends on
 * their number, as inputs are pulled while results are read. Prints by how much
 * the heap has grown at its highest, sampled while results are read.
 *
 * Needs `--v8-flags=--expose-gc`, as garbage is not growth.
 *
 * @module
 */

import {
  type Executor,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../mod.ts";

const COUNTS = [10_000, 100_000, 1_000_000];

/** Often enough to see a leak grow, seldom enough that collecting is not all that is done. */
const SAMPLES = 20;

const { gc } = globalThis as { gc?: () => void };

function heapUsed(): number {
  gc!();
  return Deno.memoryUsage().heapUsed;
}

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** By how many bytes the heap grew at most. */
async function growth(executor: Executor, count: number): Promise<number> {
  const before = heapUsed();
  let most = 0;
  let read = 0;
  for await (const _ of executor.map((n: number) => n + 1, numbers(count))) {
    if (++read % (count / SAMPLES) === 0) {
      most = Math.max(most, heapUsed() - before);
    }
  }
  if (read !== count) throw new Error(`Read ${read} of ${count} results`);
  return most;
}

if (import.meta.main) {
  if (gc === undefined) {
    console.error("Run this with --v8-flags=--expose-gc");
    Deno.exit(2);
  }
  for (const Pool of [PromisePoolExecutor, WorkerPoolExecutor]) {
    await using executor = new Pool({ maxWorkers: 2 });
    // What is compiled and started once is not the map's.
    await growth(executor, COUNTS[0]!);
    for (const count of COUNTS) {
      const mebibytes = await growth(executor, count) / 2 ** 20;
      console.log(
        `${Pool.name} map() of ${
          count.toLocaleString("en")
        } items: the heap grew by ${mebibytes.toFixed(2)} MiB at most`,
      );
    }
  }
}

// Many workers that die, one after another, of whatever they can die of.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Future,
  WorkerCrashedError,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { loadAll, makeCells } from "./helpers/cells.ts";
import { countAndSometimesDie, type Death, DEATHS } from "./fixtures/dying.ts";
import { watched } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

workerBehaviour(
  "1,000 tasks of which 50 end their worker give 950 results and 50 errors, none twice",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const deaths = Object.keys(DEATHS) as Death[];
    const calls = makeCells();
    const settled = new Array<number>(1000).fill(0);
    const futures = Array.from({ length: 1000 }, (_, n) => {
      const death = n % 20 === 7 ? deaths[n % deaths.length] : undefined;
      const future = executor.submit(countAndSometimesDie, calls, n, death);
      future.addDoneCallback(() => settled[n]!++);
      return future;
    });
    assertEquals(await countCrashes(futures), 50);
    assertEquals(loadAll(calls, 1000), new Array(1000).fill(1));
    assertEquals(settled, new Array(1000).fill(1));
  },
  // 50 workers have to start, and to load a module.
  180_000,
);

watched(
  "WorkerPoolExecutor gives 9,500 results and 500 errors, none twice, for 10,000 tasks of which 500 end their worker",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 4 });
    executors.push(executor);
    const calls = new Int32Array(new SharedArrayBuffer(4 * 10_000));
    const settled = new Array<number>(10_000).fill(0);
    // Without a module, as 500 workers would have to load it.
    const countAndDie = (calls: Int32Array, n: number) => {
      Atomics.add(calls, n, 1);
      if (n % 20 !== 7) return n;
      if (n % 3 === 0) Deno.exit();
      if (n % 3 === 1) self.close();
      if (n % 3 === 2) Promise.reject(new Error("Loose end"));
      return new Promise<never>(() => {});
    };
    const futures = Array.from({ length: 10_000 }, (_, n) => {
      const future = executor.submit(countAndDie, calls, n);
      future.addDoneCallback(() => settled[n]!++);
      return future;
    });
    assertEquals(await countCrashes(futures), 500);
    assert(calls.every((count) => count === 1));
    assert(settled.every((count) => count === 1));
  },
  // 500 workers have to start.
  180_000,
);

/** How many of these have crashed, which only each twentieth may; the others give their number. */
async function countCrashes(
  futures: readonly Future<number>[],
): Promise<number> {
  let crashed = 0;
  for (const [n, future] of futures.entries()) {
    const error = await future.exception();
    if (error === undefined) {
      assertEquals(await future, n);
    } else {
      assertInstanceOf(error, WorkerCrashedError);
      assertEquals(n % 20, 7);
      crashed++;
    }
  }
  return crashed;
}

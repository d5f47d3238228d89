// Executors that have been disposed of leave nothing behind.

import { assertLess } from "@std/assert";
import { watched } from "./helpers/harness.ts";
import { measureManyPools } from "./helpers/many_pools.ts";
import { WORKER_KINDS } from "./helpers/worker_harness.ts";

/** How many are made one after another. */
const COUNT = 50;

for (const { name } of WORKER_KINDS) {
  watched(`${name} that is disposed of leaves no memory in use`, async () => {
    const [early, end] = await measureManyPools(name, COUNT);
    assertLess(end.heap, 1.2 * early.heap);
  }, 300_000);
}

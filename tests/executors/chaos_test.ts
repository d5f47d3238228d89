// Nothing hangs and nothing is lost, whatever happens in whatever order.

import { assertLess } from "@std/assert";
import { runChaos, showChaos } from "./chaos/run.ts";
import { watched } from "./helpers/harness.ts";
import { WORKER_KINDS } from "./helpers/worker_harness.ts";

/** For each kind of executor; `deno task soak` takes its time. */
const SECONDS = 6;

/** A round may take its time, and says itself when it hangs. */
const LIMIT_MS = 120_000;

for (const { name, make } of WORKER_KINDS) {
  watched(`${name} survives chaos`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`From seed ${seed}: deno task soak --seed ${seed}`);
    const summary = await runChaos({ make, seconds: SECONDS, seed });
    console.log(showChaos(summary));
    const [start, end] = summary.memory;
    assertLess(end, 1.5 * start);
  }, LIMIT_MS);
}

// A worker is not believed: whatever it says costs its own tasks at most.

import { assertLess } from "@std/assert";
import { runFuzz, showFuzz } from "./fuzz/run.ts";
import { watched } from "./helpers/harness.ts";
import { WORKER_KINDS } from "./helpers/worker_harness.ts";

/** For each kind of executor; `deno task soak` takes its time. */
const SECONDS = 5;

/** What hundreds of executors leave behind in the heap, in bytes, is less than what one lie could. */
const MAX_GROWTH = 64 * 2 ** 20;

/** A round may take its time, and says itself when it hangs. */
const LIMIT_MS = 120_000;

for (const { name } of WORKER_KINDS) {
  watched(`${name} survives workers that lie`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`From seed ${seed}: deno task soak --seed ${seed}`);
    const summary = await runFuzz({ name, seconds: SECONDS, seed });
    console.log(showFuzz(summary));
    const [start, end] = summary.memory;
    assertLess(end, start + MAX_GROWTH);
  }, LIMIT_MS);
}

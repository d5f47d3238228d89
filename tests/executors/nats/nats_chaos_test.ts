// Nothing hangs, is lost, or is left behind, whatever happens to whom.

import { warnings } from "./pool_kit.ts";
import { HAS_NATS } from "./nats_server.ts";
import { runNatsChaos, showNatsChaos } from "./chaos/run.ts";
import { watched } from "../helpers/harness.ts";

/** `deno task soak` takes its time. */
const SECONDS = 4;

/** A round may take its time, and says itself when it hangs. */
const LIMIT_MS = 180_000;

const NAME = "NatsPoolExecutor survives chaos";

if (!HAS_NATS) Deno.test.ignore(NAME, () => {});
else {
  watched(NAME, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`From seed ${seed}: deno task soak --only nats --seed ${seed}`);
    // Connections are lost and come back, and each time that is said.
    await warnings(async () => {
      console.log(
        showNatsChaos(await runNatsChaos({ seconds: SECONDS, seed })),
      );
    });
  }, LIMIT_MS);
}

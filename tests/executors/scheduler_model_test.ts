// The scheduler settles each task once, and has none entered twice, whatever
// comes between whatever else.

import { FakeClock } from "./interleaving/clock.ts";
import { Interleaving } from "./interleaving/run.ts";
import { forSeeds } from "./random.ts";

Deno.test("Scheduler loses nothing and runs nothing twice in any interleaving", async () => {
  await forSeeds(300, async (random) => {
    using clock = new FakeClock();
    await new Interleaving(random, clock).run(100 + random.below(200));
  });
});

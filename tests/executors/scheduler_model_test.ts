// The scheduler settles each task once, and has none entered twice, whatever
// comes between whatever else.
// @group long

import { interleave } from "./interleaving/run.ts";
import { forSeeds } from "./random.ts";

Deno.test("Scheduler loses nothing and runs nothing twice in any interleaving", async () => {
  await forSeeds(300, interleave);
});

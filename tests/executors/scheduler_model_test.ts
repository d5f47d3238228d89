// The scheduler settles each task once, and has none entered twice, whatever
// comes between whatever else.

import { interleaveProcesses, interleaveThreads } from "./interleaving/run.ts";
import { forSeeds } from "./helpers/random.ts";

Deno.test("Scheduler loses nothing and runs nothing twice in any interleaving", async () => {
  await forSeeds(300, interleaveThreads);
});

Deno.test("Scheduler loses nothing and runs nothing twice in processes that share no memory", async () => {
  await forSeeds(100, interleaveProcesses);
});

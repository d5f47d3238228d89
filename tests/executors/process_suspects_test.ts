// A process whose last words are a task's, about what it had entered.
// @group processes

import { assert, assertEquals } from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { loadAll, makeCells } from "./helpers/cells.ts";
import { forgeLastWords, seekMark } from "./fixtures/forging.ts";
import { watched } from "./helpers/harness.ts";
import { failures } from "./helpers/worker_harness.ts";

for (const calls of [1, 50]) {
  watched(
    `ProcessPoolExecutor runs a call at most three times that forges the last words of its process, one of ${calls}`,
    async (executors) => {
      const executor = new ProcessPoolExecutor({
        maxWorkers: 1,
        initializer: seekMark,
      });
      executors.push(executor);
      await executor.start();
      const entries = makeCells();
      const first = calls === 1 ? 3 : 0;
      const futures = Array.from(
        { length: calls },
        (_, n) => executor.submit(forgeLastWords, entries, first + n),
      );
      assertEquals(await failures(futures), [3 - first]);
      const counts = loadAll(entries, first + calls).slice(first);
      const [culprit] = counts.splice(3 - first, 1);
      assert(culprit! >= 1 && culprit! <= 3);
      assertEquals(counts, counts.map(() => 1));
    },
  );
}

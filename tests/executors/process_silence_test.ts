// A process that somebody has stopped says nothing.
// @group processes

import { assertEquals } from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { loadAll, makeCells } from "./helpers/cells.ts";
import { watched } from "./helpers/harness.ts";
import { countIn } from "./helpers/tasks.ts";

for (const calls of [1, 20]) {
  watched(
    `ProcessPoolExecutor has ${calls} calls run elsewhere that were sent to a process which is stopped`,
    async (executors) => {
      const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
      executors.push(executor);
      await executor.start();
      const { pid } = executor.stats().workers[0]!;
      Deno.kill(pid!, "SIGSTOP");
      const entered = makeCells();
      const futures = Array.from(
        { length: calls },
        (_, n) => executor.submit(countIn, entered, n),
      );
      assertEquals(await Promise.all(futures), futures.map(() => 0));
      assertEquals(loadAll(entered, calls), futures.map(() => 1));
    },
  );
}

// Spans of tasks that run on nodes.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { collect } from "../helpers/collector.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

for (const kind of ["PromisePoolExecutor", "WorkerPoolExecutor"]) {
  natsTest(
    `NatsPoolExecutor: what a task fetches on a node with a ${kind} is in the span of the task`,
    async () => {
      await using server = await NatsServer.start();
      const { spans, lines } = await collect(`
      import { NatsPoolExecutor, servePool } from "./executors/nats/mod.ts";
      const servers = "${server.url}";
      await using executor = new futures.${kind}({ maxWorkers: 2 });
      const node = await servePool({ servers, executor, name: "node" });
      await using pool = new NatsPoolExecutor({ servers });
      async function ask(url) {
        return await (await fetch(url)).text();
      }
      const results = await inSpan("program", async () => [
        ...await pool.map(ask, Array(5).fill(url)),
        await pool.submit(ask, url),
      ]);
      console.log(results.join());
      await pool.shutdown();
      await node.drain();`);
      assertEquals(lines, [Array(6).fill("Yes").join()]);
      const root = spans.find(({ name }) => name === "program")!;
      const tasks = spans.filter(({ scope }) =>
        scope === "@concurrent/futures"
      );
      // The node has none of its own.
      assertStrictEquals(tasks.length, 6);
      for (const task of tasks) {
        const { worker, ...rest } = task.attributes;
        assertEquals([task.name, task.parent], ["ask", root.id]);
        assertEquals(rest, {
          executor: "NatsPoolExecutor",
          outcome: "finished",
          attempt: 1,
        });
        assert(`${worker}`.startsWith("node/"), `${worker}`);
        const fetched = spans.filter(({ parent }) => parent === task.id);
        assertEquals(fetched.map(({ name, kind }) => [name, kind]), [[
          "GET",
          3,
        ]]);
      }
      assert(
        spans.filter(({ name }) => name === "GET").every(({ trace }) =>
          trace === root.trace
        ),
      );
    },
  );
}

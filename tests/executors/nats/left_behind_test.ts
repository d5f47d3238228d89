// What is left with the server by a client that has nothing to do: nothing.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { WorkerPoolExecutor } from "../../../mod.ts";
import { NatsPoolExecutor, servePool } from "../../../executors/nats/mod.ts";
import { echoAfter } from "../helpers/tasks.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

natsTest("A client that disconnects takes its bundles with it", async () => {
  await using server = await NatsServer.start();
  const { url: servers } = server;
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const cache = `${server.folder}/cache`;
  const served = await servePool({ servers, executor, cache });
  await using other = await link({ servers });
  const { tasks, results, parts } = other.subjects;
  const consumers = async () =>
    (await other.manager.consumers.list(results).next()).length;
  const pool = new NatsPoolExecutor({ servers });
  for (let again = 0; again < 2; again++) {
    assertEquals(await pool.submit(echoAfter, 7, 1), 7);
    assertStrictEquals(await other.messagesIn(parts), 1);
    // It disconnects, as it has nothing to do.
    while (await consumers() > 0 || await other.messagesIn(parts) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Nodes forget what it was, too.
    await Deno.remove(cache, { recursive: true });
  }
  await pool.shutdown();
  assertStrictEquals(await other.messagesIn(tasks), 0);
  await served.drain();
});

natsTest("A bundle that the server has lost is stored again", async () => {
  await using server = await NatsServer.start();
  const { url: servers } = server;
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const serve = (name: string) =>
    servePool({ servers, executor, name, cache: `${server.folder}/${name}` });
  const first = await serve("first");
  await using other = await link({ servers });
  await using pool = new NatsPoolExecutor({ servers });
  assertEquals(await pool.submit(echoAfter, 7, 1), 7);
  await other.manager.streams.purge(other.subjects.parts);
  await first.drain();
  const second = await serve("second");
  assertEquals(await pool.submit(echoAfter, 8, 1), 8);
  await second.drain();
});

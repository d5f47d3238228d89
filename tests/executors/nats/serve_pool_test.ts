// Nodes and clients, both real.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  PromisePoolExecutor,
  TaskNotFoundError,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { NatsPoolExecutor, servePool } from "../../../executors/nats/mod.ts";
import { loggedErrors, until } from "../helpers/harness.ts";
import { echoAfter } from "../helpers/tasks.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { range } from "./stand_in_client.ts";

natsTest("servePool() serves with an executor of its own", async () => {
  await using server = await NatsServer.start();
  const served = await servePool({ servers: server.url });
  assertMatch(served.name, /^.+-[0-9a-f]{4}$/);
  const pool = new NatsPoolExecutor({ servers: server.url });
  await pool.start();
  assertEquals(pool.maxWorkers, navigator.hardwareConcurrency);
  const square = (n: number) => n * n;
  assertEquals(
    await pool.map(square, range(5000)),
    range(5000).map((n) => n * n),
  );
  const [node] = await pool.nodes();
  assertEquals(node!.name, served.name);
  await pool.shutdown();
  await served.drain();
  assertEquals(await served.finished, { givenBack: 0 });
});

natsTest("servePool() leaves an executor to its giver", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 3 });
  const { url: servers } = server;
  const served = await servePool({ servers, executor, name: "Ada", pool: "p" });
  assertEquals(served.name, "Ada");
  const pool = new NatsPoolExecutor({ servers, pool: "p" });
  await pool.start();
  assertEquals(pool.maxWorkers, 3);
  assertEquals(await pool.submit((a: number, b: number) => a + b, 1, 2), 3);
  await pool.shutdown();
  await served.drain();
  assertEquals(await executor.submit(() => 1), 1);
});

natsTest("servePool() finds tasks in modules", async () => {
  await using server = await NatsServer.start();
  const { url: servers } = server;
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const served = await servePool({
    servers,
    executor,
    cache: `${server.folder}/cache`,
  });
  const pool = new NatsPoolExecutor({ servers });
  assertEquals(await pool.submit(echoAfter, 7, 1), 7);
  assert([...Deno.readDirSync(`${server.folder}/cache`)].length > 0);
  await pool.shutdown();
  await served.drain();
});

natsTest(
  "servePool() rejects if what is to be preloaded does not load",
  async () => {
    await using server = await NatsServer.start();
    await assertRejects(
      () =>
        servePool({
          servers: server.url,
          preload: `${server.folder}/nothing.ts`,
        }),
      TaskNotFoundError,
      "Cannot preload",
    );
  },
);

Deno.test("servePool() checks its options at the call", () => {
  const call = (options: unknown) => () => void servePool(options as never);
  assertThrows(call(null), TypeError, "received null");
  assertThrows(call({ executor: {} }), TypeError, "'executor'");
  assertThrows(call({ preload: 1 }), TypeError, "'preload'");
  assertThrows(call({ cache: 1 }), TypeError, "'cache'");
  assertThrows(call({ name: 1 }), TypeError, "'name'");
  assertThrows(call({ name: "" }), RangeError, "'name'");
  assertThrows(call({ name: "x".repeat(101) }), RangeError, "'name'");
  assertThrows(call({ pool: "a.b" }), RangeError, "'pool'");
  assertThrows(call({ drainTimeout: -1 }), RangeError, "'drainTimeout'");
  assertThrows(call({ drainTimeout: "1" }), TypeError, "'drainTimeout'");
});

natsTest("servePool() needs no more than docs/nats.conf permits", async () => {
  await using server = await NatsServer.start({
    config: await Deno.readTextFile(
      new URL("../../../docs/nats.conf", import.meta.url),
    ),
    env: { FUTURES_CLIENT_PASSWORD: "c", FUTURES_NODE_PASSWORD: "n" },
  });
  const { port } = server;
  const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  const served = await servePool({
    servers: `nats://node:n@127.0.0.1:${port}`,
    executor,
  });
  const client = new NatsPoolExecutor({
    servers: `nats://client:c@127.0.0.1:${port}`,
  });
  const double = (text: string) => text + text;
  const text = "x".repeat(2_000_000);
  assertEquals(await client.map(double, ["a", text]), ["aa", text + text]);
  const controller = new AbortController();
  const { signal } = controller;
  const forever = () => new Promise(() => setInterval(() => {}, 1000));
  const future = client.submitWith({ signal }, forever);
  await until(() => executor.stats().running === 1);
  controller.abort();
  await assertRejects(() => future.result());
  await client.shutdown();
  await served.drain();
  await executor.shutdown();
});

natsTest("a node that is killed costs no task", async () => {
  await using server = await NatsServer.start();
  const { url: servers } = server;
  const start = () =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { servePool } from ${
          JSON.stringify(import.meta.resolve("../../../executors/nats/mod.ts"))
        };
        import { WorkerPoolExecutor } from ${
          JSON.stringify(import.meta.resolve("../../../mod.ts"))
        };
        const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
        await servePool({ servers: ${JSON.stringify(servers)}, executor });`,
      ],
      stderr: "inherit",
      stdout: "null",
    }).spawn();
  const nodes = [start(), start()];
  const pool = new NatsPoolExecutor({ servers });
  const logged = await loggedErrors(async () => {
    await pool.start();
    while ((await pool.nodes()).length < 2);
    const sleep = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return n;
    };
    const futures = range(300).map((n) => pool.submit(sleep, n));
    await until(() => futures.filter((future) => future.done()).length > 50);
    nodes[0]!.kill("SIGKILL");
    assertEquals(await Promise.all(futures), range(300));
  });
  assertEquals(logged, []);
  await pool.shutdown();
  nodes[1]!.kill("SIGKILL");
  for (const node of nodes) await node.status;
});

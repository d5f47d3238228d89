// What a node does when others go away: its client, its server, both.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BrokenExecutorError,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { encodeValue } from "../../../executors/nats/values.ts";
import { until } from "../helpers/harness.ts";
import { link } from "./links.ts";
import { freePort, NatsServer, natsTest } from "./nats_server.ts";
import { range, StandInClient } from "./stand_in_client.ts";
import { meet, Meeting, serve } from "./test_node.ts";

/** Hides what is said of a connection that a test takes away. */
function silence(): Disposable {
  const { warn } = console;
  console.warn = () => {};
  return { [Symbol.dispose]: () => void (console.warn = warn) };
}

natsTest("serving rejects where there is no server", async () => {
  await using executor = new PromisePoolExecutor();
  await assertRejects(
    () =>
      serve({ url: `nats://127.0.0.1:${freePort()}` }, executor, {
        connectTimeout: 0,
      }),
    BrokenExecutorError,
    "Cannot reach NATS",
  );
});

natsTest("serving rejects where the server forbids it", async () => {
  await using server = await NatsServer.start({
    config:
      `authorization { users: [{ user: a, password: b, permissions: { publish: ">", subscribe: "fut.default.i.>" } }] }`,
  });
  await using executor = new PromisePoolExecutor();
  await assertRejects(
    () => serve({ url: `nats://a:b@127.0.0.1:${server.port}` }, executor),
    BrokenExecutorError,
    "Cannot serve pool default: ",
  );
});

natsTest(
  "a node stops what a client that is gone has left, and cleans up",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    const gone = await StandInClient.start(server);
    await gone.nodes();
    const { parts } = gone.link;
    using meeting = new Meeting();
    await gone.send(meet, [["a"], ["b"]]);
    await gone.send(meet, [["waits"]]);
    await parts.put(gone.name, "b", "0", encodeValue("x".repeat(2_000_000)));
    await until(() => meeting.begun.length === 1);
    await using look = await link({ servers: server.url });
    const { subjects } = look;
    const begun = performance.now();
    await gone[Symbol.asyncDispose]();
    await until(() => executor.stats().cancelled === 2);
    for (const stream of [subjects.tasks, subjects.parts, subjects.results]) {
      while (await look.messagesIn(stream) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const took = performance.now() - begun;
    assert(took > 4500 && took < 9000, `${took}`);
    assertEquals(meeting.begun, ["a"]);
    meeting[Symbol.dispose]();
    // Others are served as ever.
    await using client = await StandInClient.start(server);
    await client.nodes();
    const batch = await client.send(() => 1, [[]]);
    await batch.ended();
  },
);

natsTest(
  "a node cleans up after a client that was gone before it had read its results",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using served = await serve(server, executor);
    const gone = await StandInClient.start(server);
    await gone.nodes();
    const batch = await gone.send((n: number) => "x".repeat(n), [[2_000_000]]);
    await batch.ended();
    const [node] = gone.hellos.keys();
    while ((await gone.held(node!)).length > 0);
    await using look = await link({ servers: server.url });
    const { parts } = look.subjects;
    assert(await look.messagesIn(parts) > 0);
    await gone[Symbol.asyncDispose]();
    while (await look.messagesIn(parts) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await served.node.drain();
  },
);

for (const early of [true, false]) {
  const when = early ? "before" : "after";
  natsTest(
    `a node that was there ${when} a client cleans up what that has stored, and sent nothing`,
    async () => {
      await using server = await NatsServer.start();
      await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
      await using look = await link({ servers: server.url });
      await using nodes = new AsyncDisposableStack();
      if (early) nodes.use(await serve(server, executor));
      const gone = await StandInClient.start(server);
      if (early) await gone.nodes();
      gone.asks = false;
      await gone.link.parts.put(gone.name, "b", "0", new Uint8Array(100));
      await gone[Symbol.asyncDispose]();
      if (!early) nodes.use(await serve(server, executor));
      while (await look.messagesIn(look.subjects.parts) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  );
}

natsTest(
  "a node forgets what a client that is gone has not been asked for",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    const gone = await StandInClient.start(server);
    await gone.send(() => 1, [[]]);
    await gone.send(() => 1, [[]]);
    await gone[Symbol.asyncDispose]();
    await using _node = await serve(server, executor);
    await using look = await link({ servers: server.url });
    while (await look.messagesIn(look.subjects.tasks) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(executor.stats().finished, 0);
  },
);

natsTest("a node waits for a client that is slow to answer", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  client.asks = false;
  client.answer = () => null;
  const batch = await client.send(() => 1, [[]]);
  // Longer than one that is gone is waited for.
  await until(() => batch.takers.length === 5);
  client.answer = undefined;
  await batch.ended();
});

natsTest("a node keeps what takes longer than the server waits", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using idle = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _other = await serve(server, idle);
  await using client = await StandInClient.start(server);
  await client.nodes(2);
  using meeting = new Meeting();
  const batch = await client.send(meet, [["a"]]);
  await until(() => meeting.begun.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 13_000));
  meeting[Symbol.dispose]();
  await batch.ended();
  assertEquals(meeting.begun, ["a"]);
  assertEquals(new Set(batch.takers).size, 1);
  await client.nothingIsLeft();
});

natsTest("a node goes on when the server comes back", async () => {
  using _ = silence();
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  for (const end of ["kill", "stop"] as const) {
    using meeting = new Meeting();
    const batch = await client.send(meet, range(4).map((n) => [n]));
    await until(() => meeting.begun.length === 2);
    await server[end]();
    // It goes on with what it has, and keeps what it cannot tell.
    meeting[Symbol.dispose]();
    await until(() => meeting.begun.length === 4);
    const back = client.link.isBack();
    await server.restart();
    await back;
    client.hellos.clear();
    await client.prepare();
    await batch.ended();
    assertEquals(batch.values, range(4));
    assertEquals(await client.nodes(), [node!]);
    await client.nothingIsLeft();
    const next = await client.send((n: number) => 2 * n, [[21]]);
    await next.ended();
    assertEquals(next.values, [42]);
  }
});

natsTest("a node goes on when the server has lost its data", async () => {
  using _ = silence();
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  using meeting = new Meeting();
  const batch = await client.send(meet, [["a"], ["b"]]);
  await until(() => meeting.begun.length === 2);
  await server.kill();
  const back = client.link.isBack();
  await server.restart({ wipe: true });
  await back;
  client.hellos.clear();
  await client.prepare();
  await client.nodes();
  // It has the number of the message that was lost, and is another.
  client.answer = () => null;
  const waits = await client.send(meet, [["waits"]]);
  await until(() => waits.takers.length > 0);
  meeting[Symbol.dispose]();
  await batch.ended();
  assertEquals(batch.values.toSorted(), ["a", "b"]);
  assertEquals(await client.left(), 1, "the other was not acknowledged");
  client.answer = undefined;
  await waits.ended();
  await client.nothingIsLeft();
});

natsTest("a node takes part when streams are made anew", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const { manager, subjects } = client.link;
  await manager.streams.delete(subjects.tasks);
  client.hellos.clear();
  await client.prepare();
  await client.nodes();
  const batch = await client.send(() => 1, [[]]);
  await batch.ended();
  await client.nothingIsLeft();
});

natsTest(
  "a node whose workers are busy acknowledges nothing of streams made anew",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using served = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    using meeting = new Meeting();
    const old = await client.send(meet, [["a"]]);
    await until(() => meeting.begun.length === 1);
    const { manager, subjects } = client.link;
    await manager.streams.delete(subjects.tasks);
    client.hellos.clear();
    await client.prepare();
    await client.nodes();
    // It has the number of the message that is gone with the old stream.
    client.answer = () => null;
    await client.send(meet, [["b"]]);
    meeting[Symbol.dispose]();
    await old.ended();
    const [node] = client.hellos.keys();
    while ((await client.held(node!)).length > 0);
    assertEquals(await client.left(), 1, "the other was not acknowledged");
    client.answer = undefined;
    await client.nothingIsLeft();
    await served.node.drain();
  },
);

natsTest("a node that is one of several gets its part", async () => {
  await using server = await NatsServer.start();
  await using first = new WorkerPoolExecutor({ maxWorkers: 1 });
  await using second = new WorkerPoolExecutor({ maxWorkers: 1 });
  await Promise.all([first.start(), second.start()]);
  await using _first = await serve(server, first);
  await using _second = await serve(server, second);
  await using client = await StandInClient.start(server);
  await client.nodes(2);
  const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
  const batches = await Promise.all(
    range(20).map(() => client.send(sleep, [[]])),
  );
  await Promise.all(batches.map((batch) => batch.ended()));
  for (const executor of [first, second]) {
    assert(executor.stats().finished >= 5, `${executor.stats().finished}`);
  }
});

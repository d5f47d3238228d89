// How a node obeys: calls that are not wanted any more, and its own end.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BrokenExecutorError,
  type Executor,
  PromisePoolExecutor,
  ShutdownError,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { until } from "../helpers/harness.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { range, StandInClient } from "./stand_in_client.ts";
import { meet, Meeting, serve, type TestNode } from "./test_node.ts";

/** Whether a call runs in this executor. */
function runs(executor: Executor): boolean {
  return executor.stats().running > 0;
}

/** A task that ends with its worker. */
function forever(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 1000));
}

natsTest("a node stops calls, and makes the others", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  using meeting = new Meeting();
  const batch = await client.send(meet, range(5).map((n) => [n]));
  await until(() => meeting.begun.length === 2);
  // One runs, one waits.
  client.stop(node!, batch, [1, 3]);
  await until(() => executor.stats().cancelled === 2);
  meeting[Symbol.dispose]();
  await batch.ended(3);
  assertEquals(batch.values, [0, 2, 4]);
  assertEquals(meeting.begun, [0, 1, 2, 4]);
  await client.nothingIsLeft();
  // All that is left of a batch.
  using other = new Meeting();
  const unwanted = await client.send(meet, [["a"]]);
  await until(() => other.begun.length === 1);
  client.stop(node!, unwanted, [0]);
  await client.nothingIsLeft();
  assertEquals(unwanted.outcomes.size, 0);
});

natsTest(
  "a node that is told to stop as it begins does not miss it",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    using meeting = new Meeting();
    client.answered = (batch, node) => client.stop(node, batch, [0]);
    for (let round = 0; round < 20; round++) {
      const batch = await client.send(meet, [[round]]);
      await client.nothingIsLeft();
      assertEquals(batch.values, []);
      meeting.pass(round);
    }
  },
);

natsTest("a node stops what runs in a worker", async () => {
  await using server = await NatsServer.start();
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    gracePeriod: 50,
  });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  const batch = await client.send(forever, [[]]);
  await until(() => runs(executor));
  client.stop(node!, batch, [0]);
  await client.nothingIsLeft();
  const next = await client.send(() => "next", [[]]);
  await next.ended();
  assertEquals(next.values, ["next"]);
});

natsTest(
  "a node that drains gives back what it has not begun, and ends the rest",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using leaving = await serve(server, executor);
    await using client = await StandInClient.start(server);
    const [node] = await client.nodes();
    using meeting = new Meeting();
    const batch = await client.send(meet, range(3).map((n) => [n]));
    await until(() => meeting.begun.length === 1);
    const drained = leaving.node.drain();
    await until(() => batch.back.length === 2);
    assertEquals(batch.back, [1, 2]);
    assertEquals(batch.begun, []);
    await until(() => client.hellos.get(node!)!.leaving);
    const late = await client.send(meet, [["late"]]);
    meeting[Symbol.dispose]();
    await drained;
    assertEquals(await leaving.node.finished, { givenBack: 0 });
    await batch.ended(1);
    assertEquals(batch.values, [0]);
    assertEquals(late.takers, []);
    assertEquals(await client.left(), 1, "the late one is for other nodes");
    assertEquals(meeting.begun, [0]);
    // The executor is its giver's.
    assertEquals(await executor.submit(() => 1), 1);
    await using _other = await serve(server, executor);
    await late.ended();
    assertEquals(late.values, ["late"]);
  },
);

for (const why of ["stopped", "out of time"] as const) {
  natsTest(
    `a node takes nothing in the place of a call that is ${why}, and goes on`,
    async () => {
      await using server = await NatsServer.start();
      await using first = new PromisePoolExecutor({ maxWorkers: 1 });
      await using _first = await serve(server, first);
      await using client = await StandInClient.start(server);
      const [node] = await client.nodes();
      using meeting = new Meeting();
      const options = why === "stopped" ? {} : { timeout: 20 };
      const batch = await client.send(meet, [["a"]], options);
      await until(() => meeting.begun.length === 1);
      await using second = new PromisePoolExecutor({ maxWorkers: 1 });
      await using _second = await serve(server, second);
      await client.nodes(2);
      if (why === "stopped") client.stop(node!, batch, [0]);
      else await batch.ended();
      while ((await client.held(node!)).length > 0);
      const others = [];
      for (const n of range(5)) others.push(await client.send(() => 1, [[n]]));
      await Promise.all(others.map((other) => other.ended()));
      assertEquals(second.stats().finished, 5);
      // As it ends, its place is there again.
      await _second.node.drain();
      const last = await client.send(() => 1, [[]]);
      assertEquals(last.takers, []);
      meeting[Symbol.dispose]();
      await last.ended();
      assertEquals(last.takers, [node]);
    },
  );
}

natsTest("a node that drains gives back what takes too long", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using leaving = await serve(server, executor, { drainTimeout: 100 });
  await using client = await StandInClient.start(server);
  await client.nodes();
  using meeting = new Meeting();
  const batch = await client.send(meet, [["a"]]);
  await until(() => meeting.begun.length === 1);
  const begun = performance.now();
  await leaving.node.drain();
  assert(performance.now() - begun >= 95);
  assertEquals(await leaving.node.finished, { givenBack: 1 });
  assertEquals(batch.back, [0]);
  assertEquals(batch.begun, [0]);
  assertEquals(executor.stats().cancelled, 1);
  await client.nothingIsLeft();
});

natsTest(
  "a node that drains leaves in the end, whatever its client says",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using leaving = await serve(server, executor, { drainTimeout: 100 });
    await using client = await StandInClient.start(server);
    await client.nodes();
    client.says = "nothing";
    using meeting = new Meeting();
    await client.send(meet, [["a"], ["b"]]);
    await until(() => meeting.begun.length === 1);
    await leaving.node.drain();
    assertEquals(await leaving.node.finished, { givenBack: 1 });
  },
);

natsTest("a node that drains gives back what it has asked for", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using leaving = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  client.answer = () => null;
  const batch = await client.send(() => 1, [[]]);
  await until(() => batch.takers.length > 0);
  const drained = leaving.node.drain();
  client.answer = undefined;
  await drained;
  assertEquals(batch.back, [0]);
  await client.nothingIsLeft();
});

natsTest(
  "a node with an executor that was shut down gives all back, and says why",
  async () => {
    await using server = await NatsServer.start();
    for (
      const close of [
        (executor: WorkerPoolExecutor) => executor.shutdown(),
        (executor: WorkerPoolExecutor) => executor.terminate(),
      ]
    ) {
      const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
      await using serving: TestNode = await serve(server, executor);
      await using client = await StandInClient.start(server);
      await client.nodes();
      await close(executor);
      const batch = await client.send(() => 1, [[], []]);
      await assertRejects(() => serving.node.finished, ShutdownError);
      assertEquals(batch.back, [0, 1]);
      assertEquals(batch.values, []);
      await client.nothingIsLeft();
    }
  },
);

natsTest("a node whose executor ends gives back what it had", async () => {
  await using server = await NatsServer.start();
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await using serving = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const batch = await client.send(forever, [[], []]);
  await until(() => runs(executor));
  await executor.terminate();
  await assertRejects(() => serving.node.finished);
  assertEquals(batch.back.toSorted(), [0, 1]);
  await client.nothingIsLeft();
});

natsTest(
  "a node whose executor breaks gives back what it had, and says why",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      initializer: () => {
        throw new RangeError("No such database");
      },
    });
    await using serving = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    const batch = await client.send(() => 1, [[], []]);
    const error = await assertRejects(
      () => serving.node.finished,
      BrokenExecutorError,
    );
    assertEquals((error.cause as Error).message, "No such database");
    assertEquals(batch.back, [0, 1]);
    assertEquals(batch.outcomes.size, 0);
    await client.nothingIsLeft();
  },
);

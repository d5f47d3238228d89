// What is lost on the way, and that no future is.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { WorkerCrashedError } from "../../../mod.ts";
import { NatsPoolExecutor } from "../../../executors/nats/mod.ts";
import { encodeMessage } from "../../../executors/nats/messages.ts";
import { until } from "../helpers/harness.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { endWaiting, setUp, startNode, wait, warnings } from "./pool_kit.ts";
import { StandInNode } from "./stand_in_node.ts";

natsTest("A node that dies costs no task", async () => {
  await using set = await setUp({ workers: 1 });
  const { pool, node, servers } = set;
  const future = pool.submit(wait, 5);
  await until(() => node.has.size === 1);
  await using other = await StandInNode.start({ servers });
  await node.die();
  const begun = performance.now();
  await until(() => other.has.size === 1);
  // By silence alone, that would take 10 seconds and more.
  const passed = performance.now() - begun;
  assert(passed < 8000, `${passed} ms`);
  assertStrictEquals(future.state, "running");
  assert(!future.cancel(), "as it was begun");
  endWaiting();
  assertStrictEquals(await future, 5);
});

natsTest(
  "A task that kills its nodes fails, and those that travelled with it do not",
  async () => {
    await using server = await NatsServer.start();
    const { url: servers } = server;
    await using pool = new NatsPoolExecutor({ servers });
    let deaths = 0;
    const nodes = new Set<StandInNode>();
    const start = async () => {
      const node = await StandInNode.start({ servers }, {
        workers: 1,
        taken: () => {
          const { natsTestKills } = globalThis as { natsTestKills?: boolean };
          return natsTestKills;
        },
      });
      nodes.add(node);
      return node;
    };
    // It kills the node that runs it, before that can say a word.
    (globalThis as { natsTestKills?: unknown }).natsTestKills = true;
    (globalThis as { natsTestKill?: unknown }).natsTestKill = async () => {
      deaths++;
      const [node] = [...nodes].filter(({ has }) => has.size > 0);
      nodes.delete(node!);
      await Promise.all([node!.die(), start()]);
      await new Promise(() => {});
    };
    const perform = async (n: number) => {
      if (n !== 3) return n;
      await (globalThis as unknown as { natsTestKill: () => Promise<void> })
        .natsTestKill();
    };
    await start();
    const mapped = [0, 1, 2, 3, 4, 5].map((n) => pool.submit(perform, n));
    for (const [n, future] of mapped.entries()) {
      if (n !== 3) assertStrictEquals(await future, n);
    }
    const error = await assertRejects(
      () => mapped[3]!.result(),
      WorkerCrashedError,
    );
    assertMatch(
      error.message,
      /^Node stand-in was lost with task 'perform', as all 3 /,
    );
    assertStrictEquals(deaths, 3);
    for (const node of nodes) await node.die();
  },
);

natsTest(
  "A task that is lost is made again though the rest was cancelled",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node, servers } = set;
    const begun = pool.submit(wait, 5);
    await until(() => node.has.size === 1);
    const others = [6, 7, 8, 9].map((n) => pool.submit(wait, n));
    const closed = pool.shutdown({ cancelFutures: true });
    assertStrictEquals(others.at(-1)!.state, "cancelled");
    await using other = await StandInNode.start({ servers });
    await node.die();
    await until(() => other.has.size === 1);
    endWaiting();
    await closed;
    assertStrictEquals(await begun, 5);
  },
);

natsTest(
  "A task that is lost is sent once though the rest was cancelled, however long it waits",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node, servers } = set;
    const begun = pool.submit(wait, 5);
    await until(() => node.has.size === 1);
    const closed = pool.shutdown({ cancelFutures: true });
    const taken: string[] = [];
    const go = Promise.withResolvers<void>();
    const beforeTake = (batch: string) => {
      taken.push(batch);
      return go.promise;
    };
    await using other = await StandInNode.start({ servers }, { beforeTake });
    await node.die();
    await until(() => taken.length > 0);
    // The client looks twice a second whether all is well.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    go.resolve();
    await until(() => other.has.size === 1);
    endWaiting();
    await closed;
    assertStrictEquals(await begun, 5);
    assertStrictEquals(taken.length, 1);
  },
);

natsTest(
  "A task that is lost, and cannot be sent again, leaves nothing of it",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node, servers } = set;
    let gone = false;
    const argument = {
      get n() {
        if (gone) throw new Error("Gone");
        return 5;
      },
    };
    const future = pool.submit(wait, argument);
    await until(() => node.has.size === 1);
    gone = true;
    await using _other = await StandInNode.start({ servers });
    await node.die();
    await assertRejects(() => future.result(), DOMException, "Gone");
    await pool.shutdown();
  },
);

natsTest("With maxDeliveries of 1 nothing runs twice", async () => {
  await using set = await setUp({ workers: 1 }, 1);
  const { pool, node, servers } = set;
  const future = pool.submit(wait, 5);
  const other = pool.submit((n: number) => n, 6);
  await until(() => node.has.size === 1);
  await using _second = await StandInNode.start({ servers });
  await node.die();
  await assertRejects(() => future.result(), WorkerCrashedError);
  assertStrictEquals(await other, 6);
});

natsTest(
  "A node that has forgotten a batch costs no task, and is not blamed",
  async () => {
    let taken = 0;
    await using set = await setUp({
      workers: 1,
      taken: () => ++taken > 1,
    }, 2);
    const { pool, node } = set;
    const future = pool.submit((n: number) => n, 7);
    await until(() => node.has.size === 1);
    node.has.clear();
    assertStrictEquals(await future, 7);
    assertStrictEquals(taken, 2);
  },
);

natsTest(
  "A node that is frozen costs no task, and is told to stop when it goes on",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node, servers } = set;
    const future = pool.submit(wait, 5);
    await until(() => node.has.size === 1);
    node.frozen = true;
    const begun = performance.now();
    await using other = await StandInNode.start({ servers });
    await until(() => other.has.size === 1);
    const passed = performance.now() - begun;
    assert(passed > 9000 && passed < 15_000, `${passed} ms`);
    endWaiting();
    assertStrictEquals(await future, 5);
    // Its outcome comes late, and changes nothing.
    node.frozen = false;
    await until(() => node.has.size === 0);
    assertStrictEquals(await pool.submit((n: number) => n, 6), 6);
    assertStrictEquals(pool.stats().finished, 2);
  },
);

natsTest(
  "An outcome that comes late after all is as good as another",
  async () => {
    const taken = Promise.withResolvers<void>();
    await using set = await setUp({ workers: 1, taken: () => taken.resolve() });
    const { pool, node } = set;
    const future = pool.submit((n: number) => n, 5);
    await taken.promise;
    node.frozen = true;
    // Nobody says that a node is there from when it is lost on.
    await until(() => pool.maxWorkers === 0);
    assertStrictEquals(future.state, "running");
    assertEquals(pool.stats().running, 1);
    node.frozen = false;
    assertStrictEquals(await future, 5);
  },
);

for (const wipe of [false, true]) {
  const how = wipe ? "without its data" : "with its data";
  natsTest(
    `A server that is killed and comes back ${how} costs no task`,
    async () => {
      const written = await warnings(async () => {
        await using set = await setUp({ workers: 1 });
        const { pool, node, server } = set;
        const begun = pool.submit(wait, 1);
        await until(() => node.has.size === 1);
        const others = [2, 3, 4, 5].map((n) =>
          pool.submit((n: number) => n, n)
        );
        await server.kill();
        const late = pool.submit((n: number) => n, 6);
        await server.restart({ wipe });
        await until(() => pool.maxWorkers > 0);
        // If its result comes before there is a consumer for it, it runs again.
        const ends = setInterval(endWaiting, 10);
        const results = await Promise.all([begun, ...others, late]);
        clearInterval(ends);
        assertEquals(results, [1, 2, 3, 4, 5, 6]);
      });
      assertStrictEquals(written.length, 1, written.join("\n"));
      assertMatch(
        written[0]!,
        /^Lost the connection to NATS at .*: trying to get it back$/,
      );
    },
  );
}

natsTest(
  "Work of a server that is away can be cancelled, and terminated",
  async () => {
    await warnings(async () => {
      await using set = await setUp({ workers: 1 });
      const { pool, node, server } = set;
      const begun = pool.submit(wait, 1);
      await until(() => node.has.size === 1);
      await server.kill();
      const future = pool.submit((n: number) => n, 2);
      assert(future.cancel());
      const since = performance.now();
      await pool.terminate();
      assert(performance.now() - since < 1000);
      assertStrictEquals(begun.state, "finished");
      await server.restart();
    });
  },
);

natsTest("Messages that are none disturb nothing", async () => {
  await using set = await setUp();
  const { pool, servers } = set;
  await pool.start();
  await using other = await link({ servers });
  const { nats, subjects } = other;
  const { num_pending: _, name: client } =
    (await other.manager.consumers.list(subjects.results).next())[0]!;
  for (const text of ["", "{}", "\0\0\0\x02{}", "x".repeat(1000)]) {
    nats.publish(subjects.client(client), text);
    nats.publish(subjects.hello("n"), text);
    nats.publish(subjects.result(client, "1"), text);
  }
  await nats.flush();
  assertStrictEquals(await pool.submit((n: number) => n, 2), 2);
});

natsTest(
  "A large result that is not what was announced fails its task",
  async () => {
    const taken = Promise.withResolvers<{ ticket: string; batch: string }>();
    await using set = await setUp({
      taken: ({ ticket }, batch) => {
        taken.resolve({ ticket, batch });
        return false;
      },
    });
    const { pool, servers } = set;
    const future = pool.submit((n: number) => n, 2);
    const { ticket, batch } = await taken.promise;
    await using other = await link({ servers });
    const { subjects, parts, manager } = other;
    const [client] = (await manager.consumers.list(subjects.results).next())
      .map(({ name }) => name);
    const large = await parts.put(client!, batch, "0", new Uint8Array(100));
    await manager.jetstream().publish(
      subjects.result(client!, batch),
      encodeMessage({
        type: "done",
        ticket,
        batch,
        outcomes: [{
          calls: 1,
          from: 0,
          failed: false,
          ms: 1,
          large: { ...large, size: 200 },
        }],
      }),
    );
    const error = await assertRejects(() => future.result(), DOMException);
    assertStrictEquals(error.name, "DataCloneError");
  },
);

natsTest(
  "A consumer, and streams, that somebody has removed are made again",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node, servers } = set;
    await using other = await link({ servers });
    const { subjects, manager } = other;
    const begun = pool.submit(wait, 1);
    await until(() => node.has.size === 1);
    const [consumer] = await manager.consumers.list(subjects.results).next();
    await manager.consumers.delete(subjects.results, consumer!.name);
    // Its result goes nowhere, and so it runs again.
    endWaiting();
    const ends = setInterval(endWaiting, 10);
    assertStrictEquals(await begun, 1);
    for (const stream of [subjects.tasks, subjects.results, subjects.parts]) {
      await manager.streams.delete(stream);
    }
    assertStrictEquals(await pool.submit((n: number) => n, 2), 2);
    clearInterval(ends);
  },
);

natsTest(
  "A program that computes for long takes no node for silent",
  async () => {
    await using server = await NatsServer.start();
    const { url: servers } = server;
    await using pool = new NatsPoolExecutor({ servers });
    const node = await startNode(servers);
    await pool.start();
    const events: unknown[] = [];
    pool.addEventListener("task", ({ outcome }) => events.push(outcome));
    const count = (path: string) => {
      Deno.writeTextFileSync(path, "x", { append: true });
      return new Promise((resolve) => setTimeout(resolve, 13_000));
    };
    const path = await Deno.makeTempFile();
    const future = pool.submit(count, path);
    await until(() => future.running());
    const ended = performance.now() + 12_000;
    while (performance.now() < ended);
    await future;
    assertStrictEquals(await Deno.readTextFile(path), "x", "it ran once");
    await Deno.remove(path);
    node.kill("SIGKILL");
    await node.status;
  },
);

// A pool over a real server, with a node that does what it is told.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  currentTask,
  ShutdownError,
  type TaskEvent,
  TimeoutError,
  transfer,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "../../../mod.ts";
import { NatsPoolExecutor } from "../../../executors/nats/mod.ts";
import { until } from "../helpers/harness.ts";
import { link } from "./links.ts";
import { freePort, NatsServer, natsTest } from "./nats_server.ts";
import { endWaiting, setUp, wait, warnings } from "./pool_kit.ts";
import { StandInNode } from "./stand_in_node.ts";

/** A promise that is resolved by the test. */
function gate() {
  return Promise.withResolvers<void>();
}

natsTest("NatsPoolExecutor runs tasks on a node", async () => {
  await using set = await setUp();
  const { pool } = set;
  assertEquals(await pool.submit((a: number, b: number) => a * b, 6, 7), 42);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  assertEquals(
    await pool.map((n: number) => n + 1, numbers),
    numbers.map((n) => n + 1),
  );
  assertEquals(await pool.map(() => 1, []), []);
  const error = await assertRejects(() =>
    pool.submit(() => {
      throw new RangeError("Zero");
    }).result(), RangeError);
  assertStrictEquals(error.message, "Zero");
  const { finished, failed, running, pending, workers } = pool.stats();
  assertEquals([finished, failed, running, pending], [1001, 1, 0, 0]);
  assertEquals(workers.map(({ name }) => name), [
    "stand-in/worker-1",
    "stand-in/worker-2",
  ]);
  assertStrictEquals(workers.reduce((sum, { tasks }) => sum + tasks, 0), 1002);
  assertStrictEquals(pool.maxWorkers, 2);
});

natsTest("NatsPoolExecutor sends values of all kinds", async () => {
  await using set = await setUp();
  const { pool } = set;
  const kind = (value: unknown) => Object.prototype.toString.call(value);
  const values = [new Map([[1, 2]]), 1, new Date(), [1n], new Error("e")];
  assertEquals(await pool.map(kind, values), values.map(kind));
  const same = await pool.submit(
    (a: object, b: object) => a === b,
    values,
    values,
  );
  assert(same);
  const bytes = new Uint8Array(1000).fill(7);
  const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b);
  assertStrictEquals(
    await pool.submit(sum, transfer(bytes, [bytes.buffer])),
    7000,
  );
  assertStrictEquals(bytes.length, 0);
  const refused = await assertRejects(
    () => pool.submit((_: unknown) => 1, () => 2).result(),
    DOMException,
  );
  assertMatch(refused.message, /^Cannot send argument 1 /);
  // The others of a map are not lost with it.
  const settled = pool.map((n: unknown) => n, [1, () => 2, 3]);
  assertEquals((await settled.next()).value, 1);
  await assertRejects(() => settled.next(), DOMException);
});

natsTest(
  "NatsPoolExecutor sends large values by parts, and leaves nothing",
  async () => {
    await using set = await setUp();
    const { pool, servers } = set;
    const bytes = new Uint8Array(3_000_000).map((_, i) => i);
    const back = await pool.submit(
      (bytes: Uint8Array) => bytes.slice(1),
      bytes,
    );
    assertEquals(back, bytes.slice(1));
    const text = "x".repeat(400_000);
    const many = await pool.map((text: string, n: number) => text + n, [
      text,
      text,
      text,
      text,
    ], [1, 2, 3, 4]);
    assertEquals(many, [1, 2, 3, 4].map((n) => text + n));
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(1_500_000));
    assertEquals(await pool.map((text: string) => text, texts), texts);
    await pool.shutdown();
    await using after = await link({ servers });
    const { subjects } = after;
    for (const stream of [subjects.tasks, subjects.results, subjects.parts]) {
      assertStrictEquals(await after.messagesIn(stream), 0, stream);
    }
    const info = await after.manager.streams.info(subjects.results);
    assertStrictEquals(info.state.consumer_count, 0);
  },
);

natsTest(
  "NatsPoolExecutor sends nothing before a node is there, and can cancel everything",
  async () => {
    await using server = await NatsServer.start();
    const { url: servers } = server;
    await using pool = new NatsPoolExecutor({ servers });
    const futures = [1, 2, 3].map((n) => pool.submit((n: number) => n, n));
    assertEquals(await pool.nodes(), []);
    assertEquals(futures.map(({ state }) => state), [
      "pending",
      "pending",
      "pending",
    ]);
    assert(futures[1]!.cancel("reason"));
    assertEquals(pool.stats().pending, 2);
    await using _node = await StandInNode.start({ servers });
    assertEquals(await futures[0], 1);
    assertEquals(await futures[2], 3);
    await assertRejects(() => futures[1]!.result(), CancelledError);
  },
);

natsTest(
  "NatsPoolExecutor keeps most of its queue to itself, and knows what no node was told to begin",
  async () => {
    const open = gate();
    const asked: string[] = [];
    await using set = await setUp({
      workers: 1,
      beforeTake: (batch) => {
        asked.push(batch);
        return open.promise;
      },
    });
    const { pool, node, servers } = set;
    await pool.start();
    const futures = Array.from({ length: 10 }, (_, n) => pool.submit(wait, n));
    await until(() => asked.length > 0);
    await using other = await link({ servers });
    // Two messages for the only worker; nothing is known of how long it takes.
    while (await other.messagesIn(other.subjects.tasks) < 2);
    assertStrictEquals(await other.messagesIn(other.subjects.tasks), 2);
    assert(futures.every(({ state }) => state === "pending"));
    assert(futures[0]!.cancel(), "as it was sent, and not begun");
    assert(futures[9]!.cancel(), "as it waits here");
    open.resolve();
    await until(() => node.has.size > 0);
    assertEquals(futures.map(({ state }) => state), [
      "cancelled",
      "running",
      ...new Array(7).fill("pending"),
      "cancelled",
    ]);
    assert(!futures[1]!.cancel(), "as it was begun");
    const ends = setInterval(endWaiting, 1);
    for (const [n, future] of futures.slice(1, 9).entries()) {
      assertStrictEquals(await future, n + 1);
    }
    clearInterval(ends);
  },
);

natsTest(
  "NatsPoolExecutor has nobody begin what was aborted before",
  async () => {
    const open = gate();
    const asked: string[] = [];
    const gone: number[][] = [];
    await using set = await setUp({
      beforeTake: (batch) => {
        asked.push(batch);
        return open.promise;
      },
      taken: ({ calls }) => void gone.push([...calls]),
    });
    const { pool } = set;
    await pool.start();
    const stop = new AbortController();
    const future = pool.submitWith({ signal: stop.signal }, () => 1);
    await until(() => asked.length === 1);
    stop.abort("reason");
    const error = await assertRejects(() => future.result(), CancelledError);
    assertStrictEquals(error.cause, "reason");
    assertStrictEquals(future.state, "cancelled");
    const other = pool.submit(() => 2);
    open.resolve();
    assertStrictEquals(await other, 2);
    assertEquals(gone, [[0]], "one was let go: the other");
  },
);

natsTest(
  "NatsPoolExecutor has a node stop what was aborted later",
  async () => {
    await using set = await setUp();
    const { pool, node } = set;
    const stop = new AbortController();
    const future = pool.submitWith({ signal: stop.signal }, wait);
    await until(() => node.has.size === 1);
    stop.abort();
    await assertRejects(() => future.result(), CancelledError);
    await until(() => node.stopped.length > 0);
    assertEquals(node.stopped[0]!.calls, [0]);
    await until(() => node.has.size === 0);
  },
);

natsTest("NatsPoolExecutor has a node keep the time of a task", async () => {
  await using set = await setUp();
  const { pool } = set;
  const begun = performance.now();
  const future = pool.submitWith({ timeout: 300 }, wait);
  const error = await assertRejects(() => future.result(), TimeoutError);
  assertMatch(error.message, /timeout of 300 ms/);
  assert(performance.now() - begun < 3000);
  assertStrictEquals(future.state, "finished");
});

natsTest(
  "NatsPoolExecutor takes calls back that a node has not begun",
  async () => {
    let first: string | undefined;
    await using set = await setUp({
      taken: ({ ticket }) => {
        if (first !== undefined) return true;
        first = ticket;
        return false;
      },
    });
    const { pool, node } = set;
    const future = pool.submit((n: number) => n, 5);
    await until(() => first !== undefined && node.has.has(first));
    assertStrictEquals(future.state, "running");
    await node.giveBack(first!, [0]);
    assertStrictEquals(await future, 5);
  },
);

for (const maxDeliveries of [1, 2]) {
  natsTest(
    `NatsPoolExecutor takes calls back that a node has begun as such, with maxDeliveries of ${maxDeliveries}`,
    async () => {
      let first: string | undefined;
      const freed = Promise.withResolvers<void>();
      await using set = await setUp({
        workers: 1,
        beforeTake: () => first === undefined ? undefined : freed.promise,
        taken: ({ ticket }) => {
          if (first !== undefined) return true;
          first = ticket;
          return false;
        },
      }, maxDeliveries);
      const { pool, node } = set;
      const future = pool.submit((n: number) => n, 5);
      await until(() => first !== undefined && node.has.has(first));
      await node.giveBack(first!, [0], "begun");
      if (maxDeliveries === 1) {
        await assertRejects(() => future.result(), WorkerCrashedError);
      } else {
        assertStrictEquals(future.state, "running");
        assert(!future.cancel(), "as it was begun");
        freed.resolve();
        assertStrictEquals(await future, 5);
      }
    },
  );
}

natsTest("NatsPoolExecutor.shutdown() lets what is pending run", async () => {
  await using set = await setUp();
  const { pool } = set;
  const futures = Array.from(
    { length: 50 },
    (_, n) => pool.submit((n: number) => n, n),
  );
  const closed = pool.shutdown();
  assertThrows(() => pool.submit(() => 1), ShutdownError);
  await closed;
  assert(futures.every(({ state }) => state === "finished"));
  await pool.shutdown();
  await assertRejects(() => pool.start(), ShutdownError);
  await assertRejects(() => pool.nodes(), ShutdownError);
});

natsTest(
  "NatsPoolExecutor.shutdown() cancels what no node has been told to begin",
  async () => {
    await using set = await setUp({ workers: 1 });
    const { pool, node } = set;
    const wait = (ms: number) =>
      new Promise((resolve) => setTimeout(resolve, ms));
    const first = pool.submit(wait, 500);
    await until(() => node.has.size === 1);
    const others = [1, 2, 3].map(() => pool.submit(wait, 1));
    await pool.shutdown({ cancelFutures: true });
    assertStrictEquals(first.state, "finished");
    assertEquals(others.map(({ state }) => state), [
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  },
);

natsTest("NatsPoolExecutor.terminate() ends everything at once", async () => {
  await using set = await setUp({ workers: 1 });
  const { pool, node } = set;
  const first = pool.submit(wait);
  await until(() => node.has.size === 1);
  const other = pool.submit(wait);
  const closed = pool.terminate();
  await assertRejects(() => first.result(), WorkerTerminatedError);
  await assertRejects(() => other.result(), CancelledError);
  await closed;
  await until(() => node.stopped.some(({ why }) => why === "terminated"));
  assertThrows(() => pool.submit(() => 1), ShutdownError);
});

natsTest("NatsPoolExecutor is broken where there is no server", async () => {
  const port = freePort();
  await using pool = new NatsPoolExecutor({
    servers: `nats://ann:secret@127.0.0.1:${port}`,
    connectTimeout: 100,
  });
  const started = pool.start();
  const future = pool.submit(() => 1);
  const mapped = pool.map((n: number) => n, [1, 2]);
  const error = await assertRejects(() => future.result(), BrokenExecutorError);
  assertMatch(
    error.message,
    /^Cannot reach NATS at nats:\/\/127\.0\.0\.1:\d+ /,
  );
  await assertRejects(() => started, BrokenExecutorError);
  await assertRejects(async () => await mapped, BrokenExecutorError);
  assertThrows(() => pool.submit(() => 1), BrokenExecutorError);
  await assertRejects(() => pool.nodes(), BrokenExecutorError);
});

natsTest("NatsPoolExecutor is broken where there is no JetStream", async () => {
  await using server = await NatsServer.start({ jetstream: false });
  await using pool = new NatsPoolExecutor({ servers: server.url });
  const error = await assertRejects(() => pool.nodes(), BrokenExecutorError);
  assertMatch(error.message, /has no JetStream/);
});

natsTest("NatsPoolExecutor.nodes() tells who is there", async () => {
  await using set = await setUp({ workers: 3, name: "ann" });
  const [node, ...others] = await set.pool.nodes();
  assertEquals(others, []);
  const { since, ...rest } = node!;
  assert(Math.abs(since - Date.now()) < 10_000);
  assertEquals(rest, {
    name: "ann",
    host: "localhost",
    workers: 3,
    busy: 0,
    pool: "default",
    deno: Deno.version.deno,
    version: "0.1.0",
  });
});

natsTest(
  "NatsPoolExecutor does not use a node that speaks another protocol, and says so once",
  async () => {
    const written = await warnings(async () => {
      await using set = await setUp({ name: "old", hello: { protocol: 7 } });
      const { pool, node } = set;
      const future = pool.submit(() => 1);
      assertEquals(await pool.nodes(), []);
      node.hello();
      assertEquals(await pool.nodes(), []);
      assertStrictEquals(future.state, "pending");
      await using _other = await StandInNode.start({ servers: set.servers });
      assertStrictEquals(await future, 1);
    });
    assertStrictEquals(written.length, 1, written.join());
    assertMatch(
      written[0]!,
      /^Node old on localhost is not used: it speaks protocol 7 .* and this program 1; install/,
    );
  },
);

natsTest(
  "NatsPoolExecutor only warns of nodes with other versions",
  async () => {
    const written = await warnings(async () => {
      await using set = await setUp({ hello: { deno: "1.0.0" } });
      assertStrictEquals(await set.pool.submit(() => 1), 1);
      set.node.hello();
      assertStrictEquals(await set.pool.submit(() => 1), 1);
    });
    assertStrictEquals(written.length, 1);
    assertMatch(written[0]!, /^Some nodes have Deno 1\.0\.0 /);
  },
);

natsTest(
  "NatsPoolExecutor says after 10 s that there is no node, once, and no password",
  async () => {
    await using server = await NatsServer.start({
      config: `authorization { user: ann, password: secret }`,
    });
    const written = await warnings(async () => {
      await using pool = new NatsPoolExecutor({
        servers: `nats://ann:secret@127.0.0.1:${server.port}`,
        pool: "other",
      });
      const future = pool.submit(() => 1);
      const begun = performance.now();
      await until(() => performance.now() - begun > 12_000);
      assert(future.cancel());
    });
    assertEquals(written, [
      `No node serves pool "other" at ${server.url}: start one with futures serve ${server.url} --pool other`,
    ]);
  },
);

natsTest("NatsPoolExecutor tells who has run a task", async () => {
  await using set = await setUp();
  const { pool } = set;
  const events: TaskEvent[] = [];
  pool.addEventListener("task", (event) => events.push(event));
  await pool.submit(() => 1);
  const [{ worker, started, ended, outcome }] = events as [TaskEvent];
  assertEquals([worker, outcome], ["stand-in/worker-1", "finished"]);
  assert(started! <= ended && Math.abs(ended - Date.now()) < 10_000);
});

natsTest("NatsPoolExecutor connects again after it was idle", async () => {
  await using set = await setUp();
  const { pool, servers } = set;
  assertStrictEquals(await pool.submit(() => 1), 1);
  await using other = await link({ servers });
  const listening = async () => {
    try {
      const { subjects, nats } = other;
      await nats.request(subjects.who("c"), "", { timeout: 50 });
    } catch {
      // Nodes do not answer that.
    }
    const { streams } = other.manager;
    const { state } = await streams.info(other.subjects.results);
    return state.consumer_count;
  };
  assertStrictEquals(await listening(), 1);
  // The consumer goes 5 s after its client has.
  while (await listening() > 0);
  assertStrictEquals(await pool.submit(() => 2), 2);
});

Deno.test("NatsPoolExecutor checks its options at once", () => {
  assertThrows(() => new NatsPoolExecutor({ maxDeliveries: 0 }), RangeError);
  assertThrows(() => new NatsPoolExecutor({ pool: "a b" }), RangeError);
  assertThrows(() => new NatsPoolExecutor(null as never), TypeError);
  const pool = new NatsPoolExecutor();
  assertThrows(() => pool.submit(Math.max, 1), TypeError);
  assertStrictEquals(currentTask(), undefined);
});

// What calls report, on the way from a node to its client.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
} from "@std/assert";
import {
  type Executor,
  ProcessPoolExecutor,
  PromisePoolExecutor,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { Reports } from "../../../executors/nats/node/reports.ts";
import { isPending, settle, until } from "../helpers/harness.ts";
import {
  reportForever,
  reportUnsendable,
  reportUpTo,
} from "../helpers/report_tasks.ts";
import { seenAttempt } from "../helpers/tasks.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { StandInClient } from "./stand_in_client.ts";
import { serve } from "./test_node.ts";

/** A queue of reports, and what it has said. */
function queue(room = 1000) {
  const said: { before: number; calls: number[]; heard: () => void }[] = [];
  const reports = new Reports((head, blocks) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const calls = head.reports.map(({ call, bytes }, i) => {
      assertEquals(bytes, blocks[i]!.length);
      return call;
    });
    said.push({ before: head.before, calls, heard: resolve });
    return promise;
  }, () => room);
  const add = (call: number, bytes = 10) =>
    reports.add(call, new Uint8Array(bytes));
  return { reports, said, add };
}

Deno.test("Reports says one message at a time, and then all that waits", async () => {
  const { reports, said, add } = queue();
  assertEquals(reports.flushed(), undefined);
  for (const call of [0, 1, 0]) assert(add(call));
  assertEquals(said.map(({ calls }) => calls), [[0]]);
  said[0]!.heard();
  await settle();
  assertEquals(said[1]!.calls, [1, 0]);
  assertEquals(said.map(({ before }) => before), [0, 1]);
  add(5);
  said[1]!.heard();
  await settle();
  assertEquals([said[2]!.before, said[2]!.calls], [3, [5]]);
  said[2]!.heard();
  await settle();
  assertEquals(reports.flushed(), undefined);
  add(6);
  assertEquals([said[3]!.before, said[3]!.calls], [4, [6]]);
});

Deno.test("Reports says as many as a message has room for, and at least one", async () => {
  const { said, add } = queue(1000);
  for (const bytes of [1, 400, 400, 400, 5000, 1]) add(bytes, bytes);
  for (let i = 0; i < said.length; i++) {
    said[i]!.heard();
    await settle();
  }
  const calls = said.map(({ calls }) => calls);
  assertEquals(calls, [[1], [400, 400], [400], [5000], [1]]);
});

Deno.test("Reports is flushed when what was reported before was heard, whatever follows", async () => {
  const { reports, said, add } = queue();
  add(0);
  add(1);
  const flushed = reports.flushed()!;
  assert(await isPending(flushed));
  add(2);
  said[0]!.heard();
  assert(await isPending(flushed));
  const later = reports.flushed()!;
  add(3);
  assertEquals(said[1]!.calls, [1, 2]);
  said[1]!.heard();
  await Promise.all([flushed, later]);
  assert(await isPending(reports.flushed()!));
});

Deno.test("Reports takes no more than so much, and again once some was heard", async () => {
  const { said, add } = queue();
  let count = 0;
  while (add(count, 2 ** 20)) count++;
  assertEquals(count, 15);
  assert(add(count, 1000));
  said[0]!.heard();
  await settle();
  assert(add(count, 2 ** 20));
  assert(!add(count, 2 ** 20));
});

Deno.test("Reports keeps nobody waiting for a batch that is over", async () => {
  const { reports, said, add } = queue();
  add(0);
  add(1);
  const flushed = reports.flushed()!;
  reports.end();
  await flushed;
  said[0]!.heard();
  await settle();
  assertEquals(said.length, 1);
});

/** A node whose calls are all of one task, and a client; `send` sends calls of that. */
async function setUp(
  // deno-lint-ignore no-explicit-any
  fn: (...args: any[]) => unknown,
  executor: Executor = new WorkerPoolExecutor({ maxWorkers: 1 }),
) {
  const server = await NatsServer.start();
  const functions = { find: () => Promise.resolve(fn) };
  const node = await serve(server, executor, { functions });
  const client = await StandInClient.start(server);
  await client.nodes();
  return {
    client,
    send: (calls: unknown[][]) => client.send(fn, calls, { reports: true }),
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]();
      await executor.shutdown();
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

natsTest(
  "a node says reports until they are heard, each once and before the outcome",
  async () => {
    await using set = await setUp(reportUpTo);
    const { client } = set;
    // Not at all, and then without an answer.
    client.hears = (messages) =>
      messages === 1 ? "nothing" : messages === 2 ? "unsaid" : "yes";
    const batch = await set.send([[0, 50], [100, 130]]);
    await batch.ended();
    assertEquals(batch.values, [0, 100]);
    for (const [call, from, count] of [[0, 0, 50], [1, 100, 30]] as const) {
      const mine = batch.reports.filter((report) => report.call === call);
      assertEquals(
        mine.map(({ value }) => value),
        Array.from({ length: count }, (_, i) => from + i),
      );
      assert(mine.every(({ outcomes }) => outcomes <= call));
    }
    await client.nothingIsLeft();
  },
);

natsTest("a node says nothing that nobody wants to hear", async () => {
  await using set = await setUp(reportUpTo);
  const batch = await set.client.send(reportUpTo, [[0, 50]]);
  await batch.ended();
  assertEquals([batch.values, batch.messages], [[0], 0]);
});

const EXECUTORS = [
  new WorkerPoolExecutor({ maxWorkers: 1 }),
  new ProcessPoolExecutor({ maxWorkers: 1 }),
  new PromisePoolExecutor({ maxWorkers: 1 }),
];
for (const executor of EXECUTORS) {
  natsTest(
    `what cannot go to the client throws in the task, in a ${executor.constructor.name}`,
    async () => {
      await using set = await setUp(reportUnsendable, executor);
      const batch = await set.send([[500_000, 1_000_000]]);
      await batch.ended();
      const [errors] = batch.values as [string[]];
      assertEquals(batch.reports.map(({ value }) => value), [
        "x".repeat(500_000),
        "moved",
      ]);
      assertEquals(errors.length, 3);
      assertMatch(
        errors[0]!,
        /1000\d{3} bytes are more than the \d+ of the largest report$/,
      );
      for (const error of errors) assertMatch(error, /^Cannot report /);
    },
  );
}

natsTest(
  "a call that reports more than its client hears fails alone",
  async () => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 2, gracePeriod: 0 });
    await using set = await setUp(reportForever, executor);
    const { client } = set;
    client.hears = () => "nothing";
    const flood = await set.send([["x".repeat(600_000)]]);
    await until(() => executor.stats().cancelled === 1);
    client.hears = () => "yes";
    await flood.ended();
    assert(flood.outcomes.get(0)!.failed);
    const [error] = flood.values;
    assertInstanceOf(error, RangeError);
    assertEquals(
      error.message,
      "Task 'reportForever' reports more than its client hears",
    );
    const other = await set.send([[undefined]]);
    await other.ended();
    assertEquals(other.values, ["nothing to report"]);
    await client.nothingIsLeft();
  },
);

natsTest("a node has the number of an attempt with its calls", async () => {
  await using set = await setUp(seenAttempt);
  const { client } = set;
  const batch = await client.send(seenAttempt, [[1], [2]], { attempt: 3 });
  await batch.ended();
  assertEquals(batch.values, [[3, 3], [3, 3]]);
});

// What a node does with calls, seen by a stand-in for a client.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  PromisePoolExecutor,
  TimeoutError,
  WorkerCrashedError,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { encodeValue } from "../../../executors/nats/values.ts";
import { until } from "../helpers/harness.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { range, type SentBatch, StandInClient } from "./stand_in_client.ts";
import { meet, Meeting, serve } from "./test_node.ts";

natsTest("a node makes calls, and their message goes", async () => {
  await using server = await NatsServer.start();
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  await using node = await serve(server, executor);
  assert(node);
  await using client = await StandInClient.start(server);
  const [name] = await client.nodes();
  const multiply = (a: number, b: number) => a * b;
  const batch = await client.send(multiply, [[6, 7], [2, 3], [4, 5]]);
  await batch.ended();
  assertEquals(batch.values, [42, 6, 20]);
  assertEquals(batch.takers, [name]);
  await client.nothingIsLeft();
  assertEquals(await client.held(name!), []);
  assertEquals(await client.link.messagesIn(client.link.subjects.results), 0);
});

natsTest("a node says who it is, before calls are sent", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 3 });
  await using _node = await serve(server, executor, { name: "Ada" });
  await using client = await StandInClient.start(server);
  await client.nodes();
  const [hello] = [...client.hellos.values()];
  assertEquals(hello!.name, "Ada");
  assertEquals(hello!.workers, 3);
  assertEquals(hello!.busy, 0);
  assertEquals(hello!.deno, Deno.version.deno);
  assertEquals(hello!.host, Deno.hostname());
  assert(Math.abs(hello!.since - Date.now()) < 60_000);
  using meeting = new Meeting();
  await client.send(meet, [["a"], ["b"]]);
  await until(() => [...client.hellos.values()][0]!.busy === 2);
  meeting[Symbol.dispose]();
  await until(() => [...client.hellos.values()][0]!.busy === 0);
});

natsTest("a node makes only calls that are still wanted", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor();
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  using meeting = new Meeting();
  meeting[Symbol.dispose]();
  client.wanted = () => [1, 3];
  const some = await client.send(meet, range(4).map((n) => [n]));
  await some.ended(2);
  assertEquals(client.messages, 1, "at once, as all have ended");
  client.wanted = () => [];
  await client.send(meet, [["none"]]);
  await client.nothingIsLeft();
  assertEquals(meeting.begun, [1, 3]);
  assertEquals([...some.outcomes.keys()], [1, 3]);
});

natsTest(
  "a node has one message at most for each worker while they take their time",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
    await using node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    using meeting = new Meeting();
    const batches: SentBatch[] = [];
    for (const key of range(5)) batches.push(await client.send(meet, [[key]]));
    await until(() => meeting.begun.length === 2);
    const taken = () =>
      batches.filter(({ takers }) => takers.length > 0).length;
    assertEquals(taken(), 2);
    assert(node);
    // As long as this is not short.
    await delay(30);
    meeting.pass(meeting.begun[0]);
    await until(() => meeting.begun.length === 3);
    assertEquals(taken(), 3);
    meeting[Symbol.dispose]();
    await Promise.all(batches.map((batch) => batch.ended()));
    await client.nothingIsLeft();
  },
);

natsTest(
  "a node takes the next message before a short one has ended, and gives it back if that one is long after all",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    using meeting = new Meeting();
    meeting.pass("short");
    let behind: SentBatch;
    for (let round = 1;; round++) {
      await (await client.send(meet, [["short"]])).ended();
      await client.send(meet, [[`long ${round}`]]);
      await until(() => meeting.begun.includes(`long ${round}`));
      behind = await client.send(meet, [[`behind ${round}`]]);
      for (let i = 0; i < 100 && behind.takers.length === 0; i++) {
        await delay(10);
      }
      if (behind.takers.length > 0) break;
      // Something else kept the machine busy, so that the short one was not short.
      meeting.pass(`long ${round}`);
      meeting.pass(`behind ${round}`);
      await behind.ended();
    }
    await until(() => behind.back.length > 0);
    assertEquals(behind.back, [0]);
    // What was asked for before is not taken either.
    const others: SentBatch[] = [];
    for (const key of range(5)) others.push(await client.send(meet, [[key]]));
    await delay(300);
    assertEquals(others.flatMap(({ takers }) => takers), []);
    assertEquals(meeting.begun.filter((key) => /behind/.test(`${key}`)), []);
    meeting[Symbol.dispose]();
    await client.nothingIsLeft();
  },
);

natsTest(
  "a node does not wait for a client that does not answer while another has calls",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    await using silent = await StandInClient.start(server);
    await using client = await StandInClient.start(server);
    await client.nodes();
    silent.answer = () => null;
    const unanswered: SentBatch[] = [];
    for (const key of range(4)) {
      unanswered.push(await silent.send((n: number) => n, [[key]]));
    }
    await until(() => unanswered[0]!.takers.length > 0);
    const batch = await client.send(() => "made", [[]]);
    await batch.ended();
    assertEquals(batch.values, ["made"]);
    assertEquals(unanswered[0]!.outcomes.size, 0);
    // Whoever answers late is served, too.
    silent.answer = undefined;
    await Promise.all(unanswered.map((batch) => batch.ended()));
  },
);

natsTest("a node tells what has ended while the rest goes on", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor();
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  using meeting = new Meeting();
  const batch = await client.send(meet, [["a"], ["b"], ["c"]]);
  await until(() => meeting.begun.length === 3);
  assertEquals(await client.held(node!), [
    { ticket: batch.ticket, batch: batch.name },
  ]);
  assertEquals(await client.held(node!, "another"), []);
  meeting.pass("b");
  await batch.ended(1);
  assertEquals([...batch.outcomes.keys()], [1]);
  assertEquals(await client.left(), 1);
  meeting[Symbol.dispose]();
  await batch.ended();
  assertEquals(client.messages, 2);
  await client.nothingIsLeft();
});

natsTest("a node gives errors back as what they were", async () => {
  await using server = await NatsServer.start();
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const fail = (how: string) => {
    if (how === "range") throw new RangeError("no", { cause: { a: 1 } });
    if (how === "text") throw "text";
    if (how === "function") return () => 1;
    if (how === "exit") Deno.exit(1);
    return how;
  };
  const batch = await client.send(
    fail,
    ["range", "text", "function", "exit", "fine"].map((how) => [how]),
  );
  await batch.ended();
  const [range, text, lost, crash, fine] = batch.values;
  assertInstanceOf(range, RangeError);
  assertEquals(range.message, "no");
  assertEquals(range.cause, { a: 1 });
  assertEquals(text, "text");
  assertInstanceOf(lost, DOMException);
  assertEquals(lost.name, "DataCloneError");
  assertInstanceOf(crash, WorkerCrashedError);
  assertEquals(fine, "fine");
  assertEquals(
    [...batch.outcomes].sort(([a], [b]) => a - b)
      .map(([, { failed }]) => failed),
    [true, true, true, true, false],
  );
  await client.nothingIsLeft();
});

natsTest("a node keeps the time of each call", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  using _meeting = new Meeting();
  const batch = await client.send(meet, [["a"]], { timeout: 30 });
  await batch.ended();
  assertInstanceOf(batch.values[0], TimeoutError);
});

natsTest(
  "a node tells who made a call and when, if that is asked",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1, name: "w" });
    await using _node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    const sleep = (ms: number) =>
      new Promise((resolve) => setTimeout(() => resolve(ms), ms));
    const before = Date.now();
    const batch = await client.send(sleep, [[30], [1]], { timed: true });
    await batch.ended();
    assertEquals(batch.values, [30, 1]);
    const [first, second] = range(2).map((n) => batch.outcomes.get(n)!.ended);
    assertEquals([first!.worker, second!.worker], ["w-1", "w-1"]);
    assert(first!.started! >= before - 1 && first!.ms >= 29, `${first!.ms}`);
    assertEquals(first!.ended! - first!.started!, first!.ms);
    assert(second!.started! >= first!.ended!);
    assert(second!.ended! <= Date.now() + 1);
  },
);

natsTest("a node says how long calls took, about", async () => {
  await using server = await NatsServer.start();
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await executor.start();
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const spin = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const begun = performance.now();
  const batch = await client.send(spin, Array(10).fill([5]));
  await batch.ended();
  const passed = performance.now() - begun;
  let sum = 0;
  for (const { ended } of batch.outcomes.values()) sum += ended.ms;
  assert(sum >= 45 && sum <= passed, `${sum} of ${passed}`);
});

natsTest("a node takes and gives values of any size", async () => {
  await using server = await NatsServer.start();
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  // Each fits into a message, all do not.
  const repeat = (n: number) => `${n}`.repeat(200_000);
  const many = await client.send(repeat, range(9).map((n) => [n]));
  await many.ended();
  assertEquals(many.values, range(9).map(repeat));
  assert(client.messages >= 3, `${client.messages}`);
  // One does not.
  const { parts } = client.link;
  const twice = (text: string) => text + text;
  const text = "x".repeat(3_000_000);
  const one = await client.send(twice, [["small"], [text]], {
    args: async (batch) => {
      const small = encodeValue("small");
      const large = await parts.put(client.name, batch, "0", encodeValue(text));
      return [[{ calls: 1, bytes: small.length }, { calls: 1, large }], [
        small,
      ]];
    },
  });
  await one.ended();
  assertEquals(one.values, ["smallsmall", text + text]);
  assert("large" in one.outcomes.get(1)!.ended);
  await client.nothingIsLeft();
});

natsTest(
  "a node gives values of any size to a server that takes little",
  async () => {
    await using server = await NatsServer.start({
      config: "max_payload: 65536",
    });
    await using executor = new PromisePoolExecutor();
    await using _node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    const many = await client.send(
      (n: number) => n === 7 ? [new Date(n)] : `${n}`.repeat(2000),
      range(200).map((n) => [n]),
    );
    await many.ended();
    assertEquals(many.values[7], [new Date(7)]);
    assertEquals(many.values[199], "199".repeat(2000));
    const one = await client.send((n: number) => "x".repeat(n), [[100_000]]);
    await one.ended();
    assertEquals(one.values, ["x".repeat(100_000)]);
    await client.nothingIsLeft();
  },
);

natsTest("a node makes calls once that come twice", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 2 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  using meeting = new Meeting();
  const batch = await client.send(meet, [["a"]]);
  await until(() => meeting.begun.length === 1);
  await client.publish(batch.name, client.sent.get(batch.name)!);
  const other = await client.send(meet, [["b"]]);
  await until(() => meeting.begun.length === 2);
  meeting[Symbol.dispose]();
  await Promise.all([batch.ended(), other.ended()]);
  assertEquals(meeting.begun, ["a", "b"]);
  assertEquals(batch.takers.length, 1);
  await client.nothingIsLeft();
});

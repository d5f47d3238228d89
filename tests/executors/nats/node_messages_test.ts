// Messages that no client of this version sends: a node drops them, and goes on.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { PromisePoolExecutor } from "../../../mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type Run,
} from "../../../executors/nats/messages.ts";
import { encodePlain, encodeValue } from "../../../executors/nats/values.ts";
import { forSeeds } from "../helpers/random.ts";
import { until } from "../helpers/harness.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { type SentBatch, StandInClient } from "./stand_in_client.ts";
import { serve } from "./test_node.ts";

/** Fails unless the node makes a call as if nothing had happened. */
async function assertServes(client: StandInClient): Promise<void> {
  client.answer = undefined;
  const batch = await client.send((n: number) => n + 1, [[1]]);
  await batch.ended();
  assertEquals(batch.values, [2]);
  await client.nothingIsLeft();
}

/** A message with calls that any client could have sent. */
function runOf(client: string, batch: string): Run & { type: "run" } {
  return {
    type: "run",
    client,
    batch,
    code: { kind: "source", source: "() => 1", name: "one" },
    calls: 1,
    arity: 0,
    timed: false,
    args: [{ calls: 1, bytes: encodePlain([]).bytes.length }],
  };
}

natsTest("a node drops what is no message where calls are", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const { bytes } = encodePlain([]);
  const good = runOf(client.name, "b");
  const bad: [string, Uint8Array][] = [
    ["b", new Uint8Array()],
    ["b", new Uint8Array(100).fill(255)],
    ["b", new TextEncoder().encode("{}")],
    ["b", encodeMessage({ type: "yes" })],
    ["b", encodeMessage(good, [])],
    ["b", encodeMessage({ ...good, calls: 0 }, [bytes])],
    ["b", encodeMessage({ ...good, attempt: 1 }, [bytes])],
    ["b", encodeMessage({ ...good, attempt: 2.5 }, [bytes])],
    ["b", encodeMessage({ ...good, reports: 1 as never }, [bytes])],
    ["b", encodeMessage({ ...good, calls: 1e9 }, [bytes])],
    ["b", encodeMessage({ ...good, client: "a.>" }, [bytes])],
    ["b", encodeMessage({ ...good, timeout: 0 }, [bytes])],
    ["b", encodeMessage({ ...good, traces: [] }, [bytes])],
    ["b", encodeMessage({ ...good, traces: ["00-0-0-1"] }, [bytes])],
    ["b", encodeMessage({ ...good, code: {} } as Run & Message, [bytes])],
    // Somebody else's, or another's name.
    ["another", encodeMessage(good, [bytes])],
    ["b", encodeMessage({ ...good, client: "somebody" }, [bytes])],
  ];
  for (const [batch, message] of bad) await client.publish(batch, message);
  await assertServes(client);
  assertEquals(executor.stats().finished, 1);
});

natsTest("a node makes no call of what only looks like one", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor();
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const alter = encodeValue(1);
  const batches: SentBatch[] = [];
  // Fewer arguments than announced, more, and no values at all.
  for (const block of [encodeValue(1), alter.slice(0, 5), new Uint8Array(1)]) {
    batches.push(
      await client.send((a, b) => a + b, [[1, 2]], {
        args: () =>
          Promise.resolve([[{ calls: 1, bytes: block.length }], [block]]),
      }),
    );
  }
  // A source that is none.
  for (const source of ["", "1", "throw 1", "(() => {"]) {
    batches.push(
      await client.send(() => 1, [[]], {
        code: { kind: "source", source, name: "x" },
      }),
    );
  }
  await Promise.all(batches.map((batch) => batch.ended()));
  for (const batch of batches) {
    assert(batch.outcomes.get(0)!.failed);
    assertInstanceOf(batch.values[0], Error);
  }
  await assertServes(client);
});

natsTest("a node asks again when the answer is none", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  for (
    const answer of [
      new Uint8Array(),
      new Uint8Array(7).fill(1),
      encodeMessage({ type: "yes" }),
      encodeMessage({ type: "go", ticket: "a.b", calls: [0] }),
      encodeMessage({ type: "go", ticket: "a", calls: [0, 0] }),
      encodeMessage({ type: "go", ticket: "a", calls: [1] }),
    ]
  ) {
    client.answer = () => {
      client.answer = undefined;
      return answer;
    };
    const batch = await client.send(() => 1, [[]]);
    await batch.ended();
    await client.nothingIsLeft();
  }
});

natsTest("a node drops what is no message where it is spoken to", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  const { nats, subjects } = client.link;
  const messages = [
    new Uint8Array(),
    new Uint8Array(9),
    encodeMessage({ type: "yes" }),
    encodeMessage({ type: "held", client: "" }),
    encodeMessage({ type: "stop", ticket: "x", calls: [0], why: "cancelled" }),
    encodeMessage({
      type: "stop",
      ticket: "x",
      calls: [1, 0],
      why: "cancelled",
    }),
    encodeMessage({
      type: "who",
      client: "other",
      protocol: 1,
      deno: "",
      version: "",
    }),
  ];
  for (const message of messages) {
    for (const subject of [subjects.node(node!), subjects.who(client.name)]) {
      nats.publish(subject, message);
      nats.publish(subject, message, { reply: subjects.client(client.name) });
    }
  }
  await assertServes(client);
});

natsTest(
  "a node drops what somebody sends in the place of the server",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    await using client = await StandInClient.start(server);
    await client.nodes();
    const { nats, subjects } = client.link;
    const inboxes = new Set<string>();
    nats.subscribe("$JS.API.CONSUMER.MSG.NEXT.>", {
      callback: (_, { reply }) => void inboxes.add(reply!),
    });
    await assertServes(client);
    await until(() => inboxes.size > 0);
    const run = encodeMessage(runOf(client.name, "b"), [encodePlain([]).bytes]);
    for (const inbox of inboxes) {
      nats.publish(inbox, run);
      nats.publish(inbox, run, { reply: subjects.client(client.name) });
      nats.publish(inbox, run, { reply: "$JS.ACK.OTHER.nodes.1.1.1.1.0" });
      nats.publish(inbox);
    }
    await assertServes(client);
    assertEquals(executor.stats().finished, 2);
  },
);

natsTest("a node tells of a client with another protocol, once", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  await client.nodes();
  const { warn } = console;
  const warnings: string[] = [];
  console.warn = (text) => warnings.push(text);
  try {
    client.hellos.clear();
    client.who(2);
    client.who(2);
    await client.nodes();
    await assertServes(client);
  } finally {
    console.warn = warn;
  }
  assertEquals(warnings, [
    "A client of pool default speaks version 2 of the protocol, this node 1: let both have one version of @concurrent/futures",
  ]);
});

natsTest(
  "a node says hello to a client with another protocol, which makes it no stream",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    await using client = await link({ servers: server.url });
    const { nats, subjects } = client;
    const hellos: unknown[] = [];
    nats.subscribe(subjects.hellos, {
      callback: (_, { data }) => {
        hellos.push(decodeMessage(data, "hello").head.protocol);
      },
    });
    const { warn } = console;
    console.warn = () => {};
    try {
      const other = { protocol: 2, deno: "0", version: "0" };
      nats.publish(
        subjects.who("c"),
        encodeMessage({ type: "who", client: "c", ...other }),
      );
      await until(() => hellos.length > 0);
    } finally {
      console.warn = warn;
    }
    assertEquals(hellos, [1]);
  },
);

natsTest("a node survives whatever comes", async () => {
  await using server = await NatsServer.start();
  await using executor = new PromisePoolExecutor({ maxWorkers: 4 });
  await using _node = await serve(server, executor);
  await using client = await StandInClient.start(server);
  const [node] = await client.nodes();
  const { nats, subjects } = client.link;
  const good = [
    encodeMessage(runOf(client.name, "b"), [encodePlain([]).bytes]),
    encodeMessage({ type: "held", client: client.name }),
    encodeMessage({ type: "stop", ticket: "x", calls: [0], why: "cancelled" }),
    encodeMessage({
      type: "who",
      client: client.name,
      protocol: 1,
      deno: "",
      version: "",
    }),
  ];
  await forSeeds(300, async (random) => {
    const bytes = good[random.below(good.length)]!.slice();
    for (let n = 0; n < 3; n++) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    nats.publish(subjects.node(node!), bytes);
    nats.publish(subjects.node(node!), bytes, { reply: "x" });
    nats.publish(subjects.who(client.name), bytes);
    await client.publish("b", bytes);
  });
  await assertServes(client);
});

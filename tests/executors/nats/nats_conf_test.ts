// The permissions of docs/nats.conf: enough for each of the two users, and no
// more.

import { assertEquals, assertRejects } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { clientsWithParts } from "../../../executors/nats/node/cleanup.ts";
import { NODES } from "../../../executors/nats/subjects.ts";
import { type Link, link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

const CONFIG = new URL("../../../docs/nats.conf", import.meta.url);

/** Starts a server with exactly that file. */
async function start(): Promise<NatsServer> {
  return await NatsServer.start({
    config: await Deno.readTextFile(CONFIG),
    env: { FUTURES_CLIENT_PASSWORD: "c", FUTURES_NODE_PASSWORD: "n" },
  });
}

/** Gets in as one of its users. */
function enter({ port }: NatsServer, role: "client" | "node"): Promise<Link> {
  const servers = `nats://${role}:${role[0]}@127.0.0.1:${port}`;
  return link({ servers }, role);
}

/** What one side has sent to the other, and the answer. */
async function ask(from: Link, to: Link, subject: string): Promise<string> {
  to.nats.subscribe(subject, {
    callback: (_, message) => void message.respond(`${message.string()}!`),
  });
  await to.nats.flush();
  return (await from.nats.request(subject, "hello")).string();
}

/** Fails unless the server forbids to publish this. */
async function assertForbidden(
  { nats }: Link,
  subject: string,
): Promise<void> {
  await assertRejects(
    () => nats.request(subject, "{}", { timeout: 5000 }),
    Error,
    `Permissions Violation for Publish to "${subject}"`,
  );
}

natsTest("docs/nats.conf lets a client and a node do their work", async () => {
  await using server = await start();
  await using node = await enter(server, "node");
  assertEquals(await node.streams.ensureNodes(), false);
  await using client = await enter(server, "client");
  const { subjects } = client;
  assertEquals(await client.streams.ensure(), false);
  assertEquals(await node.streams.ensureNodes(), true);
  assertEquals(await client.streams.ensureResults("c"), true);

  assertEquals(
    await ask(client, node, subjects.whos.replace("*", "c")),
    "hello!",
  );
  assertEquals(await ask(client, node, subjects.node("n")), "hello!");
  assertEquals(await ask(node, client, subjects.client("c")), "hello!");
  assertEquals(await ask(node, client, subjects.hello("n")), "hello!");

  const large = await client.parts.put("c", "b", "0", new Uint8Array(2e6));
  const { seq } = await jetstream(client.nats)
    .publish(subjects.task("c", "b"), "run", { msgID: "b" });
  assertEquals(
    (await client.manager.streams.getMessage(subjects.tasks, { seq }))?.seq,
    seq,
  );
  const tasks = await jetstream(node.nats).consumers.get(subjects.tasks, NODES);
  const run = (await tasks.next())!;
  assertEquals(run.string(), "run");
  run.working();
  assertEquals((await node.parts.get("c", "b", large)).length, 2e6);
  await jetstream(node.nats)
    .publish(subjects.result("c", "b"), "done", { msgID: "t" });
  assertEquals(await run.ackAck(), true);
  const results = await jetstream(client.nats)
    .consumers.get(subjects.results, "c");
  const done = (await results.next())!;
  assertEquals(done.string(), "done");
  assertEquals(await done.ackAck(), true);
  await client.parts.dropBatch("c", "b");
  const { num_pending } = await client.manager.consumers
    .info(subjects.tasks, NODES);
  assertEquals(num_pending, 0);

  // What a node does about a client that is gone.
  const left = subjects.task("c", "left");
  await jetstream(client.nats).publish(left, "");
  const { state } = await node.manager.streams.info(subjects.tasks, {
    subjects_filter: subjects.tasksOf("c"),
  });
  assertEquals(state.subjects, { [left]: 1 });
  const message = await node.manager.streams.getMessage(subjects.tasks, {
    last_by_subj: left,
  });
  await node.manager.streams.deleteMessage(subjects.tasks, message!.seq);
  const other = await client.parts.put("other", "b", "0", new Uint8Array(1));
  assertEquals(
    await clientsWithParts(node.manager, subjects),
    new Set(["other"]),
  );
  await node.parts.get("other", "b", other);
  for (const gone of ["c", "other"]) await node.parts.dropClient(gone);
  await client.manager.consumers.delete(subjects.results, "c");
  for (const stream of [subjects.tasks, subjects.parts]) {
    assertEquals(await client.messagesIn(stream), 0);
  }
});

natsTest(
  "docs/nats.conf forbids a node to submit, and to make streams",
  async () => {
    await using server = await start();
    await using client = await enter(server, "client");
    await client.streams.ensure();
    await using node = await enter(server, "node");
    const { subjects } = node;
    for (
      const subject of [
        subjects.task("c", "b"),
        subjects.node("n"),
        subjects.who("c"),
        `${subjects.inbox("client")}.x`,
        `$JS.API.STREAM.CREATE.${subjects.tasks}`,
        `$JS.API.STREAM.UPDATE.${subjects.tasks}`,
        `$JS.API.STREAM.DELETE.${subjects.tasks}`,
        `$JS.API.STREAM.PURGE.${subjects.tasks}`,
        `$JS.API.CONSUMER.DELETE.${subjects.tasks}.${NODES}`,
        `$JS.API.CONSUMER.CREATE.${subjects.results}.c.${
          subjects.resultsOf("c")
        }`,
        `$JS.API.CONSUMER.MSG.NEXT.${subjects.results}.c`,
      ]
    ) await assertForbidden(node, subject);
    await assertDeaf(node, subjects.client("c"));
    await assertDeaf(node, `${subjects.inbox("client")}.>`);
  },
);

natsTest(
  "docs/nats.conf forbids a client to take tasks, and to speak for nodes",
  async () => {
    await using server = await start();
    await using client = await enter(server, "client");
    await client.streams.ensure();
    const { subjects } = client;
    for (
      const subject of [
        subjects.result("c", "b"),
        subjects.client("c"),
        subjects.hello("n"),
        `${subjects.inbox("node")}.x`,
        `$JS.API.CONSUMER.CREATE.${subjects.tasks}.${NODES}`,
        `$JS.API.CONSUMER.DURABLE.CREATE.${subjects.tasks}.mine`,
        `$JS.API.CONSUMER.MSG.NEXT.${subjects.tasks}.${NODES}`,
        `$JS.ACK.${subjects.tasks}.${NODES}.1.1.1.1.0`,
        `$JS.API.STREAM.PURGE.${subjects.tasks}`,
        `$JS.API.STREAM.DELETE.${subjects.tasks}`,
      ]
    ) await assertForbidden(client, subject);
    await assertDeaf(client, subjects.node("n"));
    await assertDeaf(client, `${subjects.inbox("node")}.>`);
  },
);

natsTest("docs/nats.conf lets nobody into another pool", async () => {
  await using server = await start();
  for (const role of ["client", "node"] as const) {
    await using somebody = await enter(server, role);
    for (
      const subject of [
        "fut.other.t1.c.b",
        "fut.other.r.c.b",
        "fut.other.p.c.b.v.0",
        "fut.other.n.n",
        "fut.other.c.c",
        "fut.other.h.n",
        "fut.other.w.c",
        "$JS.API.STREAM.CREATE.FUT_TASKS1_other",
        "$JS.API.STREAM.CREATE.other",
        "$JS.API.STREAM.INFO.FUT_TASKS1_other",
        "$JS.API.STREAM.NAMES",
        "$JS.API.CONSUMER.MSG.NEXT.FUT_TASKS1_other.nodes",
        "$SYS.REQ.SERVER.PING",
      ]
    ) await assertForbidden(somebody, subject);
    await assertDeaf(somebody, "fut.other.>");
    await assertDeaf(somebody, ">");
  }
});

/** Fails unless the server forbids to listen there. */
async function assertDeaf({ nats }: Link, subject: string): Promise<void> {
  const heard = Promise.withResolvers<Error | null>();
  nats.subscribe(subject, { callback: (error) => heard.resolve(error) });
  await nats.flush();
  await assertRejects(
    async () => {
      const error = await heard.promise;
      if (error !== null) throw error;
    },
    Error,
    "Permissions Violation for Subscription",
  );
}

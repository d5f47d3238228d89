// The streams of a pool, through what happens to a server.

import { assert, assertEquals } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { NODES } from "../../../executors/nats/subjects.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

natsTest(
  "Streams.ensure() makes streams once, and tells whether they are the same",
  async () => {
    await using server = await NatsServer.start();
    await using a = await link({ servers: server.url });
    await using b = await link({ servers: server.url });
    const first = await Promise.all([a.streams.ensure(), b.streams.ensure()]);
    assertEquals(first, [false, false]);
    assertEquals(await a.streams.ensure(), true);
    assertEquals(await b.streams.ensure(), true);
    await a.manager.streams.delete(a.subjects.results);
    assertEquals(await a.streams.ensure(), false);
    assertEquals(await a.streams.ensure(), true);
    assertEquals(await b.streams.ensure(), false, "made again by another");
  },
);

natsTest(
  "Streams.ensure() leaves streams as somebody has made them",
  async () => {
    await using server = await NatsServer.start();
    await using made = await link({ servers: server.url });
    const { tasks, allTasks } = made.subjects;
    const ready = { name: tasks, subjects: [allTasks], max_bytes: 10_000_000 };
    await made.manager.streams.add({ ...ready, retention: "workqueue" });
    await made.streams.ensure();
    const { config } = await made.manager.streams.info(tasks);
    assertEquals(config.max_bytes, 10_000_000);
  },
);

natsTest(
  "Streams.ensureNodes() leaves the consumer as somebody has made it",
  async () => {
    await using server = await NatsServer.start();
    await using made = await link({ servers: server.url });
    const { tasks } = made.subjects;
    await made.streams.ensure();
    await made.manager.consumers.add(tasks, {
      name: NODES,
      durable_name: NODES,
      ack_policy: "explicit",
      ack_wait: 20e9,
    });
    assertEquals(await made.streams.ensureNodes(), true);
    const { config } = await made.manager.consumers.info(tasks, NODES);
    assertEquals(config.ack_wait, 20e9);
  },
);

natsTest(
  "Streams keep messages through a restart, and tell when they are lost",
  async () => {
    await using server = await NatsServer.start();
    await using made = await link({ servers: server.url });
    const { streams, nats, subjects } = made;
    await streams.ensure();
    const publish = () =>
      jetstream(nats).publish(subjects.task("c", "b"), "x", { msgID: "b" });
    await publish();
    for (const wipe of [false, true]) {
      const back = made.isBack();
      await server.kill();
      await server.restart({ wipe });
      await back;
      assertEquals(await streams.ensure(), !wipe);
      const { duplicate } = await publish();
      assertEquals(duplicate, !wipe);
      assertEquals(await made.messagesIn(subjects.tasks), 1);
    }
  },
);

natsTest(
  "Streams.ensureNodes() waits for a client, and then gives each message to one node",
  async () => {
    await using server = await NatsServer.start();
    await using node = await link({ servers: server.url });
    assertEquals(await node.streams.ensureNodes(), false);
    await using client = await link({ servers: server.url });
    await client.streams.ensure();
    await using other = await link({ servers: server.url });
    assertEquals(await node.streams.ensureNodes(), true);
    assertEquals(await other.streams.ensureNodes(), true);
    for (let i = 0; i < 10; i++) {
      await jetstream(client.nats).publish(
        client.subjects.task("c", `${i}`),
        "",
      );
    }
    const seen: string[] = [];
    for (const { nats, subjects } of [node, other]) {
      const consumer = await jetstream(nats).consumers.get(
        subjects.tasks,
        NODES,
      );
      for await (const message of await consumer.fetch({ max_messages: 5 })) {
        seen.push(message.subject);
        await message.ackAck();
      }
    }
    assertEquals(new Set(seen).size, 10);
    assertEquals(await client.messagesIn(client.subjects.tasks), 0);
  },
);

natsTest(
  "Streams.ensureResults() gives each client its own, which goes with the client",
  async () => {
    await using server = await NatsServer.start();
    await using node = await link({ servers: server.url });
    assertEquals(await node.streams.ensureResults("stays"), false);
    await using stays = await link({ servers: server.url });
    await stays.streams.ensure();
    assert(await stays.streams.ensureResults("stays"));
    const goes = await link({ servers: server.url });
    assert(await goes.streams.ensureResults("goes"));
    const publish = (client: string, batch: string) =>
      jetstream(node.nats).publish(node.subjects.result(client, batch), batch);
    for (const batch of ["1", "2"]) {
      await publish("stays", batch);
      await publish("goes", batch);
      await publish("never", batch);
    }
    assertEquals(await node.messagesIn(node.subjects.results), 4);
    const { subjects } = stays;
    const consumer = await jetstream(stays.nats)
      .consumers.get(subjects.results, "stays");
    const messages = await consumer.consume();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const message of messages) {
        seen.push(message.string());
        await message.ackAck();
        if (seen.length === 3) break;
      }
    })();
    const asked = await jetstream(goes.nats)
      .consumers.get(subjects.results, "goes");
    await goes[Symbol.asyncDispose]();
    assert(asked !== undefined);
    // What the other had is gone as its consumer is.
    while (await node.messagesIn(subjects.results) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await publish("stays", "3");
    await reading;
    assertEquals(seen, ["1", "2", "3"]);
  },
);

natsTest("Streams of two pools do not meet", async () => {
  await using server = await NatsServer.start();
  await using a = await link({ servers: server.url, pool: "a" });
  await using b = await link({ servers: server.url, pool: "b" });
  await a.streams.ensure();
  await b.streams.ensure();
  await jetstream(a.nats).publish(a.subjects.task("c", "b"), "");
  assertEquals(await a.messagesIn(a.subjects.tasks), 1);
  assertEquals(await b.messagesIn(b.subjects.tasks), 0);
});

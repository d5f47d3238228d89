// Questions and answers over one connection.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { JetStreamApiError } from "@nats-io/jetstream";
import { NoAnswerError, Requests } from "../../../executors/nats/requests.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

natsTest("Requests.ask() gives each its own answer", async () => {
  await using server = await NatsServer.start();
  await using node = await link({ servers: server.url });
  const { nats } = node;
  const waiting: (() => void)[] = [];
  nats.subscribe("echo", {
    callback: (_, message) => {
      waiting.push(() => message.respond(message.data));
      // The last question is answered first.
      if (waiting.length === 3) waiting.reverse().forEach((answer) => answer());
    },
  });
  const requests = new Requests(nats, "answers");
  const answers = await Promise.all(
    ["a", "b", "c"].map((text) => requests.ask("echo", bytes(text), 5000)),
  );
  assertEquals(answers.map((answer) => answer.string()), ["a", "b", "c"]);
});

natsTest(
  "Requests.ask() says whether nobody is there, or nobody answers",
  async () => {
    await using server = await NatsServer.start();
    await using node = await link({ servers: server.url });
    const { nats } = node;
    nats.subscribe("silent");
    const requests = new Requests(nats, "answers");
    const nobody = await assertRejects(
      () => requests.ask("nobody", bytes(""), 5000),
      NoAnswerError,
    );
    assert(nobody.isNobody);
    const silent = await assertRejects(
      () => requests.ask("silent", bytes(""), 10),
      NoAnswerError,
      "No answer in time",
    );
    assert(!silent.isNobody);
  },
);

natsTest("Requests.ask() fails when the connection is closed", async () => {
  await using server = await NatsServer.start();
  const node = await link({ servers: server.url });
  node.nats.subscribe("silent");
  const requests = new Requests(node.nats, "answers");
  const asked = assertRejects(
    () => requests.ask("silent", bytes(""), 60_000),
    NoAnswerError,
    "The connection is closed",
  );
  await node[Symbol.asyncDispose]();
  await asked;
});

natsTest(
  "Requests.store() stores what has one name once, and says where",
  async () => {
    await using server = await NatsServer.start();
    await using node = await link({ servers: server.url });
    const { nats, manager } = node;
    await manager.streams.add(
      { name: "S", subjects: ["s.*"], max_msgs: 2, discard: "new" } as never,
    );
    const requests = new Requests(nats, "answers");
    assertEquals(await requests.store("s.a", bytes("1"), 5000, "name"), 1);
    assertEquals(await requests.store("s.a", bytes("1"), 5000, "name"), 1);
    assertEquals(await requests.store("s.b", bytes("2"), 5000), 2);
    assertEquals(await node.messagesIn("S"), 2);
    await assertRejects(
      () => requests.store("s.c", bytes("3"), 5000),
      JetStreamApiError,
      "maximum messages exceeded",
    );
    await assertRejects(
      () => requests.store("x", bytes(""), 5000),
      NoAnswerError,
    );
  },
);

// Large values, and that nothing is left of them.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkLarge,
  type LargeValue,
  PartLostError,
} from "../../../executors/nats/parts.ts";
import {
  decodeValues,
  encodeValue,
  MAX_LARGE_BYTES,
  UnreadableError,
} from "../../../executors/nats/values.ts";
import { link } from "./links.ts";
import { NoAnswerError } from "../../../executors/nats/requests.ts";
import { NatsServer, natsTest } from "./nats_server.ts";

/** Bytes that are not the same anywhere. */
function noise(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return new Uint8Array(words.buffer, 0, length);
}

natsTest(
  "Parts.get() reads what Parts.put() has stored, whatever its size",
  async () => {
    await using server = await NatsServer.start();
    await using client = await link({ servers: server.url });
    await using node = await link({ servers: server.url });
    await client.streams.ensure();
    for (const size of [1, 899_999, 900_000, 900_001, 20_000_000]) {
      const bytes = noise(size);
      const large = await client.parts.put("c", `${size}`, "0", bytes);
      const read = await node.parts.get("c", `${size}`, checkLarge(large));
      assertEquals(read.length, size);
      assert(read.every((byte, i) => byte === bytes[i]));
    }
    const value = { text: "x".repeat(3_000_000) };
    const large = await client.parts.put("c", "v", "0", encodeValue(value));
    const [read] = decodeValues(await node.parts.get("c", "v", large), 1);
    assertEquals(read, value);
  },
);

natsTest(
  "Parts wait for no answer that was lost with the connection",
  async () => {
    await using server = await NatsServer.start();
    await using client = await link({ servers: server.url });
    await client.streams.ensure();
    const large = await client.parts.put("c", "b", "0", noise(100));
    await server.freeze();
    const reading = client.parts.get("c", "b", large);
    const storing = client.parts.put("c", "b", "1", noise(100));
    reading.catch(() => {});
    storing.catch(() => {});
    const back = client.isBack();
    await server.kill();
    await server.restart();
    const lost = "The connection is lost";
    await assertRejects(() => reading, NoAnswerError, lost);
    await assertRejects(() => storing, NoAnswerError, lost);
    await back;
    assertEquals(await client.parts.get("c", "b", large), noise(100));
  },
);

natsTest("Parts.dropClient() drops what is still being stored", async () => {
  await using server = await NatsServer.start();
  await using client = await link({ servers: server.url });
  await client.streams.ensure();
  const putting = client.parts.put("c", "b", "0", noise(20_000_000));
  await client.parts.dropClient("other");
  await client.parts.dropClient("c");
  await putting;
  assertEquals(await client.messagesIn(client.subjects.parts), 0);
});

natsTest(
  "Parts.put() makes parts that a server takes which takes less",
  async () => {
    await using server = await NatsServer.start({
      config: "max_payload: 100000",
    });
    await using client = await link({ servers: server.url });
    await client.streams.ensure();
    const bytes = noise(250_000);
    const large = await client.parts.put("c", "b", "0", bytes);
    assertEquals(await client.messagesIn(client.subjects.parts), 3);
    assertEquals(await client.parts.get("c", "b", checkLarge(large)), bytes);
  },
);

natsTest("Parts are gone with their batch, or with their client", async () => {
  await using server = await NatsServer.start();
  await using client = await link({ servers: server.url });
  await client.streams.ensure();
  const { parts, subjects } = client;
  const bytes = noise(2_000_000);
  const put = (client: string, batch: string, name: string) =>
    parts.put(client, batch, name, bytes);
  const a = await put("c", "1", "a");
  const b = await put("c", "1", "b");
  const other = await put("c", "2", "a");
  const stays = await put("d", "1", "a");
  await parts.dropBatch("c", "1");
  for (const large of [a, b]) {
    await assertRejects(() => parts.get("c", "1", large), PartLostError);
  }
  assertEquals(await parts.get("c", "2", other), bytes);
  await parts.dropClient("c");
  await assertRejects(() => parts.get("c", "2", other), PartLostError);
  assertEquals(await parts.get("d", "1", stays), bytes);
  await parts.dropClient("d");
  assertEquals(await client.messagesIn(subjects.parts), 0);
});

natsTest("Parts.get() believes no description of what is stored", async () => {
  await using server = await NatsServer.start();
  await using client = await link({ servers: server.url });
  await client.streams.ensure();
  const large = await client.parts.put("c", "b", "0", noise(1_000_000));
  for (
    const lying of [
      { ...large, size: large.size - 1 },
      { ...large, partSize: 500_000 },
    ]
  ) {
    await assertRejects(
      () => client.parts.get("c", "b", checkLarge(lying)),
      UnreadableError,
    );
  }
});

natsTest(
  "Parts.put() fails where the server has no room, and can be tried again",
  async () => {
    await using server = await NatsServer.start();
    await using client = await link({ servers: server.url });
    const { parts, allParts } = client.subjects;
    await client.manager.streams.add({
      name: parts,
      subjects: [allParts],
      max_bytes: 3_000_000,
      discard: "new",
      allow_direct: true,
    });
    await client.streams.ensure();
    await assertRejects(
      () => client.parts.put("c", "b", "0", noise(5_000_000)),
      Error,
      "maximum bytes exceeded",
    );
    await client.parts.dropBatch("c", "b");
    await client.parts.put("c", "b", "1", noise(1_000_000));
  },
);

Deno.test("checkLarge() lets nothing through that is no description", () => {
  const good: LargeValue = { name: "a", size: 1, partSize: 900_000 };
  assertEquals(checkLarge({ ...good, more: 1 }), good);
  for (
    const bad of [
      undefined,
      null,
      1,
      {},
      { ...good, name: 1 },
      { ...good, name: "a.>" },
      { ...good, name: "" },
      { ...good, size: 0 },
      { ...good, size: 1.5 },
      { ...good, size: "1" },
      { ...good, size: MAX_LARGE_BYTES + 1 },
      { ...good, partSize: 1 },
      { ...good, partSize: 1_000_000 },
    ]
  ) assertThrows(() => checkLarge(bad), UnreadableError);
});

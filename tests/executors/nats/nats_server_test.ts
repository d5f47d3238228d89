// The server that all tests of many machines stand on: what it is put through
// happens, and nothing of it is left behind.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { freePort, HAS_NATS, NatsServer, natsTest } from "./nats_server.ts";

if (!HAS_NATS) {
  console.warn(
    "Tests with NATS are skipped, as there is no nats-server: apt-get install nats-server, brew install nats-server, or one from github.com/nats-io/nats-server/releases, named in NATS_SERVER",
  );
}

/** The first bytes that a server sends to whoever connects. */
async function greeting(server: NatsServer): Promise<string> {
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  const buffer = new Uint8Array(4);
  const length = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}

natsTest(
  "NatsServer takes connections once it has started, also again",
  async () => {
    await using server = await NatsServer.start();
    assertEquals(await greeting(server), "INFO");
    for (const end of ["kill", "stop"] as const) {
      await server[end]();
      await assertRejects(
        () => greeting(server),
        Deno.errors.ConnectionRefused,
      );
      await server.restart({ wipe: end === "stop" });
      assertEquals(await greeting(server), "INFO");
    }
  },
);

natsTest("NatsServer says nothing while it is frozen", async () => {
  await using server = await NatsServer.start();
  await server.freeze();
  // The system takes the connection, the server does not.
  const said = greeting(server);
  let heard = false;
  said.then(() => heard = true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(heard, false);
  server.thaw();
  assertEquals(await said, "INFO");
});

natsTest("NatsServer ends though frozen, with its folder", async () => {
  const server = await NatsServer.start();
  const { folder } = server;
  await server.freeze();
  await server[Symbol.asyncDispose]();
  await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  await assertRejects(() => greeting(server), Deno.errors.ConnectionRefused);
});

natsTest(
  "NatsServer that cannot start says what the server wrote",
  async () => {
    const error = await assertRejects(() =>
      NatsServer.start({ config: "users: [" })
    ) as Error;
    assert(error.message.includes("Parse error on line 1"), error.message);
  },
);

Deno.test("freePort() gives a port that can be listened at", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  assertEquals(listener.addr.hostname, "127.0.0.1");
});

Deno.test("Tests with a server are not skipped where CI can install one", () => {
  const isCi = Deno.env.get("CI") === "true" && Deno.build.os === "linux";
  assert(HAS_NATS || !isCi);
});

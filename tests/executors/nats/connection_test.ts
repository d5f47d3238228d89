// Getting into a server, staying there, and what is said where that fails.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { BrokenExecutorError } from "../../../mod.ts";
import { Connection } from "../../../executors/nats/connection.ts";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "../../../executors/nats/connection_options.ts";
import { until } from "../helpers/harness.ts";
import { makeJwtUser, makeNkeyUser } from "./accounts.ts";
import { makeCertificates } from "./certificates.ts";
import { freePort, NatsServer, natsTest } from "./nats_server.ts";

/** A connection, and what its listener was told. */
function makeConnection(options: NatsConnectionOptions) {
  const heard: string[] = [];
  const connection = new Connection(
    checkConnectionOptions(options, "test"),
    "inbox",
    {
      lost: (message) => heard.push(message),
      back: () => heard.push("back"),
    },
  );
  return {
    connection,
    heard,
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** Connects, and sends a message there and back. */
async function assertConnects(options: NatsConnectionOptions): Promise<void> {
  await using made = makeConnection(options);
  using held = await made.connection.hold();
  const came = Promise.withResolvers<string>();
  held.nats.subscribe("a", { callback: (_, m) => came.resolve(m.string()) });
  const text = "x".repeat(900_000);
  held.nats.publish("a", text);
  assertStrictEquals(await came.promise, text);
}

/** What is said when it cannot connect. */
async function refusal(options: NatsConnectionOptions): Promise<string> {
  await using made = makeConnection(options);
  const error = await assertRejects(
    () => made.connection.hold(),
    BrokenExecutorError,
  );
  assert(!error.message.includes("secret"), error.message);
  return error.message;
}

natsTest("Connection gets in without a name", async () => {
  await using server = await NatsServer.start();
  await assertConnects({ servers: server.url });
  await assertConnects({
    servers: [`nats://127.0.0.1:${freePort()}`, server.url],
  });
});

natsTest("Connection gets in with a password, and not without", async () => {
  await using server = await NatsServer.start({
    config: `authorization { user: ann, password: "s@cret" }`,
  });
  const { port, url: servers } = server;
  await assertConnects({ servers: `nats://ann:s%40cret@127.0.0.1:${port}` });
  const credentials = { user: "ann", password: "s@cret" };
  await assertConnects({ servers, credentials });
  const begun = performance.now();
  assertMatch(
    await refusal({ servers: `nats://ann:secret@127.0.0.1:${port}` }),
    /^NATS at nats:\/\/127\.0\.0\.1:\d+ lets nobody in with these credentials: .*: look up/,
  );
  assertMatch(await refusal({ servers }), /with no credentials: .*: give user/);
  assert(performance.now() - begun < 4000, "as it refuses at once");
});

natsTest("Connection gets in with a token", async () => {
  await using server = await NatsServer.start({
    config: `authorization { token: sesame }`,
  });
  const { url: servers, port } = server;
  await assertConnects({ servers, credentials: { token: "sesame" } });
  await assertConnects({ servers: `nats://sesame@127.0.0.1:${port}` });
  await refusal({ servers, credentials: { token: "secret" } });
});

natsTest("Connection gets in with an nkey", async () => {
  const { seed: nkeySeed, config } = makeNkeyUser();
  await using server = await NatsServer.start({ config });
  const { url: servers } = server;
  await assertConnects({ servers, credentials: { nkeySeed } });
  const { seed: other } = makeNkeyUser();
  await refusal({ servers, credentials: { nkeySeed: other } });
});

natsTest("Connection gets in with a file of credentials", async () => {
  const { creds, config } = makeJwtUser();
  await using server = await NatsServer.start({
    config,
    files: { "ann.creds": creds, "bad.creds": "secret" },
  });
  const { url: servers, folder } = server;
  const use = (name: string) => ({ credsFile: `${folder}/${name}` });
  await assertConnects({ servers, credentials: use("ann.creds") });
  assertMatch(
    await refusal({ servers, credentials: use("bad.creds") }),
    /bad\.creds, as it has no JWT/,
  );
  assertMatch(
    await refusal({ servers, credentials: use("no.creds") }),
    /^Cannot read 'credentials\.credsFile': No such file/,
  );
});

natsTest(
  "Connection goes by TLS if the URL or the server asks for it",
  async () => {
    const files = await makeCertificates();
    await using server = await NatsServer.start({
      config: `tls { cert_file: server.pem, key_file: server.key }`,
      files,
    });
    const { port, folder } = server;
    const tls = { caFile: `${folder}/ca.pem` };
    for (const host of ["127.0.0.1", "localhost"]) {
      await assertConnects({ servers: `tls://${host}:${port}`, tls });
    }
    assertMatch(
      await refusal({ servers: `nats://127.0.0.1:${port}` }),
      /^Cannot agree with NATS at nats:.* on TLS: .*: name the authority/,
    );
    assertMatch(
      await refusal({
        servers: `tls://127.0.0.1:${port}`,
        tls: { caFile: `${folder}/other.pem` },
      }),
      /: look whether 'tls\.caFile' has signed its certificate/,
    );
    assertMatch(
      await refusal({
        servers: `tls://127.0.0.1:${port}`,
        tls: { caFile: `${folder}/none.pem` },
      }),
      /^Cannot read 'tls\.caFile': No such file/,
    );
  },
);

natsTest(
  "Connection by TLS believes nothing that came in the clear behind the greeting",
  async () => {
    const files = await makeCertificates();
    await using server = await NatsServer.start({
      config: `tls { cert_file: server.pem, key_file: server.key }`,
      files,
    });
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const more = "-ERR 'Authorization Violation'\r\n";
    const relayed = relayOnce(listener, server.port, more);
    await assertConnects({
      servers: `tls://127.0.0.1:${listener.addr.port}`,
      tls: { caFile: `${server.folder}/ca.pem` },
    });
    await relayed;
  },
);

/** Hands one connection on to a port, with something behind the first line that comes from there. */
async function relayOnce(
  listener: Deno.TcpListener,
  port: number,
  more: string,
): Promise<void> {
  const inner = await listener.accept();
  const outer = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(65_536);
  const length = await outer.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, length!));
  await inner.write(new TextEncoder().encode(text + more));
  await Promise.allSettled([
    inner.readable.pipeTo(outer.writable),
    outer.readable.pipeTo(inner.writable),
  ]);
}

natsTest("Connection shows a certificate of its own", async () => {
  const files = await makeCertificates();
  await using server = await NatsServer.start({
    config:
      `tls { cert_file: server.pem, key_file: server.key, ca_file: ca.pem, verify: true }`,
    files,
  });
  const { folder } = server;
  const caFile = `${folder}/ca.pem`;
  const servers = `tls://localhost:${server.port}`;
  await assertConnects({
    servers,
    tls: {
      caFile,
      certFile: `${folder}/client.pem`,
      keyFile: `${folder}/client.key`,
    },
  });
  assertMatch(
    await refusal({ servers, tls: { caFile } }),
    /and one of your own in 'tls\.certFile'/,
  );
});

natsTest("Connection does without TLS only if nobody asks for it", async () => {
  await using server = await NatsServer.start();
  assertMatch(
    await refusal({ servers: `tls://127.0.0.1:${server.port}` }),
    /: the server does not offer TLS: give the server a certificate/,
  );
});

natsTest("Connection goes by WebSockets beside one that does not", async () => {
  const port = freePort();
  await using server = await NatsServer.start({
    config: `websocket { listen: "127.0.0.1:${port}", no_tls: true }`,
  });
  await using plain = makeConnection({ servers: server.url });
  using held = await plain.connection.hold();
  await assertConnects({ servers: `ws://127.0.0.1:${port}` });
  await server.kill();
  await server.restart();
  await until(() => plain.heard.includes("back"));
  await held.nats.flush();
});

natsTest("Connection to a server without JetStream says so", async () => {
  await using server = await NatsServer.start({ jetstream: false });
  assertMatch(
    await refusal({ servers: server.url }),
    /^NATS at 127\.0\.0\.1:\d+ has no JetStream: start it with nats-server -js/,
  );
});

natsTest("Connection of a user who may not use JetStream says so", async () => {
  await using server = await NatsServer.start({
    config:
      `authorization { users: [{ user: a, password: b, permissions: { publish: x, subscribe: "inbox.>" } }] }`,
  });
  assertMatch(
    await refusal({ servers: `nats://a:b@127.0.0.1:${server.port}` }),
    /does not let this user use JetStream: .*: give the user the permissions/,
  );
});

natsTest(
  "Connection to nobody is tried for as long as connectTimeout",
  async () => {
    const begun = performance.now();
    const message = await refusal({
      servers: `nats://127.0.0.1:${freePort()}`,
      connectTimeout: 600,
    });
    assertMatch(
      message,
      /^Cannot reach NATS at nats:.* within 600 ms: .*: start it with nats-server -js/,
    );
    const took = performance.now() - begun;
    assert(took >= 350 && took < 5000, `${took} ms`);
  },
);

natsTest("Connection to what is no NATS server says so", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("220 ready\r\n"));
      connection.close();
    }
  })();
  assertMatch(
    await refusal({
      servers: `nats://127.0.0.1:${listener.addr.port}`,
      connectTimeout: 100,
    }),
    /what answers there is no NATS server/,
  );
  listener.close();
  await served;
});

natsTest("Connection to a server that is frozen ends in time", async () => {
  await using server = await NatsServer.start();
  await server.freeze();
  assertMatch(
    await refusal({ servers: server.url, connectTimeout: 300 }),
    /within 300 ms/,
  );
});

natsTest("Connection waits for a server that is about to start", async () => {
  await using server = await NatsServer.start();
  await server.kill();
  await using made = makeConnection({ servers: server.url });
  const holding = made.connection.hold();
  await server.restart();
  using held = await holding;
  await held.nats.flush();
});

natsTest(
  "Connection comes back as often as the server does, and tells each time",
  async () => {
    await using server = await NatsServer.start();
    await using made = makeConnection({ servers: server.url });
    using held = await made.connection.hold();
    for (const times of [1, 2]) {
      await server.kill();
      await until(() => made.heard.length === 2 * times - 1);
      await server.restart({ wipe: times === 2 });
      await until(() => made.heard.length === 2 * times);
      await held.nats.flush();
    }
    assertMatch(
      made.heard[0]!,
      /^Lost the connection to NATS at nats:\/\/127\.0\.0\.1:\d+: trying/,
    );
    assertEquals(made.heard[1], "back");
  },
);

natsTest("Connection.close() ends what is asked meanwhile", async () => {
  await using server = await NatsServer.start();
  const { connection } = makeConnection({ servers: server.url });
  const { nats } = await connection.hold();
  nats.subscribe("asked");
  const closed = connection.close();
  const asked: Promise<unknown>[] = [];
  for (let tick = 0; tick < 100 && !nats.isClosed(); tick++) {
    asked.push(
      assertRejects(() => nats.request("asked", "", { timeout: 60_000 })),
    );
    await null;
  }
  await closed;
  await Promise.all(asked);
});

natsTest("Connection closes while the server is away", async () => {
  await using server = await NatsServer.start();
  const made = makeConnection({ servers: server.url });
  await made.connection.hold();
  await server.kill();
  await until(() => made.heard.length === 1);
  await made.connection.close();
});

natsTest(
  "Connection is the same for all who hold it, and closes after the last",
  async () => {
    await using server = await NatsServer.start();
    const { connection } = makeConnection({ servers: server.url });
    const [a, b] = await Promise.all([connection.hold(), connection.hold()]);
    assertStrictEquals(a.nats, b.nats);
    a[Symbol.dispose]();
    a[Symbol.dispose]();
    b[Symbol.dispose]();
    const c = await connection.hold();
    assertStrictEquals(c.nats, a.nats);
    c[Symbol.dispose]();
    await c.nats.closed();
    const d = await connection.hold();
    assert(d.nats !== a.nats);
    d[Symbol.dispose]();
    await d.nats.closed();
  },
);

// What users say of a server: right or wrong at once, and never shown if secret.

import { assertEquals, assertThrows } from "@std/assert";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "../../../executors/nats/connection_options.ts";

const SEED = `SU${"A".repeat(56)}`;

/** What is made of options. */
function check(options?: unknown) {
  return checkConnectionOptions(
    options as NatsConnectionOptions | undefined,
    "futures",
  );
}

Deno.test("checkConnectionOptions() has a default for everything", () => {
  assertEquals(check(), {
    servers: ["nats://127.0.0.1:4222"],
    scheme: "nats",
    pool: "default",
    credentials: undefined,
    tls: {},
    connectTimeout: 5000,
    name: "futures",
  });
});

Deno.test("checkConnectionOptions() takes one URL or several, and completes them", () => {
  for (
    const [servers, expected] of [
      ["nats://10.0.0.5", ["nats://10.0.0.5:4222"]],
      ["nats://10.0.0.5:80", ["nats://10.0.0.5:80"]],
      ["nats://localhost:4222/", ["nats://localhost:4222"]],
      ["tls://nats.example", ["tls://nats.example:4222"]],
      ["nats://[::1]", ["nats://[::1]:4222"]],
      ["ws://example/a?b=c", ["ws://example:80/a?b=c"]],
      ["wss://example", ["wss://example:443"]],
      [["tls://a:1", "tls://b:2"], ["tls://a:1", "tls://b:2"]],
    ] as const
  ) assertEquals(check({ servers }).servers, expected);
});

Deno.test("checkConnectionOptions() takes user and password out of URLs", () => {
  for (
    const [servers, credentials] of [
      ["nats://ann:secret@127.0.0.1", { user: "ann", password: "secret" }],
      ["tls://ann:s%40c%25@example", { user: "ann", password: "s@c%" }],
      ["wss://secret@example", { token: "secret" }],
      [["tls://a:b@c", "tls://d"], { user: "a", password: "b" }],
      [["tls://d", "tls://a:b@c"], { user: "a", password: "b" }],
      ["nats://ann:80@127.0.0.1", { user: "ann", password: "80" }],
    ] as const
  ) {
    const settings = check({ servers });
    assertEquals(settings.credentials, credentials);
    assertEquals(/secret|@/.test(settings.servers.join()), false);
  }
});

Deno.test("checkConnectionOptions() takes every kind of credentials", () => {
  for (
    const credentials of [
      { user: "ann", password: "secret" },
      { token: "secret" },
      { nkeySeed: SEED },
      { credsFile: "ann.creds" },
    ]
  ) assertEquals(check({ credentials }).credentials, credentials);
});

Deno.test("checkConnectionOptions() makes TLS of 'tls'", () => {
  const { scheme, tls } = check({
    servers: "nats://example",
    tls: { caFile: "ca.pem" },
    credentials: { token: "secret" },
  });
  assertEquals(scheme, "tls");
  assertEquals(tls.caFile, "ca.pem");
});

Deno.test("checkConnectionOptions() lets credentials travel in the clear to loopback alone", () => {
  const credentials = { token: "secret" };
  for (
    const host of ["127.0.0.1", "127.1.2.3", "127.1", "localhost", "[::1]"]
  ) {
    check({ servers: `nats://${host}`, credentials });
    check({ servers: `ws://${host}`, credentials });
  }
  for (
    const host of [
      "10.0.0.5",
      "example",
      "127.0.0.1.example",
      "localhost.example",
      "0.0.0.0",
      "[::2]",
    ]
  ) {
    for (const scheme of ["nats", "ws"]) {
      const servers = [`${scheme}://localhost`, `${scheme}://${host}`];
      assertThrows(
        () => check({ servers, credentials }),
        TypeError,
        "Credentials must not travel in the clear: write",
      );
      const inUrl = `${scheme}://ann:secret@${host}`;
      const error = assertThrows(() => check({ servers: inUrl }), TypeError);
      assertEquals(error.message.includes("secret"), false);
    }
    check({ servers: `tls://${host}`, credentials });
    check({ servers: `wss://${host}`, credentials });
    check({ servers: `nats://${host}` });
  }
});

const WRONG: readonly (readonly [
  options: unknown,
  type: typeof TypeError | typeof RangeError,
  message: string,
])[] = [
  [null, TypeError, "Options must be an object: received null"],
  [{ servers: 4222 }, TypeError, "received 4222"],
  [{ servers: [4222] }, TypeError, "received 4222"],
  [{ servers: [["tls://a:secret@b"]] }, TypeError, "received object"],
  [{ servers: [] }, RangeError, "at least one URL"],
  [{ servers: "" }, RangeError, 'received ""'],
  [{ servers: "10.0.0.5:4222" }, RangeError, 'received "10.0.0.5:4222"'],
  [{ servers: "http://a" }, RangeError, 'received "http://a"'],
  [{ servers: "nats://" }, RangeError, 'received "nats://"'],
  [{ servers: "nats://a:70000" }, RangeError, 'received "nats://a:70000"'],
  [{ servers: "nats://a/b" }, RangeError, 'received "nats://a/b"'],
  [{ servers: "nats://a b" }, RangeError, 'received "nats://a b"'],
  [{ servers: "x://a:secret@b" }, RangeError, 'received "x://***@b"'],
  [{ servers: "a:secret@b" }, RangeError, 'received "***@b"'],
  [{ servers: "nats://a:sec/ret@b" }, RangeError, 'received "nats://***@b"'],
  [{ servers: "ws://a:1/secret@b" }, RangeError, 'received "ws://***@b"'],
  [{ servers: "tls://a:%zz@b" }, RangeError, "%25"],
  [{ servers: ["nats://a", "tls://b"] }, RangeError, "nats:// and tls://"],
  [{ servers: ["tls://a:b@c", "tls://a:d@e"] }, RangeError, "one cluster"],
  [{ pool: 1 }, TypeError, "'pool' must be a string: received 1"],
  [{ pool: "a.b" }, RangeError, 'received "a.b"'],
  [{ pool: ">" }, RangeError, 'received ">"'],
  [{ pool: "" }, RangeError, 'received ""'],
  [{ pool: "a".repeat(65) }, RangeError, "64 letters"],
  [{ credentials: null }, TypeError, "received null"],
  [{ credentials: "secret" }, TypeError, "received a string"],
  [{ credentials: { user: "a" } }, TypeError, "received { user }"],
  [
    { credentials: { token: "secret", user: "a" } },
    TypeError,
    "received { token, user }",
  ],
  [{ credentials: { token: 1 } }, TypeError, "received a number"],
  [{ credentials: { token: "" } }, RangeError, "must not be empty"],
  [{ credentials: { nkeySeed: "secret" } }, RangeError, "something else"],
  [
    { servers: "tls://a:b@c", credentials: { token: "secret" } },
    TypeError,
    "given twice",
  ],
  [{ tls: null }, TypeError, "'tls' must be an object: received null"],
  [{ tls: { caFile: 1 } }, TypeError, "'tls.caFile' must be a string"],
  [{ tls: { certFile: "a" } }, TypeError, "received 'certFile' alone"],
  [{ tls: { keyFile: "a" } }, TypeError, "received 'keyFile' alone"],
  [{ servers: "wss://a", tls: {} }, TypeError, "DENO_CERT"],
  [{ connectTimeout: -1 }, RangeError, "received -1"],
  [{ connectTimeout: "1" }, TypeError, 'received "1"'],
  [{ name: 1 }, TypeError, "'name' must be a string: received 1"],
];

Deno.test("checkConnectionOptions() says what was wanted and what was received", () => {
  for (const [options, type, message] of WRONG) {
    const error = assertThrows(() => check(options), type, message);
    assertEquals(error.message.includes("secret"), false, error.message);
  }
});

// What the transport does of its own accord, whatever the library asks for.

import { assertRejects } from "@std/assert";
import type { ConnectionOptions, Server } from "@nats-io/nats-core";
import {
  DenoTransport,
  SecurityError,
  type TransportOptions,
} from "../../../executors/nats/transport.ts";

Deno.test("DenoTransport tells no secret to a server of the cluster that is elsewhere, in the clear", async () => {
  const options: TransportOptions = {
    scheme: "nats",
    secret: true,
    certificates: { ca: undefined, own: undefined },
    onSilentEnd: () => {},
  };
  // As a server on loopback may have told of it.
  const server = { hostname: "10.0.0.5", port: 4222, listen: "10.0.0.5:4222" };
  for (const scheme of ["nats", "ws"] as const) {
    const all: ConnectionOptions = { ...options, scheme } as TransportOptions;
    await assertRejects(
      () => new DenoTransport().connect(server as Server, all),
      SecurityError,
      "10.0.0.5:4222 is not on this machine",
    );
  }
});

// `futures nodes` over a real server, or none.

import { assertEquals, assertMatch } from "@std/assert";
import {
  freePort,
  NatsServer,
  natsTest,
} from "../executors/nats/nats_server.ts";
import { futures } from "../helpers/futures_command.ts";
import { serve, start } from "./nats_programs.ts";

natsTest(
  "futures nodes says that there is no node, and looks again with --watch",
  async () => {
    await using server = await NatsServer.start();
    assertEquals(
      (await futures(["nodes", server.url, "--pool=mine"])).stdout,
      `No node serves the pool mine at ${server.url}; 0 messages waiting, 0 redelivered\n`,
    );
    await using watch = start(["nodes", server.url, "--watch"]);
    await watch.stdout.until("No node serves the pool default");
    await using _node = await serve(server.url, "--name=emmy");
    await watch.stdout.until("emmy");
    assertEquals(watch.stderr.text, "");
  },
);

natsTest(
  "futures nodes says what to do about a server that is not there",
  async () => {
    const url = `nats://127.0.0.1:${freePort()}`;
    const { stdout, stderr } = await futures(["nodes", url], { code: 1 });
    assertEquals(stdout, "");
    assertMatch(
      stderr,
      /^futures: Cannot reach NATS at .*: start it with nats-server -js -sd DIR/,
    );
    assertEquals(stderr.split("\n").length, 2);
  },
);

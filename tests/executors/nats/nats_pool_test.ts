// A pool over a real server, and what it does when something is lost.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { NatsServer, natsTest } from "./nats_server.ts";
import { NatsPoolExecutor } from "../../../executors/nats/mod.ts";
import { StandInNode } from "./stand_in_node.ts";

natsTest("NatsPoolExecutor runs tasks on a node", async () => {
  await using server = await NatsServer.start();
  await using _node = await StandInNode.start({ servers: server.url });
  await using pool = new NatsPoolExecutor({ servers: server.url });
  assertEquals(await pool.submit((a: number, b: number) => a * b, 6, 7), 42);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  assertEquals(
    await pool.map((n: number) => n + 1, numbers),
    numbers.map((n) => n + 1),
  );
  assertEquals(await pool.map(() => 1, []), []);
  const error = await assertRejects(() =>
    pool.submit(() => {
      throw new RangeError("Zero");
    }).result(), RangeError);
  assertStrictEquals(error.message, "Zero");
  assert(pool.stats().finished >= 1001);
});

// Programs with a pool, nodes in processes of their own, and what a server has
// to permit.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { NatsPoolExecutor } from "../../../executors/nats/mod.ts";
import { runCommand } from "../../helpers/run_command.ts";
import { until } from "../helpers/harness.ts";
import { link } from "./links.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { startNode } from "./pool_kit.ts";
import { StandInNode } from "./stand_in_node.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs a program that has to end by itself; gives what it wrote. */
async function runProgram(
  source: string,
  flags: string[] = [],
): Promise<string> {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", ...flags, "-"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    stdin: source,
    timeout: 20_000,
  });
  return stdout.trim();
}

natsTest(
  "NatsPoolExecutor that nobody has shut down lets its program end, without losing work",
  async () => {
    await using server = await NatsServer.start();
    await using _node = await StandInNode.start({ servers: server.url });
    const said = await runProgram(
      `
    import { NatsPoolExecutor } from "./executors/nats/mod.ts";
    const pool = new NatsPoolExecutor({ servers: "${server.url}" });
    for (const n of [1, 2, 3]) pool.submit((n) => 2 * n, n).then(console.log);
    `,
      [`--allow-net=127.0.0.1:${server.port}`],
    );
    assertEquals(said.split("\n").toSorted(), ["2", "4", "6"]);
  },
);

natsTest("Whoever imports the package loads nothing of NATS", async () => {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    timeout: 20_000,
  });
  assert(stdout.includes("executors/executor.ts"));
  assert(!/executors\/nats\/|@nats-io/.test(stdout));
});

natsTest(
  "NatsPoolExecutor needs no more than docs/nats.conf permits",
  async () => {
    await using server = await NatsServer.start({
      config: await Deno.readTextFile(new URL("docs/nats.conf", ROOT)),
      env: { FUTURES_CLIENT_PASSWORD: "c", FUTURES_NODE_PASSWORD: "n" },
    });
    const as = (role: string) =>
      `nats://${role}:${role[0]}@127.0.0.1:${server.port}`;
    await using _node = await StandInNode.start({ servers: as("node") });
    const pool = new NatsPoolExecutor({ servers: as("client") });
    assertStrictEquals((await pool.nodes()).length, 1);
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(1_000_000));
    assertEquals(await pool.map((text: string) => text, texts), texts);
    const stop = new AbortController();
    const future = pool.submitWith({ signal: stop.signal }, () => 1);
    stop.abort();
    await future.exception().catch(() => {});
    await pool.shutdown();
    await using after = await link({ servers: as("client") });
    const { subjects } = after;
    for (const stream of [subjects.tasks, subjects.results, subjects.parts]) {
      assertStrictEquals(await after.messagesIn(stream), 0, stream);
    }
  },
);

natsTest("A node that is killed costs no task", async () => {
  await using server = await NatsServer.start();
  const { url: servers } = server;
  const first = await startNode(servers);
  await using pool = new NatsPoolExecutor({ servers });
  await pool.start();
  const sleep = (ms: number, value: number) =>
    new Promise((resolve) => setTimeout(resolve, ms, value));
  const future = pool.submit(sleep, 1000, 7);
  await until(() => future.running());
  const second = await startNode(servers);
  const others = [1, 2, 3].map((n) => pool.submit(sleep, 1, n));
  const begun = performance.now();
  first.kill("SIGKILL");
  await first.status;
  assertStrictEquals(await future, 7);
  const passed = performance.now() - begun;
  assert(passed < 1000 + 2000 + 1500, `${passed} ms`);
  assertEquals(await Promise.all(others), [1, 2, 3]);
  second.kill("SIGKILL");
  await second.status;
});

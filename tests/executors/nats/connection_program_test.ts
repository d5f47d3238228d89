// Programs with a connection: what they need, and that they end.

import { assertEquals } from "@std/assert";
import { runCommand } from "../../helpers/run_command.ts";
import { makeCertificates } from "./certificates.ts";
import { freePort, NatsServer, natsTest } from "./nats_server.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs a program that connects, and has to end by itself; gives what it wrote. */
async function runConnecting(
  servers: string,
  { flags = [], env = {} }: {
    flags?: string[];
    env?: Record<string, string>;
  } = {},
): Promise<string> {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", ...flags, "-"],
    cwd: ROOT,
    env: { ...Deno.env.toObject(), ...env },
    stdin: `
      import { Connection } from "./executors/nats/connection.ts";
      import { checkConnectionOptions } from "./executors/nats/connection_options.ts";
      const settings = checkConnectionOptions({ servers: ${
      JSON.stringify(servers)
    } }, "test");
      const listener = { lost() {}, back() {} };
      const connection = new Connection(settings, "inbox", listener);
      const held = await connection.hold();
      await held.nats.flush();
      console.log("flushed");
      held[Symbol.dispose]();
    `,
    timeout: 20_000,
  });
  return stdout.trim();
}

natsTest(
  "Connection needs no permission but for its server, and lets its program end",
  async () => {
    await using server = await NatsServer.start();
    const flags = [`--allow-net=127.0.0.1:${server.port}`];
    assertEquals(await runConnecting(server.url, { flags }), "flushed");
  },
);

natsTest("Connection goes by wss://", async () => {
  const port = freePort();
  await using server = await NatsServer.start({
    config:
      `websocket { listen: "127.0.0.1:${port}", tls { cert_file: server.pem, key_file: server.key } }`,
    files: await makeCertificates(),
  });
  const said = await runConnecting(`wss://localhost:${port}`, {
    flags: [`--allow-net=localhost:${port}`],
    env: { DENO_CERT: `${server.folder}/ca.pem` },
  });
  assertEquals(said, "flushed");
});

// `futures serve` over a real server: what it does, and how it ends.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NatsServer, natsTest } from "../executors/nats/nats_server.ts";
import { FUNCTIONS, futures } from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import {
  gate,
  mapOne,
  nodes,
  serve,
  start,
  untilThere,
} from "./nats_programs.ts";

natsTest(
  "futures serve makes the calls of futures map --on, and futures nodes lists it",
  async () => {
    await using server = await NatsServer.start();
    await using ada = await serve(server.url, "--workers=2", "--name=ada");
    assertEquals(
      ada.stdout.text,
      `ada serves the pool default at ${server.url} with 2 threads\n`,
    );

    const { nodes: [node, ...others], ...queue } = await nodes(server.url) as {
      nodes: Record<string, unknown>[];
    };
    assertEquals(others, []);
    assertEquals(queue, { pending: 0, redelivered: 0 });
    const { name, workers, busy, pool, deno, since } = node!;
    assertEquals({ name, workers, busy, pool, deno }, {
      name: "ada",
      workers: 2,
      busy: 0,
      pool: "default",
      deno: Deno.version.deno,
    });
    assert(Math.abs(Date.now() - Number(since)) < 60_000, `${since}`);
    const { stdout: table } = await futures(["nodes", server.url]);
    assertMatch(table, /^ada /m);
    assertMatch(
      table,
      /^1 node, 0 of 2 workers busy; 0 messages waiting, 0 redelivered$/m,
    );

    const lines = Array.from({ length: 3000 }, (_, i) => `${i}\n`).join("");
    const { stdout, stderr } = await futures(
      ["map", `${FUNCTIONS}#same`, "--on", server.url],
      { stdin: lines },
    );
    assertEquals(stdout, lines);
    assertEquals(stderr, "");

    ada.child.kill("SIGINT");
    assertEquals((await ada.child.status).code, 0);
    assertEquals(
      await ada.stderr.end(),
      "futures: finishing what runs; Ctrl-C once more leaves it\n",
    );
  },
);

natsTest(
  "futures serve lets what runs end when it is told to end",
  async () => {
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder();
    await Deno.writeTextFile(`${folder.path}/gate.js`, gate(folder.path));
    await using node = await serve(server.url, "--workers=1");
    const map = mapOne(server, "gate.js", folder.path);
    await untilThere(`${folder.path}/begun`);
    node.child.kill("SIGTERM");
    await node.stderr.until("finishing what runs");
    await Deno.writeTextFile(`${folder.path}/open`, "");
    assertEquals((await map).stdout, "1\n");
    assertEquals((await node.child.status).code, 0);
  },
);

natsTest(
  "futures serve gives back what takes longer than --drain-timeout",
  async () => {
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder();
    await Deno.writeTextFile(`${folder.path}/gate.js`, gate(folder.path));
    await using node = await serve(
      server.url,
      "--workers=1",
      "--drain-timeout=100",
    );
    const map = mapOne(server, "gate.js", folder.path);
    await untilThere(`${folder.path}/begun`);
    node.child.kill("SIGINT");
    assertEquals((await node.child.status).code, 1);
    assertMatch(await node.stderr.end(), /gave 1 call back/);
    await Deno.writeTextFile(`${folder.path}/open`, "");
    await using _other = await serve(server.url, "--workers=1");
    assertEquals((await map).stdout, "1\n");
  },
);

natsTest(
  "futures serve leaves at once when it is told to end twice",
  async () => {
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder();
    await Deno.writeTextFile(`${folder.path}/gate.js`, gate(folder.path));
    await using node = await serve(server.url, "--workers=1");
    await using map = start(
      ["map", "gate.js", "--on", server.url],
      folder.path,
    );
    const input = map.child.stdin.getWriter();
    await input.write(new TextEncoder().encode("1\n"));
    input.releaseLock();
    await untilThere(`${folder.path}/begun`);
    node.child.kill("SIGINT");
    await node.stderr.until("finishing what runs");
    node.child.kill("SIGINT");
    assertEquals((await node.child.status).code, 130);
  },
);

natsTest(
  "futures serve, nodes and map do with the users of docs/nats.conf",
  async () => {
    await using server = await NatsServer.start({
      config: await Deno.readTextFile(
        new URL("../../docs/nats.conf", import.meta.url),
      ),
      env: { FUTURES_CLIENT_PASSWORD: "c", FUTURES_NODE_PASSWORD: "n" },
    });
    const as = (user: string) =>
      server.url.replace("//", `//${user}:${user[0]}@`);
    await using node = await serve(as("node"), "--workers=1", "--name=marie");
    assertEquals(node.stdout.text.includes("node:n@"), false);
    const { stdout } = await futures(["nodes", as("client")]);
    assertMatch(stdout, /^marie /m);
    const map = await futures(
      ["map", `${FUNCTIONS}#same`, "--on", as("client")],
      { stdin: "1\n2\n" },
    );
    assertEquals(map, { stdout: "1\n2\n", stderr: "" });
  },
);

natsTest(
  "futures serve says when the connection goes, and when it is back",
  async () => {
    await using server = await NatsServer.start();
    await using node = await serve(server.url, "--workers=1");
    await server.kill();
    await node.stderr.until("Lost the connection to NATS at nats://127.0.0.1:");
    await server.restart();
    await node.stderr.until("is back");
    const { stdout } = await mapOne(server, FUNCTIONS + "#same", ".");
    assertEquals(stdout, "1\n");
    assertEquals(node.stderr.text.split("\n").length, 3);
  },
);

// The way of a file: from the project of a client to nodes that never stop.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { servePool } from "../../../executors/nats/mod.ts";
import { ProcessPoolExecutor, WorkerPoolExecutor } from "../../../mod.ts";
import { runCommand } from "../../helpers/run_command.ts";
import { MOD } from "../helpers/worker_harness.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { makeProject } from "./projects.ts";
import config from "../../../deno.json" with { type: "json" };

const NATS = new URL("../../../executors/nats/mod.ts", import.meta.url).href;

/** The names that modules of this package import, in the project of a test. */
const IMPORTS = JSON.stringify({
  imports: {
    ...config.imports,
    "@concurrent/futures": MOD,
    "@concurrent/futures/nats": NATS,
  },
});

const PROJECT = {
  "deno.json": IMPORTS,
  "main.ts": `
    import { NatsPoolExecutor } from "@concurrent/futures/nats";
    import { fail, text } from "./tasks.ts";
    await using pool = new NatsPoolExecutor({ servers: Deno.args[0]! });
    console.log(await pool.submit(text, "client"));
    console.log((await pool.submit(fail).exception() as Error).stack);
  `,
  "tasks.ts": `
    import { currentTask, task } from "@concurrent/futures";
    import said from "./said.json" with { type: "json" };
    export const text = task(import.meta, function text(who: string) {
      return said.text + " " + who + " " + currentTask()?.cancelled;
    });
    export const fail = task(import.meta, function fail() {
      throw new RangeError("Failed");
    });
  `,
};

for (const Kind of [WorkerPoolExecutor, ProcessPoolExecutor]) {
  natsTest(
    `nodes with a ${Kind.name} run what the files of a client have, in each run of it`,
    async () => {
      await using server = await NatsServer.start();
      await using executor = new Kind({ maxWorkers: 1 });
      const served = await servePool({
        servers: server.url,
        executor,
        cache: `${server.folder}/cache`,
      });
      await using folder = await makeProject({
        ...PROJECT,
        "said.json": `{ "text": "Hello" }`,
      });
      const run = async () => {
        const { stdout } = await runCommand(Deno.execPath(), {
          args: ["run", "-A", "--no-lock", "--no-check", "main.ts", server.url],
          cwd: folder.url,
          env: Deno.env.toObject(),
          timeout: 30_000,
        });
        return stdout;
      };
      const first = await run();
      assertMatch(first, /^Hello client false\n/);
      assertStringIncludes(first, `${folder.url.href}tasks.ts:8:13`);
      await Deno.writeTextFile(
        `${folder.path}/said.json`,
        `{ "text": "Good bye" }`,
      );
      assertMatch(await run(), /^Good bye client false\n/);
      const cached = [...Deno.readDirSync(`${server.folder}/cache`)];
      assertEquals(cached.length, 2);
      await served.drain();
    },
  );
}

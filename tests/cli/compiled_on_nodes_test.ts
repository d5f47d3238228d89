// The compiled program and a pool of nodes: it has nothing that could bundle.

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../cli/bench/benchmark.ts";
import { servePool } from "../../executors/nats/mod.ts";
import { NatsServer, natsTest } from "../executors/nats/nats_server.ts";
import { compileFutures } from "../helpers/compiled_futures.ts";
import { runCommand } from "../helpers/run_command.ts";
import { AGES } from "../helpers/scientist_ages.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { serveBy } from "./nats_programs.ts";

/** A benchmark that is over at once. */
const BENCH = ["bench", "--json", "--delay=5", "--work=1000"];

natsTest(
  "the compiled program uses a pool whose nodes are the same program",
  async () => {
    const program = await compileFutures();
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder({
      "square.js": `import { posix } from "node:path";
        export const square = (n) => n * n;
        export const path = (n) => {
          if (n === 2) throw new RangeError(posix.sep);
          return posix.sep + n;
        };`,
      "relative.js": 'export { square as default } from "./square.js";',
      "package.js": 'export { default } from "npm:square";',
      "broken.js": "export default (n) =>",
      "late.js": "throw new Error('not today');",
      "square.ts": "export default (n: number) => n * n;",
    });
    // As on another machine: another path, and nothing but the program.
    await Deno.copyFile(program, `${folder.path}/another`);
    await using node = await serveBy(
      `${folder.path}/another`,
      server.url,
      "--workers=2",
      "--name=ada",
    );
    const run = (args: string[], stdin = "", code = 0) =>
      runCommand(program, {
        args: [...args, `--on=${server.url}`],
        cwd: folder.path,
        env: {},
        stdin,
        code,
        timeout: 60_000,
      });

    const { stdout, stderr } = await run([
      ...BENCH,
      "--executors=serial,nats",
      "--quiet",
    ]);
    assertEquals(stderr, "");
    const { workload }: Report = JSON.parse(stdout);
    assertEquals(workload.length, 2);
    for (const { runs } of workload) {
      assertEquals(
        runs.map(({ executor }) => executor),
        ["serial", "NatsPoolExecutor"],
      );
      for (const { results } of runs) assertEquals(results, AGES);
    }
    assertStringIncludes(stdout, '"ada/worker-1"');

    const map = async (module: string, code = 0) => {
      const { stdout, stderr } = await run(["map", module], "1\n2\n", code);
      // All that is said is one sentence.
      assertEquals(stderr.split("\n").length, code === 0 ? 1 : 2, stderr);
      return { stdout, stderr };
    };
    assertEquals((await map("square.js#square")).stdout, "1\n4\n");
    assertEquals(await map("square.js#path", 1), {
      stdout: '"/1"\n',
      stderr: "futures: line 2: RangeError: /\n",
    });
    assertStringIncludes(
      (await map("square.js#cube", 2)).stderr,
      'square.js exports no function "cube": there is square.js#path, square.js#square',
    );
    for (const module of ["relative.js", "package.js"]) {
      const { stderr } = await map(module, 2);
      assertStringIncludes(stderr, `futures: cannot load ${module}: `);
      assertStringIncludes(stderr, `deno bundle ${module} -o FILE.js`);
      assertEquals(stderr.includes("data:"), false, stderr);
    }
    assertStringIncludes(
      (await map("broken.js", 2)).stderr,
      "at broken.js:1:",
    );
    assertStringIncludes(
      (await map("late.js", 2)).stderr,
      "futures: cannot load late.js: not today",
    );
    assertStringIncludes(
      (await map("square.ts", 2)).stderr,
      "a compiled program takes JavaScript only: deno bundle square.ts -o",
    );
    node.child.kill("SIGTERM");
    assertEquals((await node.child.status).code, 0);
  },
);

natsTest(
  "the compiled program says so where nodes are another program",
  async () => {
    const program = await compileFutures();
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder({
      "square.js": "export default (n) => n * n;",
    });
    const node = await servePool({
      servers: server.url,
      cache: `${folder.path}/cache`,
    });
    const run = async (args: string[], stdin: string) => {
      const { stdout, stderr } = await runCommand(program, {
        args: [...args, `--on=${server.url}`],
        cwd: folder.path,
        env: {},
        stdin,
        code: args[0] === "map" ? 2 : 1,
        timeout: 60_000,
      });
      assertEquals(stdout, "");
      return stderr;
    };
    assertStringIncludes(
      await run(["map", "square.js"], "1\n"),
      "start nodes with that, or run cli.ts with Deno",
    );
    assertStringIncludes(
      await run([...BENCH, "--executors=nats"], ""),
      `start nodes with this program, futures serve ${server.url}`,
    );
    await node.drain();
  },
);

// `futures bench --executors nats --on` over a real server.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../../cli/bench/benchmark.ts";
import { NatsServer, natsTest } from "../../executors/nats/nats_server.ts";
import { futures } from "../../helpers/futures_command.ts";
import { AGES } from "../../helpers/scientist_ages.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";
import { serve } from "../nats_programs.ts";

/** A benchmark that is over at once. */
const QUICK = ["bench", "--delay=20", "--work=100000"];

natsTest("futures bench --on runs on all nodes of a pool", async () => {
  await using server = await NatsServer.start();
  const node = (name: string) =>
    serve(server.url, "--workers=1", `--name=${name}`, "--pool=bench");
  await using _ada = await node("ada");
  await using _emmy = await node("emmy");
  const { stdout } = await futures([
    ...QUICK,
    "--executors=nats,serial",
    `--on=${server.url}`,
    "--pool=bench",
    "--records=8",
    "--json",
    "--quiet",
  ]);
  const { workload }: Report = JSON.parse(stdout);
  assertEquals(workload.map(({ kind }) => kind), ["wait", "compute"]);
  for (const { runs } of workload) {
    assertEquals(
      runs.map(({ executor, workers }) => [executor, workers]),
      [["serial", 1], ["NatsPoolExecutor", 2]],
    );
    const { results, tasks, wallMs } = runs[1]!;
    assertEquals(results.slice(0, 7), AGES);
    assertEquals(tasks.length, 8);
    for (const { worker, startMs, endMs } of tasks) {
      assert(["ada/worker-1", "emmy/worker-1"].includes(worker), worker);
      assert(startMs <= endMs && endMs <= wallMs);
    }
  }
  // Each node has a message at a time, so neither had them all.
  const waited = workload[0]!.runs[1]!.tasks.map(({ worker }) => worker);
  assertEquals(new Set(waited).size, 2);
});

natsTest("futures bench --on draws the workers of nodes", async () => {
  await using server = await NatsServer.start();
  await using _node = await serve(server.url, "--workers=1", "--name=<ada>");
  await using folder = await makeTempFolder();
  const { stdout, stderr } = await futures(
    [
      ...[...QUICK, "--workload=wait", "--executors=nats"],
      ...[`--on=${server.url}`, "--html=page.html"],
    ],
    { cwd: folder.path },
  );
  assertStringIncludes(
    stdout,
    "  NatsPoolExecutor     nodes of a pool, up to 1 record at a time",
  );
  assertStringIncludes(
    stdout,
    "  NatsPoolExecutor: one node of a pool that has one worker\n    <ada>/worker-1 ",
  );
  // What nodes say is not for whoever looks here.
  assertEquals(stderr, "  NatsPoolExecutor\n\n");
  const page = await Deno.readTextFile(`${folder.path}/page.html`);
  assertStringIncludes(page, "in &#60;ada&#62;/worker-1 of NatsPoolExecutor");
});

natsTest(
  "futures bench --on says that nobody serves the pool before anything runs",
  async () => {
    await using server = await NatsServer.start();
    await using folder = await makeTempFolder();
    const run = (...args: string[]) =>
      futures(
        [
          ...[...QUICK, "--executors=serial,nats", "--svg=out.svg"],
          ...[`--on=${server.url}`, ...args],
        ],
        { cwd: folder.path, code: 1 },
      );
    const { url } = server;
    assertEquals(await run(), {
      stdout: "",
      stderr:
        `futures: no node serves the pool default at ${url}: start one with futures serve ${url}\n`,
    });
    assertEquals(await run("--pool=other"), {
      stdout: "",
      stderr:
        `futures: no node serves the pool other at ${url}: start one with futures serve ${url} --pool other\n`,
    });
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  },
);

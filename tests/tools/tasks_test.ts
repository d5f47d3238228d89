// The tasks in deno.json.

import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);

/** The test files in a folder, as paths from the root. */
function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = folder + entry.name;
    if (entry.isDirectory) return testFiles(`${path}/`);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}

Deno.test("deno task test runs each test file once", () => {
  const tasks: Record<string, unknown> = config.tasks;
  const shares = config.tasks.test.dependencies.flatMap((task) => {
    const words = String(tasks[task]).split(" ");
    const shard = words.find((word) => word.startsWith("--shard="));
    return words.filter((word) => word.startsWith("tests/"))
      .map((name) => ({ name, shard }));
  });
  for (const path of testFiles("tests/")) {
    const shards = shares
      .filter(({ name }) => `${path}/`.startsWith(`${name}/`))
      .map(({ shard }) => shard);
    const once = shards.length === 1
      ? [undefined]
      : ["--shard=1/2", "--shard=2/2"];
    assertEquals(shards, once, path);
  }
});

// What comes from npm is in "scopes": what is in "imports" Deno fetches before it
// runs any task, even one that would see to the network first. The scope is that
// of all files, as `deno install --global` has a copy of deno.json elsewhere.
Deno.test("deno task needs no network itself", async () => {
  await using folder = await makeTempFolder();
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["task", "--quiet", "--eval", "echo run"],
    cwd: ROOT,
    env: {
      ...Deno.env.toObject(),
      DENO_DIR: folder.path,
      NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/",
    },
    timeout: 60_000,
  });
  assertEquals(stdout, "run\n");
});

// The tasks in deno.json.

import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

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

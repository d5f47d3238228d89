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
  const named = config.tasks.test.dependencies
    .flatMap((task) => String(tasks[task]).split(" "))
    .filter((word) => word.startsWith("tests/"));
  for (const path of testFiles("tests/")) {
    const runs = named.filter((name) => `${path}/`.startsWith(`${name}/`));
    assertEquals(runs.length, 1, `${path}: ${runs.length} times`);
  }
});

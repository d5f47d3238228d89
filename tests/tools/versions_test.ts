// tools/versions.ts: which tests run on which version of Deno.

import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { otherThan, VERSIONS } from "../../tools/versions.ts";

Deno.test("otherThan() lets a name through that does not begin with the word", () => {
  const filter = new RegExp(otherThan("Process").slice(1, -1));
  for (const name of ["", "P", "Proce", "Proces: s", "a Process", "Worker"]) {
    assert(filter.test(name), name);
  }
  for (const name of ["Process", "ProcessPoolExecutor takes"]) {
    assertFalse(filter.test(name), name);
  }
});

Deno.test("VERSIONS has one of each minor release, in order", () => {
  const minors = VERSIONS.map((version) => version.split(".").map(Number));
  assertEquals(minors.map(([, minor]) => minor), [4, 5, 6, 7, 8, 9]);
});

Deno.test("deno task test runs on the oldest version, and on one between", async () => {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  const { test, "test:older": older } = config.tasks;
  assert(test.dependencies.includes("test:older"));
  const [, oldest] = /versions\.ts core (\S+)( |$)/.exec(older) ?? [];
  assertEquals(oldest, VERSIONS[0]);
  const [, between] = /versions\.ts workers (\S+)( |$)/.exec(older) ?? [];
  assert(VERSIONS.slice(1, -1).some((version) => version === between));
});

Deno.test("tests of processes alone are in files that core runs", async () => {
  const folder = new URL("../executors/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith("_test.ts") || name.startsWith("process_")) continue;
    const source = await Deno.readTextFile(new URL(name, folder));
    const alone = /(?:watched|Deno\.test)\(\s*["'`]Process.*/.exec(source);
    assertEquals(
      alone?.[0],
      undefined,
      `${name}: move it to process_*_test.ts`,
    );
  }
});

for (const args of [[], ["some"], ["core", "2.4"], ["all", "deno@2.4.2"]]) {
  Deno.test(`versions.ts says what it wants instead of "${args.join(" ")}"`, async () => {
    const { stderr } = await runCommand(Deno.execPath(), {
      args: ["run", "-A", "tools/versions.ts", ...args],
      cwd: new URL("../../", import.meta.url),
      env: Deno.env.toObject(),
      code: 2,
      timeout: 20_000,
    });
    assertMatch(
      stderr,
      /Expected all or core or workers, and versions: got ".*"/,
    );
  });
}

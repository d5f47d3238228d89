// tools/versions.ts: which tests run on which version of Deno.

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { filesOf, groupOf, otherThan, VERSIONS } from "../../tools/versions.ts";
import { runCommand } from "../helpers/run_command.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("otherThan() lets a name through that does not begin with the word", () => {
  const filter = new RegExp(otherThan("Process").slice(1, -1));
  for (const name of ["", "P", "Proce", "Proces: s", "a Process", "Worker"]) {
    assert(filter.test(name), name);
  }
  for (const name of ["Process", "ProcessPoolExecutor takes"]) {
    assertFalse(filter.test(name), name);
  }
});

Deno.test("groupOf() reads the group from the first comment of a file", () => {
  assertEquals(groupOf("// About.\n// @group workers\n\nimport x;"), "workers");
  assertEquals(groupOf("// About.\n\nimport x;"), undefined);
  assertEquals(groupOf("// About.\n\n// @group workers\n"), undefined);
});

Deno.test("groupOf() refuses a group that it does not know", () => {
  assertThrows(
    () => groupOf("// About.\n// @group worker\n\n"),
    Error,
    'Expected the group processes or workers: got "worker"',
  );
});

Deno.test("filesOf() finds files of each group", () => {
  for (const group of ["processes", "workers"] as const) {
    const files = filesOf(group);
    assert(files.length > 0, group);
    assertEquals(files, files.toSorted());
  }
});

Deno.test("VERSIONS has one of each minor release, in order", () => {
  const minors = VERSIONS.map((version) => version.split(".").map(Number));
  assertEquals(minors.map(([, minor]) => minor), [4, 5, 6, 7, 8, 9]);
});

Deno.test("deno task test runs on the oldest version", async () => {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const { test, "test:older": older } = config.tasks;
  assert(test.dependencies.includes("test:older"));
  assert(older.endsWith(`tools/versions.ts workers ${VERSIONS[0]}`), older);
});

Deno.test("tests of processes alone are in files that older versions run", async () => {
  const processes = filesOf("processes");
  const folder = new URL("tests/executors/", ROOT);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith("_test.ts")) continue;
    if (processes.includes(`tests/executors/${name}`)) continue;
    assertFalse(
      name.startsWith("process_"),
      `${name}: write "// @group processes" below its first comment`,
    );
    const source = await Deno.readTextFile(new URL(name, folder));
    const alone = /(?:watched|Deno\.test)\(\s*["'`]Process.*/.exec(source);
    assertEquals(
      alone?.[0],
      undefined,
      `${name}: move it to a file of the group "processes"`,
    );
  }
});

for (
  const args of [
    [],
    ["some"],
    ["workers", "2.4"],
    ["all", "deno@2.4.2"],
    ["toString"],
  ]
) {
  Deno.test(`versions.ts says what it wants instead of "${args.join(" ")}"`, async () => {
    const { stderr } = await runCommand(Deno.execPath(), {
      args: ["run", "-A", "tools/versions.ts", ...args],
      cwd: ROOT,
      env: Deno.env.toObject(),
      code: 2,
      timeout: 20_000,
    });
    assertMatch(
      stderr,
      /Expected all or workers, and versions: got ".*"/,
    );
  });
}

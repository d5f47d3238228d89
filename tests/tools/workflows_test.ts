// .github/workflows: what no linter knows of them.

import { assert, assertEquals } from "@std/assert";
import { VERSIONS } from "../../tools/versions.ts";

const ROOT = new URL("../../", import.meta.url);
const OLDEST = VERSIONS[0];
const NEWEST = VERSIONS.at(-1);

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

Deno.test("ci.yml runs on the oldest and the newest version of Deno, and on one between", () => {
  const [, versions] = /deno: (\[.*\])/.exec(
    read(".github/workflows/ci.yml"),
  ) ?? [];
  const [oldest, between, newest] = JSON.parse(versions!);
  assertEquals([oldest, newest], [OLDEST, NEWEST]);
  assert(VERSIONS.slice(1, -1).includes(between), between);
});

Deno.test("whatever else names a version of Deno names the newest", () => {
  assert(read(".ci/run").includes(`\nnewest=${NEWEST}\n`));
  for (
    const path of [
      ".github/workflows/publish.yml",
      ".github/workflows/release.yml",
      "CONTRIBUTING.md",
      "README.md",
    ]
  ) {
    const named = Array.from(
      read(path).matchAll(/deno@([\d.]+\d)/g),
      ([, version]) => version,
    );
    assert(named.length > 0, path);
    assertEquals(named.filter((version) => version !== NEWEST), [], path);
  }
});

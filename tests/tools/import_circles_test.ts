// tools/import_circles.ts: which modules import one another in a circle.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { findCircles, readImports } from "../../tools/import_circles.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

/** The circles among modules of these texts: at run time, and with types. */
async function circlesOf(files: Record<string, string>) {
  await using folder = await makeTempFolder(files);
  const imports = await readImports(folder.url, Object.keys(files));
  return {
    code: findCircles(imports.filter(({ isType }) => !isType)),
    all: findCircles(imports),
  };
}

Deno.test("findCircles() finds none where there is none", async () => {
  const circles = await circlesOf({
    "a.ts": 'import "./b.ts"; import "./deep/c.ts"; import "node:path";',
    "b.ts": 'import "./deep/c.ts";',
    "deep/c.ts": 'export * from "./d.ts";',
    "deep/d.ts": "export const d = 1;",
  });
  assertEquals(circles, { code: [], all: [] });
});

Deno.test("findCircles() finds a circle, however it is closed", async () => {
  for (
    const back of [
      'import { a } from "../a.ts"; console.log(a);',
      'export * from "../a.ts";',
      'export const later = () => import("../a.ts");',
    ]
  ) {
    const circle = ["a.ts", "b.ts", "deep/c.ts"];
    const { code } = await circlesOf({
      "a.ts": 'import "./b.ts"; export const a = 1;',
      "b.ts": 'import "./deep/c.ts";',
      "deep/c.ts": back,
    });
    assertEquals(code, [circle], back);
  }
});

Deno.test("findCircles() finds a module that imports itself", async () => {
  const { code } = await circlesOf({ "a.ts": 'import "./a.ts";' });
  assertEquals(code, [["a.ts"]]);
});

Deno.test("findCircles() tells a circle through types from one at run time", async () => {
  const circles = await circlesOf({
    "a.ts": 'import "./b.ts"; export type A = 1;',
    "b.ts": 'import type { A } from "./a.ts"; export const b: A = 1;',
  });
  assertEquals(circles, { code: [], all: [["a.ts", "b.ts"]] });
});

Deno.test("findCircles() finds each of several circles, the shortest first", () => {
  const imports = ["ab", "bc", "ca", "xy", "yx", "cx"].map((pair) => ({
    from: pair[0]!,
    to: pair[1]!,
    isType: false,
  }));
  assertEquals(findCircles(imports), [["x", "y"], ["a", "b", "c"]]);
});

Deno.test("readImports() refuses a module that cannot be loaded", async () => {
  await using folder = await makeTempFolder({ "a.ts": 'import "./b.ts";' });
  const error = await assertRejects(() => readImports(folder.url, ["a.ts"]));
  assertStringIncludes(String(error), "b.ts");
});

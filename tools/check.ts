// `deno task check`: checks everything but what the tests do. All checks run, also
// after one has failed.

import config from "../deno.json" with { type: "json" };
import { findCircles, readImports } from "./import_circles.ts";

const ROOT = new URL("../", import.meta.url);

/** The checks by name: arguments of Deno, or a function. */
const CHECKS: Readonly<Record<string, string[] | (() => Promise<boolean>)>> = {
  "format": ["fmt", "--check"],
  "lint": ["lint"],
  "types": ["check"],
  "documentation": ["doc", "--lint", ...entryPoints()],
  "package": ["publish", "--dry-run", "--allow-dirty"],
  "import circles": hasNoCircle,
};

/**
 * The folder of tasks for tests, of which some are in modules that import one
 * another, as those of users may be.
 */
const ON_PURPOSE = "tests/executors/fixtures/";

if (import.meta.main) {
  const failed: string[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const passes = typeof check === "function"
      ? await check()
      : await succeeds(check);
    if (!passes) failed.push(name);
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
  Deno.exit(failed.length === 0 ? 0 : 1);
}

/** The modules that users can import. */
function entryPoints(): string[] {
  const exports: string | Record<string, string> = config.exports;
  return typeof exports === "string" ? [exports] : Object.values(exports);
}

async function succeeds(args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
  }).spawn().status;
  return success;
}

async function hasNoCircle(): Promise<boolean> {
  const imports = (await readImports(ROOT, await Array.fromAsync(modules(""))))
    .filter(({ from }) => !from.startsWith(ON_PURPOSE));
  const atRunTime = findCircles(imports.filter(({ isType }) => !isType));
  // Circles at run time are shown first, as those through types often have the
  // same modules.
  const circles = atRunTime.length > 0 ? atRunTime : findCircles(imports);
  const what = atRunTime.length > 0 ? "Circle" : "Circle through types";
  for (const circle of circles) {
    console.error(`${what}: ${[...circle, circle[0]].join(" → ")}`);
  }
  return circles.length === 0;
}

/** The modules in a folder, as paths from the root. */
async function* modules(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory) yield* modules(`${path}/`);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

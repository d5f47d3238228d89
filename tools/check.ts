// What `deno task check` checks: everything but whether it works, which is what
// tests are for. All checks run, also after one has failed.

import { findCircles, readImports } from "./import_circles.ts";

const ROOT = new URL("../", import.meta.url);

/** What is to be so, and what finds out: arguments of Deno, or a function. */
const CHECKS: Readonly<Record<string, string[] | (() => Promise<boolean>)>> = {
  "format": ["fmt", "--check"],
  "lint": ["lint"],
  "types": ["check"],
  "documentation": ["doc", "--lint", "mod.ts"],
  "package": ["publish", "--dry-run", "--allow-dirty"],
  "import circles": hasNoCircle,
};

/** Tests have tasks in modules that import one another, as users have. */
const ON_PURPOSE = "tests/executors/fixtures/";

if (import.meta.main) {
  const failed: string[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const isSo = typeof check === "function"
      ? await check()
      : await succeeds(check);
    if (!isSo) failed.push(name);
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
  Deno.exit(failed.length === 0 ? 0 : 1);
}

async function succeeds(args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
  }).spawn().status;
  return success;
}

/** Circles through types alone are told, and fail nothing. */
async function hasNoCircle(): Promise<boolean> {
  const imports = (await readImports(ROOT, await Array.fromAsync(modules(""))))
    .filter(({ from }) => !from.startsWith(ON_PURPOSE));
  const circles = findCircles(imports.filter(({ isType }) => !isType));
  tell("Circle of imports", circles);
  if (circles.length === 0) tell("Circle through types", findCircles(imports));
  return circles.length === 0;
}

function tell(what: string, circles: readonly string[][]): void {
  for (const circle of circles) {
    console.error(`${what}: ${[...circle, circle[0]].join(" → ")}`);
  }
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

// Tasks of compiled programs, which cannot bundle: nodes find them by name.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { compiler } from "../../../tools/compile.ts";
import { runCommand } from "../../helpers/run_command.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";
import { bundleOf, codeOf } from "./projects.ts";
import { MOD } from "../helpers/worker_harness.ts";

/** What the compiler and a program may take, in milliseconds. */
const LIMIT_MS = 120_000;

/** This package, from where {@linkcode PROGRAM} has its modules: a compiled program would look for an absolute address on the disk. */
const ROOT = "../package";

/** A program that is a client, or a node that makes one call. */
const PROGRAM = {
  "src/main.ts": `
    import { WorkerPoolExecutor } from "${ROOT}/mod.ts";
    import { CodeSource } from "${ROOT}/executors/nats/code/describe.ts";
    import { CodeStore } from "${ROOT}/executors/nats/code/store.ts";
    import { double } from "./lib/tasks.ts";

    const [code, preload, bundle] = Deno.args;
    if (code === undefined) {
      console.log(JSON.stringify((await new CodeSource().describe(double)).code));
    } else {
      using store = new CodeStore({ preload: preload || undefined });
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      try {
        const fn = await store.find(
          JSON.parse(code),
          () => Promise.resolve(new TextEncoder().encode(bundle)),
        );
        console.log(await pool.submit(fn, 21));
      } catch (error) {
        console.log(String(error));
      }
    }
  `,
  "src/lib/tasks.ts": `
    import { task } from "../${ROOT}/mod.ts";
    export const double = task(import.meta, "double", (n: number) => 2 * n);
  `,
  "preloaded.js": `
    export const triple = (n) => 3 * n;
    Object.defineProperty(triple, Symbol.for("@concurrent/futures/task"), {
      value: { kind: "export", module: import.meta.url, name: "triple" },
    });
  `,
};

Deno.test("nodes find tasks of compiled programs", async () => {
  await using folder = await makeTempFolder(PROGRAM);
  await Deno.symlink(new URL(".", MOD), `${folder.path}/package`);
  const { program, env: denort } = await compiler();
  const { DENO_TLS_CA_STORE = "system,mozilla", HOME = folder.path } = Deno.env
    .toObject();
  await runCommand(program, {
    args: [
      "compile",
      "-A",
      "--no-check",
      "--no-config",
      "--output=program",
      "src/main.ts",
    ],
    cwd: folder.url,
    env: { ...denort, HOME, DENO_TLS_CA_STORE },
    timeout: LIMIT_MS,
  });
  // The same program on another machine may have another name.
  await Deno.copyFile(`${folder.path}/program`, `${folder.path}/other`);
  const run = async (name: string, ...args: string[]) => {
    const { stdout } = await runCommand(`${folder.path}/${name}`, {
      args,
      cwd: folder.url,
      env: { XDG_CACHE_HOME: `${folder.path}/cache` },
      timeout: LIMIT_MS,
    });
    return stdout.trim();
  };
  const code = await run("program");
  assertEquals(JSON.parse(code), {
    kind: "named",
    module: "./lib/tasks.ts",
    name: "double",
  });
  assertEquals(await run("program", code), "42");
  assertEquals(await run("other", code), "42");
  const triple = code.replace("double", "triple").replace("lib/", "no/");
  assertEquals(await run("other", triple, "preloaded.js"), "63");
  const said = await run("other", triple);
  assertStringIncludes(said, "TaskNotFoundError: Task 'triple'");
  assertStringIncludes(said, "--preload FILE");
  // A compiled node takes bundles too.
  const bundle = await bundleOf("return import.meta.url.slice(-4) + n");
  const text = new TextDecoder().decode(bundle.bytes);
  const sent = JSON.stringify(codeOf(bundle));
  assertEquals(await run("other", sent, "", text), ".mjs21");
});

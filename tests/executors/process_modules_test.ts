// What worker processes find: the configuration and the packages of the
// program, also where Deno does not name its main module.
// @group processes

import { assertEquals } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD, runMain } from "./helpers/worker_harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 20_000;

/** Runs one module of a project, as its user does, and gives what it printed. */
async function runProject(
  files: Record<string, string>,
  main: string,
): Promise<string> {
  await using folder = await makeTempFolder(files);
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", main],
    cwd: folder.url,
    env: Deno.env.toObject(),
    timeout: PROGRAM_LIMIT_MS,
  });
  return stdout;
}

/** An installed package, that says its name. */
const GREET = {
  "node_modules/greet/package.json":
    `{ "name": "greet", "version": "1.0.0", "main": "index.js" }`,
  "node_modules/greet/index.js": `module.exports = (n) => "greet " + n;`,
};

/** A task that needs it, and a program that runs the task, or says why it cannot. */
function program(specifier: string): { tasks: string; main: string } {
  return {
    tasks: `
      import greet from "${specifier}";
      import { task } from "${MOD}";
      export const hello = task(import.meta, "hello", (n: number) => greet(n));
    `,
    main: `
      import { ProcessPoolExecutor } from "${MOD}";
      import { hello } from "./tasks.ts";
      await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
      console.log(await pool.map(hello, [1, 2]));
    `,
  };
}

const { tasks, main } = program("greet");
const PACKAGE = `{ "dependencies": { "greet": "1" } }`;
const GREETED = '[ "greet 1", "greet 2" ]\n';

/** Projects that Deno itself runs. */
const PROJECTS: Record<string, [Record<string, string>, main: string]> = {
  "a package.json": [
    { ...GREET, "package.json": PACKAGE, "tasks.ts": tasks, "main.ts": main },
    "main.ts",
  ],
  "a package.json in a folder above": [
    {
      ...GREET,
      "package.json": PACKAGE,
      "src/deep/tasks.ts": tasks,
      "src/deep/main.ts": main,
    },
    "src/deep/main.ts",
  ],
  "a package.json beside deno.json": [
    {
      ...GREET,
      "package.json": PACKAGE,
      "deno.json": `{ "imports": { "@/": "./src/" } }`,
      "src/tasks.ts": `export * from "@/hello.ts";`,
      "src/hello.ts": tasks,
      "src/main.ts": main,
    },
    "src/main.ts",
  ],
  "a deno.jsonc alone": [
    {
      "deno.jsonc": `{ /* mapped */ "imports": { "greet": "./greet.ts" } }`,
      "greet.ts": `export default (n: number) => "greet " + n;`,
      "tasks.ts": tasks,
      "main.ts": main,
    },
    "main.ts",
  ],
  "a package.json that is a member of a workspace of deno.json": [
    {
      "deno.json":
        `{ "workspace": ["./app"], "imports": { "greet": "./greet.ts" } }`,
      "greet.ts": `export default (n: number) => "greet " + n;`,
      "app/package.json": `{ "name": "app" }`,
      "app/tasks.ts": tasks,
      "app/main.ts": main,
    },
    "app/main.ts",
  ],
  "a package.json that is a member of a workspace of package.json": [
    {
      ...GREET,
      "package.json": `{ "workspaces": ["app"] }`,
      "app/package.json": PACKAGE,
      "app/tasks.ts": tasks,
      "app/main.ts": main,
    },
    "app/main.ts",
  ],
  "a package.json in a folder of another deno.json, which is no workspace": [
    {
      "deno.json": `{ "imports": { "greet": "./elsewhere.ts" } }`,
      ...Object.fromEntries(
        Object.entries(GREET).map(([name, text]) => [`app/${name}`, text]),
      ),
      "app/package.json": PACKAGE,
      "app/tasks.ts": tasks,
      "app/main.ts": main,
    },
    "app/main.ts",
  ],
};

for (const [what, [files, path]] of Object.entries(PROJECTS)) {
  watched(
    `ProcessPoolExecutor finds the packages of a project with ${what}`,
    async () => assertEquals(await runProject(files, path), GREETED),
  );
}

/** Where an executor can be made that is not the main program. */
const PLACES: Record<string, string> = {
  "a task of a worker pool": `
    await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    console.log(await pool.submit(nested, 21));
  `,
  "a task of a process pool": `
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    console.log(await pool.submit(nested, 21));
  `,
  "a task of a task of a process pool": `
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    console.log(await pool.submit(twice, 21));
  `,
  "a Web Worker of the program": `
    const worker = new Worker(new URL("./own.ts", import.meta.url), { type: "module" });
    await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(console.log(data)));
    worker.terminate();
  `,
};

/** The modules of such a program; imports are mapped, so that workers have to find the deno.json. */
const NESTED = {
  "deno.json": `{ "imports": { "futures": "${MOD}" } }`,
  "double.ts": `
    import { task } from "futures";
    export const double = task(import.meta, "double", (n: number) => 2 * n);
  `,
  "nested.ts": `
    import { ProcessPoolExecutor, task } from "futures";
    import { double } from "./double.ts";
    export const nested = task(import.meta, "nested", async (n: number) => {
      await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
      return await pool.submit(double, n);
    });
    export const twice = task(import.meta, "twice", async (n: number) => {
      await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
      return await pool.submit(nested, n);
    });
  `,
  "own.ts": `
    import { nested } from "./nested.ts";
    postMessage(await nested(21));
  `,
};

for (const [what, text] of Object.entries(PLACES)) {
  watched(`ProcessPoolExecutor can be made in ${what}`, async () => {
    const files = {
      ...NESTED,
      "main.ts": `
        import { ProcessPoolExecutor, WorkerPoolExecutor } from "futures";
        import { nested, twice } from "./nested.ts";
        ${text}
      `,
    };
    assertEquals(await runProject(files, "main.ts"), "42\n");
  });
}

watched(
  "ProcessPoolExecutor in a worker allows no more than the worker may",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { nested } from "./nested.ts";
        const permissions = { read: true, run: true };
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
        console.log(await pool.submit(nested));
      `,
      "nested.ts": `
        import { ProcessPoolExecutor, task } from "${MOD}";
        export const nested = task(import.meta, "nested", async () => {
          await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
          return await pool.submit(() => ["read", "run", "env", "ffi"].map((name) =>
            Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state
          ).join());
        });
      `,
    });
    assertEquals(stdout, "granted,granted,prompt,prompt\n");
  },
);

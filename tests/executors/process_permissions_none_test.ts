// What a task can do with `permissions: "none"`: everything that takes a
// permission is tried, in both kinds of workers, and a server on this machine
// counts what gets out. docs/security.md says what these tests show.
// @group processes

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { ATTEMPTS, outcomeOf } from "./fixtures/attempts.ts";
import { watched } from "./helpers/harness.ts";
import { countRequests, PACKAGE } from "./helpers/request_counter.ts";
import { MOD } from "./helpers/worker_harness.ts";

/** What a program of a few lines has to end within. */
const PROGRAM_LIMIT_MS = 25_000;

/** What is expected of the attempts with one permission. */
function outcomesOf(permission: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ATTEMPTS[permission]!)
      .map(([what, { outcome }]) => [what, outcome]),
  );
}

for (const permission of Object.keys(ATTEMPTS)) {
  watched(
    `ProcessPoolExecutor with permissions: "none" holds against ${permission}`,
    async (executors) => {
      await using counter = await countRequests();
      const { env, port, requests } = counter;
      const executor = new ProcessPoolExecutor({
        maxWorkers: 1,
        permissions: "none",
        env,
      });
      executors.push(executor);
      const outcomes: Record<string, string> = {};
      for (
        const [what, { attempt }] of Object.entries(ATTEMPTS[permission]!)
      ) {
        outcomes[what] = outcomeOf(
          await executor.submit(attempt, port).catch((error) => error),
        );
      }
      assertEquals(outcomes, outcomesOf(permission));
      await executor.shutdown();
      assertEquals(requests, []);
    },
  );
}

/** Tries it in threads, and prints what came of it. */
const THREADS = `
  import { WorkerPoolExecutor } from "${MOD}";
  import { ATTEMPTS, outcomeOf } from "${new URL(
  "./fixtures/attempts.ts",
  import.meta.url,
)}";
  const [permission, port] = Deno.args;
  await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions: "none" });
  const outcomes = {};
  for (const [what, { attempt }] of Object.entries(ATTEMPTS[permission])) {
    outcomes[what] = outcomeOf(await pool.submit(attempt, Number(port)).catch((error) => error));
  }
  console.log(JSON.stringify(outcomes));
`;

/** What comes of it, and what requests there were. */
async function tryInThreads(
  permission: string,
  flags: string[],
): Promise<[outcomes: Record<string, string>, requests: string[]]> {
  await using counter = await countRequests();
  await using folder = await makeTempFolder({ "main.ts": THREADS });
  const { stdout } = await runCommand(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", "--no-check", "--quiet", "--no-prompt"],
      ...["--unstable-worker-options", ...flags],
      ...["main.ts", permission, `${counter.port}`],
    ],
    cwd: folder.url,
    env: {
      ...Deno.env.toObject(),
      ...counter.env,
      DENO_NO_UPDATE_CHECK: "1",
    },
    timeout: PROGRAM_LIMIT_MS,
  });
  return [JSON.parse(stdout), counter.requests];
}

for (const permission of Object.keys(ATTEMPTS)) {
  watched(
    `WorkerPoolExecutor with permissions: "none" and --cached-only holds against ${permission}`,
    async () => {
      const [outcomes, requests] = await tryInThreads(permission, [
        "--cached-only",
      ]);
      assertEquals(outcomes, outcomesOf(permission));
      assertEquals(requests, []);
    },
  );
}

watched(
  'WorkerPoolExecutor with permissions: "none" asks npm, and nobody else, without --cached-only',
  async () => {
    const npm = (await tryInThreads("npm", []))[1];
    assert(npm.length > 0);
    assert(npm.every((line) => line.includes("/npm/")), npm.join());
    assertEquals((await tryInThreads("import", []))[1], []);
    assertEquals((await tryInThreads("jsr", []))[1], []);
  },
);

watched(
  "ProcessPoolExecutor that may import asks for what a task imports",
  async (executors) => {
    await using counter = await countRequests();
    const { env, port, requests } = counter;
    const permissions = { import: true };
    const options = { maxWorkers: 1, permissions, env };
    const executor = new ProcessPoolExecutor(options);
    executors.push(executor);
    for (const permission of ["import", "npm", "jsr"]) {
      for (
        const [what, { attempt }] of Object.entries(ATTEMPTS[permission]!)
      ) {
        const before = requests.length;
        await executor.submit(attempt, port).catch(() => {});
        // Of a name that is not there, no version is asked for.
        if (!/of a version|@1\.0\.0\)$/.test(what)) {
          assertNotEquals(requests.length, before, what);
        }
      }
    }
  },
);

watched(
  "ProcessPoolExecutor that may import from one host asks no other",
  async (executors) => {
    await using counter = await countRequests();
    const { env, port, requests } = counter;
    const executor = new ProcessPoolExecutor({
      maxWorkers: 1,
      permissions: { import: [`localhost:${port}`] },
      env,
    });
    executors.push(executor);
    for (const permission of ["import", "npm", "jsr"]) {
      for (const { attempt } of Object.values(ATTEMPTS[permission]!)) {
        await executor.submit(attempt, port).catch(() => {});
      }
    }
    assertEquals(requests, []);
    const load = (url: string) => import(url);
    const url = `http://localhost:${port}/module.ts`;
    await executor.submit(load, url).catch(() => {});
    assert(requests.length > 0);
    assert(requests.every((line) => line.includes(url)), requests.join());
  },
);

/** Projects with a package from npm, whose program has it, and so do its workers. */
const INSTALLED: Record<string, Record<string, string>> = {
  "in Deno's cache": { "tasks.ts": tasks(`npm:${PACKAGE}@^1.0.0`) },
  "in Deno's cache by its name in deno.json": {
    "tasks.ts": tasks(PACKAGE),
    "deno.json": `{ "imports": { "${PACKAGE}": "npm:${PACKAGE}@^1.0.0" } }`,
  },
  "in node_modules by deno.json": {
    "tasks.ts": tasks(PACKAGE),
    "deno.json": `{
      "nodeModulesDir": "auto", "imports": { "${PACKAGE}": "npm:${PACKAGE}@^1.0.0" }
    }`,
  },
  "in node_modules by package.json": {
    "tasks.ts": tasks(`npm:${PACKAGE}`),
    "package.json": `{ "dependencies": { "${PACKAGE}": "1" } }`,
    [`node_modules/${PACKAGE}/package.json`]:
      `{ "name": "${PACKAGE}", "version": "1.0.0", "main": "index.js" }`,
    [`node_modules/${PACKAGE}/index.js`]:
      'module.exports = (n) => "greet " + n;',
  },
};

function tasks(specifier: string): string {
  return `
    import greet from "${specifier}";
    import { task } from "${MOD}";
    export const hello = task(import.meta, "hello", (n: number) => greet(n));
    export const other = task(import.meta, "other", (name: string) => import(name));
  `;
}

/** Has them greet, and ask for what is not there. */
const HELLO = `
  import { ProcessPoolExecutor } from "${MOD}";
  import { hello, other } from "./tasks.ts";
  const [hosts] = Deno.args;
  const permissions = { read: true, import: hosts === undefined ? false : [hosts] };
  await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
  console.log(await pool.map(hello, [1, 2]).then((all) => all.join(), () => "not there"));
  console.log((await pool.submit(other, "npm:any-name").exception()).name);
`;

async function greeted(
  files: Record<string, string>,
  args: string[] = [],
): Promise<[stdout: string, requests: string[]]> {
  await using counter = await countRequests();
  await using folder = await makeTempFolder({ ...files, "main.ts": HELLO });
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "main.ts", ...args],
    cwd: folder.url,
    env: {
      ...Deno.env.toObject(),
      ...counter.env,
      DENO_NO_UPDATE_CHECK: "1",
    },
    timeout: PROGRAM_LIMIT_MS,
  });
  // The program itself fetches the package.
  const others = counter.requests.filter((line) => !line.includes(PACKAGE));
  return [stdout, others];
}

for (const [where, files] of Object.entries(INSTALLED)) {
  watched(
    `ProcessPoolExecutor that may not import has npm packages that are ${where}`,
    async () => {
      assertEquals(await greeted(files), ["greet 1,greet 2\nTypeError\n", []]);
    },
  );
  watched(
    `ProcessPoolExecutor that may import from a host asks no registry, with npm packages ${where}`,
    async () => {
      const [stdout, requests] = await greeted(files, ["example.com:443"]);
      const has = where.includes("node_modules");
      assertEquals(
        stdout,
        `${has ? "greet 1,greet 2" : "not there"}\n${
          has ? "TypeError" : "TaskNotFoundError"
        }\n`,
      );
      assertEquals(requests, []);
    },
  );
}

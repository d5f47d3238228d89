// The three ways into this project, taken as a user takes them: a task in a
// clone, a compiled program on its own, and the package imported from JSR.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { compiler } from "../tools/compile.ts";
import {
  readPackage,
  type Registry,
  serveRegistry,
} from "../tools/registry.ts";
import { NatsServer, natsTest } from "./executors/nats/nats_server.ts";
import { COMPILE_TIMEOUT, compileFutures } from "./helpers/compiled_futures.ts";
import { runCommand } from "./helpers/run_command.ts";
import { AGES } from "./helpers/scientist_ages.ts";
import { makeTempFolder } from "./helpers/temp_folder.ts";

const ROOT = new URL("../", import.meta.url);

/** A benchmark that is over at once. */
const BENCH = ["bench", "--json", "--records=8", "--delay=5", "--work=1000"];

/** A program that squares numbers in processes, and shows its arguments. */
const PROCESSES =
  `import { ProcessPoolExecutor, task } from "@concurrent/futures";

  export const square = task(import.meta, function square(n: number) {
    if (import.meta.main) throw new Error("This is not another process");
    return n * n;
  });

  if (import.meta.main) {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 2 });
    console.log(Deno.args);
    console.log(await pool.map(square, [1, 2, 3]));
  }
`;

/** The part of `futures bench --json` that is looked at here. */
interface Report {
  workload: {
    kind: string;
    runs: {
      executor: string;
      results: unknown[];
      tasks: { worker: string }[];
    }[];
  }[];
}

/** The results of each run, and how many isolates had a part in it. */
function summarize(json: string) {
  const { workload }: Report = JSON.parse(json);
  return workload.flatMap(({ kind, runs }) =>
    runs.map(({ executor, results, tasks }) => ({
      kind,
      executor,
      results,
      workers: new Set(tasks.map(({ worker }) => worker)).size,
    }))
  );
}

function assertReport(json: string): void {
  const runs = summarize(json);
  assertEquals(runs.map(({ kind, executor }) => `${kind} ${executor}`), [
    "wait serial",
    "wait PromisePoolExecutor",
    "wait WorkerPoolExecutor",
    "wait ProcessPoolExecutor",
    "compute serial",
    "compute PromisePoolExecutor",
    "compute WorkerPoolExecutor",
    "compute ProcessPoolExecutor",
  ]);
  for (const { executor, results, workers } of runs) {
    assertEquals(results.length, 8);
    assertEquals(results.slice(0, 7), AGES);
    if (/Worker|Process/.test(executor)) assert(workers > 1, `${workers}`);
  }
}

Deno.test("deno task bench runs the benchmark", async () => {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["task", ...BENCH, "--workers=2"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    timeout: 60_000,
  });

  assertReport(stdout);
});

Deno.test("deno task compile makes a program that runs without Deno", async () => {
  const program = await compileFutures();
  await using folder = await makeTempFolder();
  const run = (args: string[], stdin = "", code = 0) =>
    runCommand(program, {
      args,
      cwd: folder.path,
      env: {},
      stdin,
      code,
      timeout: 60_000,
    });

  const { stdout } = await run([...BENCH, "--workers=2"]);
  assertReport(stdout);
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);

  await Deno.writeTextFile(
    `${folder.path}/square.js`,
    "export default (n) => n * n;",
  );
  const squares = await run(["map", "square.js"], "1\n2\n3\n");
  assertEquals(squares, { stdout: "1\n4\n9\n", stderr: "" });
  // There is nothing in it that could make JavaScript of TypeScript.
  const { stderr } = await run(["map", "square.ts"], "1\n", 2);
  assertStringIncludes(
    stderr,
    "futures: cannot load square.ts: a compiled program takes JavaScript only",
  );
  // And nothing that could read CommonJS.
  await Deno.writeTextFile(
    `${folder.path}/square.cjs`,
    "module.exports = (n) => n * n;",
  );
  const common = await run(["map", "square.cjs"], "1\n", 2);
  assertStringIncludes(common.stderr, "deno bundle square.cjs -o FILE.js");
});

Deno.test("jsr:@concurrent/futures runs in a project with nothing but that", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  await using folder = await makeTempFolder({
    "deno.json": `{
      "imports": { "@concurrent/futures": "jsr:@concurrent/futures@^0.1.0" }
    }`,
    "square.ts": `import { task } from "@concurrent/futures";

      export const square = task(import.meta, function square(n: number) {
        return \`\${n * n} in a \${self.constructor.name}\`;
      });
    `,
    "main.ts": `import { WorkerPoolExecutor } from "@concurrent/futures";
      import { square } from "./square.ts";

      await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
      const squares: string[] = await pool.map(square, [1, 2, 3]);
      console.log(squares.join("\\n"));
    `,
  });
  // A machine that has never run Deno, but for the address of the registry, and
  // that cannot reach npm.
  const env = {
    DENO_DIR: `${folder.path}/.deno`,
    JSR_URL: registry.url,
    NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/",
  };

  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "--allow-read=.", "main.ts"],
    cwd: folder.path,
    env,
    timeout: 60_000,
  });
  // Throws unless the types are what a consumer needs them to be.
  await runCommand(Deno.execPath(), {
    args: ["check", "main.ts"],
    cwd: folder.path,
    env,
    timeout: 60_000,
  });

  assertEquals(stdout.split("\n"), [
    "1 in a DedicatedWorkerGlobalScope",
    "4 in a DedicatedWorkerGlobalScope",
    "9 in a DedicatedWorkerGlobalScope",
    "",
  ]);
});

Deno.test("mod.ts loads nothing of NATS, and no package from npm", async () => {
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    timeout: 60_000,
  });
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(stdout);
  const specifiers = modules.map(({ specifier }) => specifier);
  assert(specifiers.some((it) => it.endsWith("/executors/executor.ts")));
  assertEquals(
    specifiers.filter((it) => it.startsWith("npm:") || it.includes("/nats/")),
    [],
  );
});

Deno.test("jsr:@concurrent/futures/progress draws a bar for those who import it", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { folder, env } = await makeProject(registry);
  await using _ = folder;
  await Deno.writeTextFile(
    `${folder.path}/bar.ts`,
    `import { PromisePoolExecutor } from "@concurrent/futures";
    import { progressBar } from "@concurrent/futures/progress";
    await using pool = new PromisePoolExecutor();
    const onProgress = progressBar({ label: "Squares" });
    await pool.forEach((n: number) => n * n, [1, 2, 3], { onProgress });
    console.log("done");`,
  );
  const run = (...args: string[]) =>
    runCommand(Deno.execPath(), {
      args,
      cwd: folder.path,
      env,
      timeout: 60_000,
    });
  await run("check", "bar.ts");
  // It needs no permission, and says nothing where there is no terminal.
  const output = await run("run", "--quiet", "bar.ts");
  assertEquals(output, { stdout: "done\n", stderr: "" });
});

/** A project with that program, on a machine that has never run Deno. */
async function makeProject(registry: Registry) {
  const folder = await makeTempFolder({
    "deno.json": `{
      "imports": { "@concurrent/futures": "jsr:@concurrent/futures@^0.1.0" }
    }`,
    "main.ts": PROCESSES,
  });
  const env = { DENO_DIR: `${folder.path}/.deno`, JSR_URL: registry.url };
  return { folder, env };
}

Deno.test("jsr:@concurrent/futures runs functions in processes", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { folder, env } = await makeProject(registry);
  await using _ = folder;

  const { stdout } = await runCommand(Deno.execPath(), {
    args: [
      "run",
      "--allow-read=.",
      `--allow-run=${Deno.execPath()}`,
      "main.ts",
    ],
    cwd: folder.path,
    env,
    timeout: 60_000,
  });

  assertEquals(stdout, "[]\n[ 1, 4, 9 ]\n");
});

Deno.test("jsr:@concurrent/futures runs functions in processes that may do nothing", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { folder, env } = await makeProject(registry);
  await using _ = folder;
  await Deno.writeTextFile(
    `${folder.path}/none.ts`,
    `import { ProcessPoolExecutor } from "@concurrent/futures";
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions: "none" });
    const names = ["ffi", "import", "read"] as const;
    console.log(await pool.map((name: typeof names[number]) =>
      Deno.permissions.querySync({ name }).state, names));
    console.log(await pool.submit(() =>
      Deno.permissions.querySync({ name: "import", host: "jsr.io:443" }).state));`,
  );
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", `--allow-run=${Deno.execPath()}`, "none.ts"],
    cwd: folder.path,
    env,
    timeout: 60_000,
  });
  assertEquals(stdout, '[ "prompt", "prompt", "prompt" ]\nprompt\n');
});

Deno.test("jsr:@concurrent/futures runs functions in processes that may import from one host", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { folder, env } = await makeProject(registry);
  await using _ = folder;
  const own = new URL(registry.url).host;
  await Deno.writeTextFile(
    `${folder.path}/host.ts`,
    `import { ProcessPoolExecutor } from "@concurrent/futures";
    const state = (host: string) => Deno.permissions.querySync({ name: "import", host }).state;
    for (const host of ["example.com:443", "${own}", "127.0.0.1"]) {
      const permissions = { import: [host] };
      await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
      const hosts = ["example.com:443", "${own}", "jsr.io:443"];
      console.log((await pool.map(state, hosts)).join(" "));
    }`,
  );
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "host.ts"],
    cwd: folder.path,
    env,
    timeout: 60_000,
  });
  assertEquals(stdout.trim().split("\n"), [
    "granted prompt prompt",
    "prompt granted prompt",
    "prompt granted prompt",
  ]);
});

Deno.test("a compiled program runs functions in processes of its own", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { folder, env } = await makeProject(registry);
  await using _ = folder;
  const { program, env: denort } = await compiler();
  await runCommand(program, {
    args: ["compile", "-A", "--no-check", "--output=program", "main.ts"],
    cwd: folder.path,
    env: { ...Deno.env.toObject(), ...env, ...denort },
    timeout: COMPILE_TIMEOUT,
  });
  const run = (args: string[]) =>
    runCommand(`${folder.path}/program`, {
      args,
      cwd: folder.path,
      env: {},
      timeout: 60_000,
    });

  assertEquals((await run([])).stdout, "[]\n[ 1, 4, 9 ]\n");
  // Its arguments are its own.
  assertEquals(
    (await run(["be", "a", "worker"])).stdout,
    '[ "be", "a", "worker" ]\n[ 1, 4, 9 ]\n',
  );
});

natsTest(
  "jsr:@concurrent/futures/nats serves a pool, and uses it",
  async () => {
    await using server = await NatsServer.start();
    await using registry = await serveRegistry([await readPackage(ROOT)]);
    const { folder } = await makeProject(registry);
    await using _ = folder;
    await Deno.writeTextFile(
      `${folder.path}/nats.ts`,
      `import { NatsPoolExecutor, servePool } from "@concurrent/futures/nats";
    const servers = Deno.args[0]!;
    const node = await servePool({ servers });
    {
      await using pool = new NatsPoolExecutor({ servers });
      const squares: number[] = await pool.map((n: number) => n * n, [1, 2, 3]);
      console.log(squares);
    }
    await node.drain();`,
    );
    const run = (...args: string[]) =>
      runCommand(Deno.execPath(), {
        args,
        cwd: folder.path,
        // What comes from npm is there already.
        env: { ...Deno.env.toObject(), JSR_URL: registry.url },
        timeout: 60_000,
      });
    await run("check", "nats.ts");
    const { stdout } = await run("run", "-A", "nats.ts", server.url);
    assertEquals(stdout, "[ 1, 4, 9 ]\n");
  },
);

/** A program whose task starts one that reads its standard input, and reads that itself. */
const READERS = `import { ProcessPoolExecutor } from "@concurrent/futures";

  await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
  await pool.submit(() => {
    new Deno.Command("cat", { stdout: "null" }).spawn().unref();
  });
  const head = async (...args: string[]) => {
    const command = new Deno.Command("head", { args, stdin: "inherit" });
    return (await command.output()).stdout.length;
  };
  console.log(await pool.submit(head, "-c", "10"));
  console.log(await pool.submit(() => Deno.stdin.read(new Uint8Array(1))));
  console.log(await pool.map((n: number) => n * n, [1, 2, 3]));
`;

for (const flag of ["-A", "--allow-run"]) {
  Deno.test(`a compiled program with ${flag} keeps its messages from what its tasks start`, async () => {
    await using registry = await serveRegistry([await readPackage(ROOT)]);
    const { folder, env } = await makeProject(registry);
    await using _ = folder;
    await Deno.writeTextFile(`${folder.path}/readers.ts`, READERS);
    const { program, env: denort } = await compiler();
    await runCommand(program, {
      args: ["compile", flag, "--no-check", "--output=program", "readers.ts"],
      cwd: folder.path,
      env: { ...Deno.env.toObject(), ...env, ...denort },
      timeout: COMPILE_TIMEOUT,
    });
    const { stdout } = await runCommand(`${folder.path}/program`, {
      args: [],
      cwd: folder.path,
      env: Deno.env.toObject(),
      timeout: 60_000,
    });
    assertEquals(stdout, "0\nnull\n[ 1, 4, 9 ]\n");
  });
}

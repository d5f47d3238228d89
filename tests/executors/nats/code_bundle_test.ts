// Tasks in files, which travel with all that their modules import.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  CancelledError,
  ConcurrentError,
  type Executor,
  TaskNotFoundError,
  TimeoutError,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import type { AnyFunction } from "../../../executors/task.ts";
import { KINDS, watched } from "../helpers/harness.ts";
import { MINOR_RELEASE, workerBehaviour } from "../helpers/worker_harness.ts";
import { makeTempFolder, type TempFolder } from "../../helpers/temp_folder.ts";
import {
  codeOf,
  describeBundle,
  makeProject,
  makeStore,
  taskIn,
} from "./projects.ts";

/** What is in a folder, all the way down. */
async function filesIn(folder: TempFolder): Promise<string[]> {
  const found: string[] = [];
  const open = [folder.path];
  for (const path of open) {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) open.push(`${path}/${name}`);
      else found.push(`${path}/${name}`.slice(folder.path.length + 1));
    }
  }
  return found.sort();
}

/** Has a node find tasks of a module, after the project is gone from the machine. */
async function find(
  files: Record<string, string>,
  ...names: string[]
): Promise<AsyncDisposable & { tasks: AnyFunction[]; project: URL }> {
  const { tasks, url, bundles } = await bundled(files, names);
  const node = await makeStore();
  const found: AnyFunction[] = [];
  for (const bundle of bundles) {
    found.push(
      await node.store.find(
        codeOf(bundle),
        () => Promise.resolve(bundle.bytes),
      ),
    );
  }
  assertEquals(found.length, tasks);
  return {
    tasks: found,
    project: url,
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

async function bundled(files: Record<string, string>, names: string[]) {
  await using folder = await makeProject(files);
  const bundles = [];
  for (const name of names) {
    bundles.push(await describeBundle(taskIn(folder, "tasks.ts", name)));
  }
  return { tasks: names.length, url: folder.url, bundles };
}

/** Registers a test for each kind of executor. */
function executorBehaviour(
  name: string,
  run: (executor: Executor) => Promise<void>,
): void {
  for (const kind of KINDS) {
    watched(`${kind.name} ${name}`, async (executors) => {
      const executor = kind.make({ maxWorkers: 1 });
      executors.push(executor);
      await run(executor);
    }, 60_000);
  }
}

const AGES = {
  "lib/numbers.ts": `
    import data from "./data.json" with { type: "json" };
    export const YEAR: number = data.year;
    export function age(born: number): number {
      return YEAR - born;
    }
  `,
  "lib/data.json": `{ "year": 2017 }`,
  "lib/late.ts": `export const late = (n: number) => 2 * n;`,
  "tasks.ts": `
    import { task } from "@concurrent/futures";
    import * as numbers from "numbers";
    import { Nuid } from "npm:@nats-io/nuid@3.0.0";
    export const age = task(import.meta, function age(born: number) {
      return numbers.age(born);
    });
    export const renamed = task(import.meta, "renamed", (n: number) => -n);
    export default task(import.meta, "default", (n: number) => n + 1);
    export const dynamic = task(import.meta, async function dynamic(n: number) {
      const { late } = await import("./lib/late.ts");
      return late(n);
    });
    export const id = task(import.meta, function id() {
      return new Nuid().next().length;
    });
  `,
};

executorBehaviour(
  "makes calls of tasks that came in a bundle, by whichever name",
  async (executor) => {
    await using node = await find(
      AGES,
      "age",
      "renamed",
      "default",
      "dynamic",
      "id",
    );
    const [age, renamed, byDefault, dynamic, id] = node.tasks;
    assertEquals(await executor.map(age!, [1815, 1912]), [202, 105]);
    assertEquals(await executor.submit(renamed!, 5), -5);
    assertEquals(await executor.submit(byDefault!, 5), 6);
    assertEquals(await executor.submit(dynamic!, 5), 10);
    assertEquals(await executor.submit(id!), 22);
  },
);

executorBehaviour(
  "tells in stack traces the file and line of a task that came in a bundle",
  async (executor) => {
    await using node = await find({
      "tasks.ts": [
        `import { task } from "@concurrent/futures";`,
        `interface Unneeded { field: string }`,
        ``,
        `export const fail = task(import.meta, function fail(text: string) {`,
        `  throw new RangeError(text);`,
        `});`,
      ].join("\n"),
    }, "fail");
    const error = await executor.submit(node.tasks[0]!, "Failed").exception();
    assertInstanceOf(error, RangeError);
    assertStringIncludes(error.stack!, `${node.project.href}tasks.ts:5:9`);
  },
);

const ASKING = {
  "tasks.ts": `
    import { CancelledError, currentTask, task, TimeoutError, transfer } from "@concurrent/futures";
    export const asked = task(import.meta, async function asked() {
      const before = currentTask()?.cancelled;
      await new Promise((resolve) => setTimeout(resolve, 1));
      return [before, currentTask()?.cancelled];
    });
    export const stopped = task(import.meta, async function stopped() {
      try {
        while (true) {
          currentTask()!.throwIfCancelled();
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } catch (error) {
        globalThis.reason = [error instanceof TimeoutError, error instanceof CancelledError];
      }
    });
    export const reason = task(import.meta, function reason() {
      return globalThis.reason;
    });
    export const refuse = task(import.meta, function refuse() {
      throw new CancelledError("I do not want to");
    });
    export const moved = task(import.meta, function moved() {
      const bytes = new Uint8Array([1, 2, 3]);
      globalThis.moved = bytes;
      return transfer(bytes, [bytes.buffer]);
    });
    export const left = task(import.meta, function left() {
      return globalThis.moved.length;
    });
  `,
};

executorBehaviour(
  "has currentTask() work in a task that came in a bundle",
  async (executor) => {
    await using node = await find(ASKING, "asked", "stopped", "reason");
    const [asked, stopped, reason] = node.tasks;
    assertEquals(await executor.submit(asked!), [false, false]);
    await assertRejects(
      () => executor.submitWith({ timeout: 50 }, stopped!).result(),
      TimeoutError,
    );
    assertEquals(await executor.submit(reason!), [true, false]);
  },
);

executorBehaviour(
  "brings errors of the package back from a task that came in a bundle",
  async (executor) => {
    await using node = await find(ASKING, "refuse");
    const error = await executor.submit(node.tasks[0]!).exception();
    assertInstanceOf(error, CancelledError);
    assertInstanceOf(error, ConcurrentError);
    assert(!(error instanceof TimeoutError));
    assertEquals(error.message, "I do not want to");
  },
);

workerBehaviour(
  "moves what a task that came in a bundle has marked",
  async (make) => {
    await using node = await find(ASKING, "moved", "left");
    const executor = make({ maxWorkers: 1 });
    const [moved, left] = node.tasks;
    assertEquals(await executor.submit(moved!), new Uint8Array([1, 2, 3]));
    assertEquals(await executor.submit(left!), 0);
  },
  60_000,
);

workerBehaviour(
  "lets a task that came in a bundle make pools, but not its module",
  async (make) => {
    await using node = await find({
      "tasks.ts": `
        import { ProcessPoolExecutor, task, WorkerPoolExecutor } from "@concurrent/futures";
        export const double = task(import.meta, "double", (n: number) => 2 * n);
        export const inner = task(import.meta, async function inner() {
          await using threads = new WorkerPoolExecutor({ maxWorkers: 1 });
          await using processes = new ProcessPoolExecutor({ maxWorkers: 1 });
          return [
            await threads.submit(double, 21),
            await processes.submit(double, 4),
            await threads.submit((n: number) => {
              const negate = () => -n;
              return [negate(), negate.name];
            }, 1),
          ];
        });
      `,
    }, "inner");
    const executor = make({ maxWorkers: 1 });
    assertEquals(await executor.submit(node.tasks[0]!), [42, 8, [
      -1,
      "negate",
    ]]);
    await using other = await find({
      "tasks.ts": `
        import { task, WorkerPoolExecutor } from "@concurrent/futures";
        new WorkerPoolExecutor();
        export const never = task(import.meta, function never() {});
      `,
    }, "never");
    const error = await executor.submit(other.tasks[0]!).exception();
    assertInstanceOf(error, TaskNotFoundError);
    assertStringIncludes(error.message, "if (import.meta.main)");
  },
  60_000,
);

watched(
  "a bundle has the tasks of all its modules, by names of their own",
  async (executors) => {
    await using node = await find(
      {
        "tasks.ts": `
      import { task, WorkerPoolExecutor } from "@concurrent/futures";
      import { double, same as other } from "./lib/others.ts";
      export const same = task(import.meta, "same", () => "outer");
      export const inner = task(import.meta, "inner", async () => {
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        const refused = [same, other].map((fn) => {
          try {
            return pool.submit(fn);
          } catch (error) {
            return error.message;
          }
        });
        return [await pool.submit(double, 21), ...refused];
      });
    `,
        "lib/others.ts": `
      import { task } from "@concurrent/futures";
      export const double = task(import.meta, function double(n: number) {
        return 2 * n;
      });
      export const same = task(import.meta, "same", () => "inner");
    `,
      },
      "same",
      "inner",
    );
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    const [same, inner] = node.tasks;
    assertEquals(await executor.submit(same!), "outer");
    const refused =
      "Two tasks of one bundle are called 'same', and neither can be submitted there: give one another name";
    assertEquals(await executor.submit(inner!), [42, refused, refused]);
  },
  60_000,
);

watched("CodeSource leaves no file in a project", async () => {
  for (
    const config of [
      {},
      { nodeModulesDir: "auto" },
      { nodeModulesDir: "manual" },
      { vendor: true },
      { lock: { path: "locked.json", frozen: true } },
    ]
  ) {
    await using folder = await makeProject(AGES);
    const path = `${folder.path}/deno.json`;
    const base = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...base, ...config }));
    const before = await filesIn(folder);
    await describeBundle(taskIn(folder, "tasks.ts", "age"));
    assertEquals(await filesIn(folder), before, JSON.stringify(config));
  }
}, 60_000);

watched("CodeSource bundles a module once", async () => {
  await using folder = await makeProject(AGES);
  const { hash, bytes } = await describeBundle(
    taskIn(folder, "tasks.ts", "age"),
  );
  await Deno.writeTextFile(`${folder.path}/tasks.ts`, "This is no module");
  const other = await describeBundle(taskIn(folder, "tasks.ts", "renamed"));
  assertEquals(other, { hash, bytes, name: "renamed" });
}, 60_000);

/** A program that prints the hash of a bundle of its own. */
const HASHING = `
  import { CodeSource } from "${new URL(
  "../../../executors/nats/code/describe.ts",
  import.meta.url,
)}";
  import { age } from "./tasks.ts";
  console.log((await new CodeSource().describe(age)).hash);
`;

watched(
  "CodeSource bundles what the files have in each run of a program",
  async () => {
    await using folder = await makeProject({ ...AGES, "main.ts": HASHING });
    const hash = async () => {
      const { success, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        { args: ["run", "-A", "--no-lock", "main.ts"], cwd: folder.url },
      ).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    const first = await hash();
    assertMatch(first, /^[0-9a-f]{64}$/);
    assertEquals(await hash(), first);
    await Deno.writeTextFile(`${folder.path}/lib/data.json`, `{ "year": 1 }`);
    assertNotEquals(await hash(), first);
  },
  60_000,
);

watched("CodeSource says why a module cannot be bundled", async () => {
  await using folder = await makeTempFolder({
    "syntax.ts": `export const fail = ;`,
    "missing.ts": `import "./nowhere.ts"; export const fail = 1;`,
    "unknown.ts": `import "unheard-of"; export const fail = 1;`,
  });
  const said = async (module: string) => {
    const { message } = await assertRejects(
      () => describeBundle(taskIn(folder, module, "fail")),
      TaskNotFoundError,
    );
    assertStringIncludes(message, new URL(module, folder.url).href);
    assertStringIncludes(message, "deno bundle");
    return message;
  };
  assertStringIncludes(await said("missing.ts"), "nowhere.ts");
  assertStringIncludes(await said("unknown.ts"), "unheard-of");
  assertMatch(await said("syntax.ts"), /[Ee]xpect/);
}, 60_000);

watched(
  "CodeSource finds tasks by their names as the module has them",
  async () => {
    await using folder = await makeProject({
      "tasks.ts": `
      export { f as "two words", f as default, f as renamed };
      export const own = f;
      function f() {}
    `,
      "others.ts": `export const ünï = () => 1, other = () => 2;`,
    });
    for (const name of ["two words", "default", "renamed", "own"]) {
      await describeBundle(taskIn(folder, "tasks.ts", name));
    }
    await describeBundle(taskIn(folder, "others.ts", "ünï"));
    for (const name of ["f", "two", "toString"]) {
      const { message } = await assertRejects(
        () => describeBundle(taskIn(folder, "tasks.ts", name)),
        TaskNotFoundError,
      );
      assertStringIncludes(message, `${folder.url.href}tasks.ts has no export`);
    }
  },
  60_000,
);

watched("CodeSource takes packages from node_modules", async () => {
  // It does not bundle them.
  if (MINOR_RELEASE < 5) return;
  await using folder = await makeTempFolder({
    "package.json": `{ "dependencies": { "own": "1.0.0" } }`,
    "node_modules/own/package.json": `{ "name": "own", "version": "1.0.0" }`,
    "node_modules/own/index.js": `exports.text = "That one";`,
    "src/tasks.ts": `
      import own from "own";
      export const text = () => own.text;
    `,
  });
  const before = await filesIn(folder);
  const { bytes } = await describeBundle(
    taskIn(folder, "src/tasks.ts", "text"),
  );
  assertStringIncludes(new TextDecoder().decode(bytes), "That one");
  assertEquals(await filesIn(folder), before);
}, 60_000);

watched("CodeSource says which permission it needs", async () => {
  await using folder = await makeProject({ ...AGES, "main.ts": HASHING });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", "main.ts"],
    cwd: folder.url,
    env: { NO_COLOR: "1" },
  }).output();
  assert(!success);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    `give the program --allow-run=${Deno.execPath()}`,
  );
}, 60_000);

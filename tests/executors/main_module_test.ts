// A module with tasks that is also the main module, and programs that build
// executors where they must not.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { watched } from "./helpers/harness.ts";
import { MOD, runMain } from "./helpers/worker_harness.ts";

/** A module with a task. */
const SQUARE = `
  import { task, WorkerPoolExecutor } from "${MOD}";
  export const square = task(import.meta, function square(n: number) {
    return n * n;
  });
`;

watched("the main module may have tasks behind import.meta.main", async () => {
  const { stdout } = await runMain({
    "main.ts": `${SQUARE}
      if (import.meta.main) {
        await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
        console.log(await pool.map(square, [1, 2, 3]));
      }
    `,
  });
  assertEquals(stdout, "[ 1, 4, 9 ]\n");
});

watched(
  "a main module without the guard fails with an error that says so, not with a tree of workers",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `${SQUARE}
        console.log("loaded");
        await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
        console.log(await pool.map(square, [1, 2, 3]));
      `,
    }, { code: 1 });
    assertStringIncludes(stderr, "TaskNotFoundError");
    assertStringIncludes(stderr, "if (import.meta.main)");
    assertStringIncludes(stderr, "main.ts");
    // The program itself, and each worker at most once.
    const loads = stdout.trim().split("\n");
    assertEquals(new Set(loads), new Set(["loaded"]));
    assertEquals(loads.length <= 3, true, stdout);
  },
);

watched(
  "an executor with workers at the top level of any module that a worker loads is an error that says so",
  async () => {
    const { stdout } = await runMain({
      "pool.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        export const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      `,
      "tasks.ts": `${SQUARE}
        export { pool } from "./pool.ts";
      `,
      "main.ts": `
        import { pool, square } from "./tasks.ts";
        const error = await pool.submit(square, 3).exception();
        console.log(error.name);
        console.log(error.cause.name);
        console.log(error.cause.message);
        await pool.shutdown();
      `,
    });
    const [name, cause, message] = stdout.split("\n");
    assertEquals(name, "TaskNotFoundError");
    assertEquals(cause, "InvalidStateError");
    assertStringIncludes(message!, "if (import.meta.main)");
    assertStringIncludes(message!, "tasks.ts");
  },
);

watched(
  "an executor at the top level is no error for plain functions, nor in a module without a task",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
        console.log(await pool.map((n) => n * n, [1, 2, 3]));
      `,
    });
    assertEquals(stdout, "[ 1, 4, 9 ]\n");
  },
);

watched(
  "a promise pool may be built at the top level of a module that a worker loads",
  async () => {
    const { stdout } = await runMain({
      "tasks.ts": `
        import { PromisePoolExecutor, task } from "${MOD}";
        const pool = new PromisePoolExecutor({ maxWorkers: 2 });
        export const squares = task(import.meta, async function squares(...numbers) {
          return await pool.map((n) => n * n, numbers);
        });
      `,
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        import { squares } from "./tasks.ts";
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.submit(squares, 1, 2, 3));
      `,
    });
    assertEquals(stdout, "[ 1, 4, 9 ]\n");
  },
);

watched(
  "the initializer may be a task of the main module, with the guard",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { task, WorkerPoolExecutor } from "${MOD}";
        let factor = 1;
        export const setFactor = task(import.meta, function setFactor(n) {
          factor = n;
        });
        export const scale = task(import.meta, function scale(n) {
          return n * factor;
        });
        if (import.meta.main) {
          const options = { maxWorkers: 1, initializer: setFactor, initArgs: [7] };
          await using pool = new WorkerPoolExecutor(options);
          console.log(await pool.submit(scale, 6));
        }
      `,
    });
    assertEquals(stdout, "42\n");
  },
);

watched(
  "an initializer in a main module without the guard breaks the executor with an error that says so",
  async () => {
    const { stderr } = await runMain({
      "main.ts": `
        import { task, WorkerPoolExecutor } from "${MOD}";
        export const prepare = task(import.meta, function prepare() {});
        await using pool = new WorkerPoolExecutor({ initializer: prepare });
        console.log(await pool.submit(() => 1));
      `,
    }, { code: 1 });
    assertStringIncludes(stderr, "BrokenExecutorError");
    assertStringIncludes(stderr, "if (import.meta.main)");
  },
);

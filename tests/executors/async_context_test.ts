// The async context in which a promise pool makes calls: that of who submits.

import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { currentTask, type Executor, PromisePoolExecutor } from "../../mod.ts";
import { behaviour, runProgram, settle, watched } from "./helpers/harness.ts";
import { reportAll } from "./helpers/report_tasks.ts";
import { SerialExecutor } from "./helpers/serial_executor.ts";

const storage = new AsyncLocalStorage<string>();

/** What a task sees as it is entered, and after it has waited. */
async function seen(): Promise<unknown[]> {
  const before = storage.getStore();
  await settle();
  return [before, storage.getStore()];
}

/** A test of a promise pool that makes one call after another. */
function pooled(
  name: string,
  run: (pool: PromisePoolExecutor) => Promise<void>,
): void {
  watched(`PromisePoolExecutor ${name}`, (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    return run(pool);
  });
}

/** Flags for Deno as it is, and for one that has kept less of itself open. */
const DENOS = {
  "Deno": [],
  "a Deno without internals": [
    "--preload=fixtures/hidden_internals.ts",
  ],
};

/** Whatever runs calls in this isolate. */
const KINDS: readonly (() => Executor)[] = [
  () => new PromisePoolExecutor({ maxWorkers: 1 }),
  () => new PromisePoolExecutor({ maxWorkers: 2 }),
  () => new SerialExecutor(),
];

for (const make of KINDS) {
  const { maxWorkers, constructor: { name } } = make();
  watched(
    `${name} of ${maxWorkers} makes each call in the context of its submitter (p-queue#200)`,
    async (executors) => {
      const executor = make();
      executors.push(executor);
      // All but the first wait in the queue, and run where others have run.
      const futures = [
        storage.run("first", () => executor.submit(seen)),
        storage.run("second", () => executor.submit(seen)),
        executor.submit(seen),
        storage.run("third", () => executor.submitWith({}, seen)),
        executor.submitWith({ timeout: 60_000 }, seen),
        storage.run("first", () => executor.submit(seen)),
      ];
      assertEquals(await Promise.all(futures), [
        ["first", "first"],
        ["second", "second"],
        [undefined, undefined],
        ["third", "third"],
        [undefined, undefined],
        ["first", "first"],
      ]);
      assertEquals(await executor.submit(seen), [undefined, undefined]);
    },
  );
}

pooled(
  "makes all calls of a map in the context of its call",
  async (pool) => {
    const inputs = function* () {
      for (let n = 0; n < 4; n++) yield n;
    };
    const mapped = storage.run(
      "map",
      () =>
        pool.map(seen as (n: number) => unknown, inputs(), { bufferSize: 1 }),
    );
    const results: unknown[] = [];
    // The reader is in another, and makes room for the calls that follow.
    await storage.run("reader", async () => {
      for await (const result of mapped) {
        results.push(result);
        results.push(await pool.submit(seen));
      }
    });
    const both = [["map", "map"], ["reader", "reader"]];
    assertEquals(results, [...both, ...both, ...both, ...both]);
  },
);

pooled(
  "keeps the context beside currentTask()",
  async (pool) => {
    const both = async () => {
      const task = currentTask();
      const [before, after] = await seen();
      assertStrictEquals(currentTask(), task);
      return [before, after, task !== undefined];
    };
    const submit = () => pool.submit(both);
    // From the first that asks for itself on, each has a scope of its own.
    for (let i = 0; i < 2; i++) {
      const futures = [
        storage.run("a", submit),
        submit(),
        storage.run("b", submit),
      ];
      assertEquals(await Promise.all(futures), [
        ["a", "a", true],
        [undefined, undefined, true],
        ["b", "b", true],
      ]);
    }
    assertEquals(currentTask(), undefined);
  },
);

watched(
  "PromisePoolExecutor makes a call that a task submits in the context of the task, as a task of its own",
  async (executors) => {
    const [outer, inner] = [1, 2].map((maxWorkers) =>
      new PromisePoolExecutor({ maxWorkers })
    ) as [PromisePoolExecutor, PromisePoolExecutor];
    executors.push(outer, inner);
    const nested = async () => {
      const task = currentTask();
      const inside = await inner.submit(async () => [
        ...await seen(),
        currentTask() === task,
        currentTask() === undefined,
      ]);
      return [inside, storage.getStore(), currentTask() === task];
    };
    const result = await storage.run("outer", () => outer.submit(nested));
    assertEquals(result, [["outer", "outer", false, false], "outer", true]);
  },
);

watched(
  "PromisePoolExecutor calls its initializer outside of all contexts",
  async (executors) => {
    const initialized: unknown[] = [];
    const initializer = async () => {
      initialized.push(...await seen(), currentTask());
    };
    const pool = new PromisePoolExecutor({ maxWorkers: 1, initializer });
    executors.push(pool);
    const result = await storage.run("first", () => pool.submit(seen));
    assertEquals(result, ["first", "first"]);
    assertEquals(initialized, [undefined, undefined, undefined]);
  },
);

pooled(
  "makes all calls of forEach() in the context of its call",
  async (pool) => {
    const each: unknown[] = [];
    const note = async () => void each.push(await seen());
    const inputs = [1, 2, 3].values();
    await storage.run(
      "each",
      () => pool.forEach(note, inputs, { bufferSize: 1 }),
    );
    assertEquals(each, [["each", "each"], ["each", "each"], ["each", "each"]]);
  },
);

behaviour(
  "calls isRetriable() and onProgress() in the context of who gave them",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const asked: unknown[] = [];
    const retry = {
      maxAttempts: 3,
      isRetriable: () => asked.push(storage.getStore()) > 0,
    };
    const future = storage.run(
      "submitter",
      () =>
        executor.submitWith({ retry }, () => {
          throw new RangeError("Again");
        }),
    );
    await assertRejects(() => future.result());
    const mapped = storage.run("mapper", () => {
      const fail = () => {
        throw new RangeError("Again");
      };
      return executor.forEach(fail, [1], { retry });
    });
    await assertRejects(() => mapped);
    assertEquals(asked, ["submitter", "submitter", "mapper", "mapper"]);
    const told: unknown[] = [];
    const onProgress = () => told.push(storage.getStore());
    await storage.run(
      "mapper",
      () => executor.map((n: number) => n, [1, 2], { onProgress }),
    );
    assertEquals([...new Set(told)], ["mapper"]);
  },
);

behaviour(
  "calls onReport() in the context of who gave it",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const heard: unknown[] = [];
    const onReport = (value: unknown) => {
      heard.push([value, storage.getStore(), currentTask()]);
    };
    const submit = () => executor.submitWith({ onReport }, reportAll, ["one"]);
    await Promise.all([
      storage.run("submitter", submit),
      submit(),
      storage.run(
        "mapper",
        () => executor.map(reportAll, [["two"]], { onReport }),
      ),
    ]);
    assertEquals(heard, [
      ["one", "submitter", undefined],
      ["one", undefined, undefined],
      ["two", "mapper", undefined],
    ]);
  },
);

pooled(
  "leaves the context of who submits as it is",
  async (pool) => {
    await storage.run("mine", async () => {
      const future = pool.submit(() => storage.run("other", () => settle()));
      assertEquals(storage.getStore(), "mine");
      await future;
      assertEquals(storage.getStore(), "mine");
      future.addDoneCallback(() => assertEquals(storage.getStore(), "mine"));
    });
    assertEquals(storage.getStore(), undefined);
  },
);

// Where Deno does not have the functions by which contexts are taken.
for (const [where, flags] of Object.entries(DENOS)) {
  Deno.test(`PromisePoolExecutor keeps contexts in ${where}`, async () => {
    const written = await runProgram(
      `
      import { AsyncLocalStorage } from "node:async_hooks";
      const storage = new AsyncLocalStorage();
      const seen = async () => {
        const before = storage.getStore();
        await new Promise((resolve) => setTimeout(resolve, 1));
        const inside = futures.currentTask() !== undefined;
        return [before, storage.getStore(), inside];
      };
      const initializer = () => console.log(storage.getStore());
      await using pool = new futures.PromisePoolExecutor({
        maxWorkers: 1,
        initializer,
      });
      const tasks = [
        storage.run("a", () => pool.submit(seen)),
        pool.submit(seen),
        storage.run("b", () => pool.submit(seen)),
      ];
      for (const task of tasks) console.log(...await task);
      const results = storage.run("c", () => pool.map(seen, [1, 2]));
      for await (const result of results) console.log(...result);`,
      flags,
    );
    assertEquals(written.split("\n"), [
      "undefined",
      "a a true",
      "undefined undefined true",
      "b b true",
      "c c true",
      "c c true",
      "",
    ]);
  });
}

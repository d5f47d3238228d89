// task(): how a function is named, and found again by a worker.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { task, TaskNotFoundError } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { isEven } from "./fixtures/circular_even.ts";
import { isOdd } from "./fixtures/circular_odd.ts";
import addOne from "./fixtures/default_export.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import * as tasks from "./helpers/worker_tasks.ts";

/** A task that its module is to export under `name`. */
function taskIn(url: string, name: string): () => string {
  return task({ url }, name, () => "never entered");
}

/** A module of this text. */
function moduleOf(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

Deno.test("task() returns the function itself", () => {
  const fn = (n: number) => n + 1;
  assertStrictEquals(task(import.meta, "fn", fn), fn);
  assertEquals(fn(1), 2);
});

Deno.test("task() leaves no trace that can be enumerated", () => {
  const named = task(import.meta, "named", () => {});
  assertEquals(Object.keys(named), []);
  assertEquals({ ...named }, {});
});

Deno.test("task() refuses a function without a name", () => {
  const error = assertThrows(
    () => task(import.meta, () => {}),
    TypeError,
  );
  assertStringIncludes(error.message, 'task(import.meta, "name", ');
  assertThrows(() => task(import.meta, "", () => {}), TypeError);
});

Deno.test("task() refuses what is not a function, and says what it got", () => {
  const wrong: unknown[] = [undefined, null, 5, {}, "fn"];
  for (const value of wrong) {
    assertThrows(
      () => task(import.meta, "fn", value as () => void),
      TypeError,
      "must be a function",
    );
  }
  assertThrows(() => task(import.meta, 5 as never), TypeError, "received 5");
});

Deno.test("task() refuses what is not import.meta", () => {
  for (const meta of [undefined, null, "file:///a.ts", {}, { url: 5 }]) {
    assertThrows(
      () => task(meta as never, "fn", () => {}),
      TypeError,
      "import.meta",
    );
  }
});

workerBehaviour(
  "a task uses the imports and the scope of its module",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await executor.submit(tasks.fileName, "/a/b.ts"), "b.ts");
    assertNotEquals(
      await executor.submit(tasks.moduleLoad),
      tasks.moduleLoad(),
    );
  },
);

workerBehaviour(
  "a task's module is loaded once by each worker",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const [first, ...others] = await executor.map(
      tasks.moduleLoad,
      new Array(20).fill(undefined),
    );
    assertEquals(others, new Array(19).fill(first));
    assertEquals(
      await executor.map(tasks.countCalls, [1, 2, 3]),
      [1, 2, 3],
    );
  },
);

workerBehaviour("a task may be an arrow function with a name", async (make) => {
  assertEquals(await make({ maxWorkers: 1 }).submit(tasks.double, 21), 42);
});

workerBehaviour("a task may be the default export", async (make) => {
  assertEquals(await make({ maxWorkers: 1 }).submit(addOne, 41), 42);
});

workerBehaviour(
  "a task may be exported under another name than its own",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await executor.submit(tasks.triple, 14), 42);
    assertEquals(await executor.submit(tasks.halve, 84), 42);
  },
);

workerBehaviour(
  "a task's module may be in a circle of imports",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const futures = [executor.submit(isEven, 7), executor.submit(isOdd, 7)];
    assertEquals(await Promise.all(futures), [false, true]);
  },
);

workerBehaviour("a task may build executors while it runs", async (make) => {
  const executor = make({ maxWorkers: 1 });
  assertEquals(await executor.submit(tasks.sumOfDoubles, 1, 2, 3), 12);
});

workerBehaviour(
  "a task that its module does not export is a TaskNotFoundError that says what to write",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await assertRejects(
      () => executor.submit(tasks.astray).result(),
      TaskNotFoundError,
    );
    assertStringIncludes(error.message, "worker_tasks.ts");
    assertStringIncludes(
      error.message,
      'export const nowhere = task(import.meta, "nowhere", ',
    );
  },
);

workerBehaviour(
  "a task whose module has no default export is a TaskNotFoundError that says what to write",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await assertRejects(
      () => executor.submit(taskIn(moduleOf("export {}"), "default")).result(),
      TaskNotFoundError,
    );
    assertStringIncludes(
      error.message,
      'export default task(import.meta, "default", ',
    );
  },
);

workerBehaviour(
  "a task whose module exports something else under its name is a TaskNotFoundError",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (
      const [lost, name] of [
        [tasks.lookalike, "LOOKALIKE"],
        [tasks.wrapped, "unmarked"],
        [taskIn(moduleOf("export class Lost {}"), "Lost"), "Lost"],
        [taskIn(moduleOf("export default null"), "default"), "default"],
      ] satisfies [AnyFunction, string][]
    ) {
      const error = await assertRejects(
        () => executor.submit(lost).result(),
        TaskNotFoundError,
        "exports something else",
      );
      assertStringIncludes(error.message, `'${name}'`);
      assertStringIncludes(error.message, "task(import.meta, ");
    }
  },
);

workerBehaviour(
  "a task is not found in what every object inherits",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const name of ["toString", "constructor", "__proto__", "then"]) {
      await assertRejects(
        () => executor.submit(taskIn(moduleOf("export {}"), name)).result(),
        TaskNotFoundError,
      );
    }
  },
);

workerBehaviour(
  "a task whose module throws as it loads is a TaskNotFoundError with the cause",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const module = moduleOf('throw new RangeError("No database")');
    const error = await assertRejects(
      () => executor.submit(taskIn(module, "lost")).result(),
      TaskNotFoundError,
      "No database",
    );
    assertInstanceOf(error.cause, RangeError);
    assertEquals(error.cause.message, "No database");
  },
);

workerBehaviour(
  "a task whose module is not even a module is a TaskNotFoundError with the cause",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await assertRejects(
      () => executor.submit(taskIn(moduleOf("export const ="), "x")).result(),
      TaskNotFoundError,
    );
    assert(error.cause instanceof Error);
  },
);

workerBehaviour(
  "a task whose module does not exist is a TaskNotFoundError with the cause",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const { href } = new URL("./fixtures/nowhere.ts", import.meta.url);
    const error = await assertRejects(
      () => executor.submit(taskIn(href, "lost")).result(),
      TaskNotFoundError,
      href,
    );
    assertInstanceOf(error.cause, Error);
    assertStringIncludes(error.cause.message, "nowhere.ts");
  },
);

workerBehaviour(
  "a task whose address is none is a TaskNotFoundError",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const url of ["", "not an address", "nonsense:", "npm:"]) {
      const error = await assertRejects(
        () => executor.submit(taskIn(url, "lost")).result(),
        TaskNotFoundError,
      );
      assert(error.cause instanceof Error);
    }
  },
);

workerBehaviour(
  "a task that is not found fails alone, as often as it is submitted",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const broken = taskIn(moduleOf('throw "a fit"'), "lost");
    const futures = Array.from(
      { length: 30 },
      (_, i) =>
        i % 3 === 0
          ? executor.submit(tasks.double, i)
          : executor.submit(i % 3 === 1 ? tasks.astray : broken),
    );
    for (const [i, future] of futures.entries()) {
      if (i % 3 === 0) assertEquals(await future, 2 * i);
      else assertInstanceOf(await future.exception(), TaskNotFoundError);
    }
  },
);

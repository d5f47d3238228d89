// Tasks that cannot be found, whatever the reason, fail, and leave the executor
// as it was.

import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { BrokenExecutorError, task, TaskNotFoundError } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { MINOR_RELEASE, workerBehaviour } from "./helpers/worker_harness.ts";

/** Texts of modules that do not give their task. */
const MODULES: Record<string, string> = {
  "nothing": "",
  "a 'then' that gives something else": "export function then(r) { r(); }",
  "a 'then' that fails": "export function then(_, fail) { fail(1); }",
  "something that is no function": "export const lost = { call() {} };",
  "a proxy": "export const lost = new Proxy(() => 1, { get() { throw 1; } });",
  "another function": "export function lost() {}",
};

/** Texts of modules that throw what is hard to tell. */
for (
  const [what, thrown] of Object.entries({
    "nothing": "undefined",
    "a symbol": "Symbol('thrown')",
    "an object without a prototype": "Object.create(null)",
    "an object that throws": "{ toString() { throw 1; } }",
    // Up to 2.6, Deno itself panics.
    ...(MINOR_RELEASE >= 7 && {
      "an error whose message is a symbol":
        "Object.assign(new Error(), { message: Symbol('message') })",
    }),
  })
) MODULES[`an error, ${what}`] = `throw ${thrown};`;

function taskIn(text: string): AnyFunction {
  const url = `data:text/javascript,${encodeURIComponent(text)}`;
  return task({ url }, "lost", () => "never entered");
}

for (const [what, text] of Object.entries(MODULES)) {
  workerBehaviour(
    `a task whose module gives ${what} is not found`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const lost = taskIn(text);
      for (const future of [executor.submit(lost), executor.submit(lost)]) {
        const error = await assertRejects(
          () => future.result(),
          TaskNotFoundError,
        );
        assertStringIncludes(error.message, "'lost'");
      }
      assertEquals(await executor.submit(() => 1), 1);
    },
  );

  workerBehaviour(
    `an initializer whose module gives ${what} breaks the executor`,
    async (make) => {
      const executor = make({ maxWorkers: 1, initializer: taskIn(text) });
      const error = await executor.submit(() => 1).exception();
      assertInstanceOf(error, BrokenExecutorError);
      assertInstanceOf(error.cause, TaskNotFoundError);
    },
  );
}

workerBehaviour(
  "a task with a name that is no word is told how to be exported",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const name of ["a-b", "1", "\n", '"']) {
      const lost = task({ url: "data:text/javascript," }, name, () => 1);
      const error = await assertRejects(
        () => executor.submit(lost).result(),
        TaskNotFoundError,
      );
      assertStringIncludes(error.message, "export { fn as ");
      assertEquals(error.message.includes("\n"), false);
    }
  },
);

// Modules and initializers that end their worker: what happened, and where, is
// said.
// @group workers

import { assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  BrokenExecutorError,
  type Future,
  WorkerCrashedError,
} from "../../mod.ts";
import { TELLS_EXIT_CODES, workerBehaviour } from "./helpers/worker_harness.ts";

/** The ways out, and what is said of each. */
const WAYS = {
  "Deno.exit": endedWith(3),
  "process.exit": endedWith(3),
  "process.exit later": endedWith(3),
  "self.close": "closed the worker",
};

function endedWith(code: number): string {
  return TELLS_EXIT_CODES
    ? `ended the worker with exit code ${code}`
    : "ended the worker";
}

/** The task of a module that ends the worker, and the address of that. */
async function load(by: string): Promise<{ never: () => 1; module: string }> {
  const module = new URL(
    `./fixtures/ending.ts?by=${encodeURIComponent(by)}`,
    import.meta.url,
  ).href;
  const { never } = await import(module);
  return { never, module };
}

async function crashOf(future: Future<unknown>): Promise<string> {
  const error = await future.exception();
  assertInstanceOf(error, WorkerCrashedError);
  return error.message;
}

for (const [by, ending] of Object.entries(WAYS)) {
  workerBehaviour(
    `a module that ends its worker by ${by}() while it is loaded is named`,
    async (make) => {
      const { never, module } = await load(by);
      const executor = make({ maxWorkers: 1 });
      const message = await crashOf(executor.submit(never));
      assertStringIncludes(message, `Module ${module} ${ending}`);
      assertStringIncludes(message, "import.meta.main");
    },
  );

  workerBehaviour(
    `the module of an initializer that ends its worker by ${by}() is named`,
    async (make) => {
      const { never, module } = await load(by);
      const executor = make({ maxWorkers: 1, initializer: never });
      const error = await executor.submit(() => 1).exception();
      assertInstanceOf(error, BrokenExecutorError);
      assertStringIncludes(error.message, `Module ${module} ${ending}`);
    },
  );
}

workerBehaviour(
  "an initializer that ends its worker is named",
  async (make) => {
    const endings = [
      [function prepare() {
        Deno.exit(4);
      }, `Initializer 'prepare' ${endedWith(4)}`],
      [async () => {
        await Promise.resolve();
        Deno.exit(5);
      }, `Initializer (anonymous) ${endedWith(5)}`],
      [function close() {
        self.close();
        return new Promise(() => {});
      }, "Initializer 'close' closed the worker"],
    ] as const;
    for (const [initializer, message] of endings) {
      const executor = make({ maxWorkers: 1, initializer });
      const error = await executor.submit(() => 1).exception();
      assertInstanceOf(error, BrokenExecutorError);
      assertStringIncludes(error.message, message);
    }
  },
);

workerBehaviour(
  "a task that ends its worker is not taken for a module that does",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: () => {} });
    const message = await crashOf(executor.submit(() => Deno.exit(3)));
    assertStringIncludes(message, "while it ran task");
    for (const word of ["Module", "Initializer"]) {
      if (message.includes(word)) throw new Error(message);
    }
  },
);

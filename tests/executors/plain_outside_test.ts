// Plain functions that reach for what was around them: each fails, and says
// what to write instead.

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { BrokenExecutorError, WorkerPoolExecutor } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD, workerBehaviour } from "./helpers/worker_harness.ts";

/** Arrow functions that mean something of the function around them. */
const outer = {
  self() {
    return () => this;
  },
  nestedSelf() {
    return () => [1].map(() => this)[0];
  },
  defaultSelf() {
    // @ts-ignore The type of 'this' is not what this is about.
    return (value: unknown = this) => value;
  },
  arguments() {
    return () => arguments.length;
  },
  nestedArguments() {
    return async () => await Promise.all([1].map(() => arguments[0]));
  },
  super() {
    return () => super.toString();
  },
  target: function () {
    return () => new.target;
  },
};

class WithField {
  value = 1;
  field = () => this.value;
}

for (
  const [what, fn] of Object.entries({
    "'this'": outer.self(),
    "'this' further down": outer.nestedSelf(),
    "'this' in a parameter": outer.defaultSelf(),
    "'this' of its object, as a field": new WithField().field,
    "'arguments'": outer.arguments(),
    "'arguments' further down": outer.nestedArguments(),
    "'super'": outer.super(),
    "'new.target'": outer.target(),
  } as Record<string, AnyFunction>)
) {
  workerBehaviour(
    `an arrow function fails that uses ${what} of the function around it`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const error = await assertRejects(
        () => executor.submit(fn).result(),
        Error,
      );
      assert(["ReferenceError", "SyntaxError"].includes(error.name));
      assertStringIncludes(error.message, /'?([\w.]+)/.exec(what)![1]!);
      assertStringIncludes(error.message, "task(import.meta, ");
      assertEquals(await executor.submit(() => 1), 1);
    },
  );
}

workerBehaviour(
  "a plain function has 'this', 'arguments' and 'new.target' of its own",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const count = function (..._: number[]) {
      const arrow = () => arguments.length;
      return arrow();
    };
    assertEquals(await executor.submit(count, 1, 2, 3), 3);
    const self = function (this: unknown) {
      return (() => this)() === undefined && new.target === undefined;
    };
    assert(await executor.submit(self));
    const made = () => {
      class Made {
        self = () => this;
        target;
        constructor() {
          this.target = (() => new.target)();
        }
      }
      const { self, target } = new Made();
      return self() instanceof Made && target === Made;
    };
    assert(await executor.submit(made));
    // As names of properties, and in text, they mean nothing.
    const words = () => ({ arguments: "this", super: "new.target" });
    assertEquals(await executor.submit(words), words());
  },
);

workerBehaviour(
  "an error of a class in a plain function is not taken for one of the function",
  async (make) => {
    const derive = () => {
      class Derived extends Object {
        // @ts-expect-error It does not call super(), which is the point.
        // deno-lint-ignore constructor-super
        constructor() {
          // @ts-expect-error As above.
          // deno-lint-ignore no-this-before-super
          String(this);
        }
      }
      return new Derived();
    };
    const error = await assertRejects(
      () => make({ maxWorkers: 1 }).submit(derive).result(),
      ReferenceError,
    );
    assertStringIncludes(error.message, "super constructor");
  },
);

workerBehaviour(
  "an initializer that uses a name from outside says so",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: () => void outer });
    const error = await executor.submit(() => 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    const { message } = error.cause as Error;
    assertStringIncludes(message, "outer is not defined");
    assertStringIncludes(message, "task(import.meta, ");
  },
);

/** Ways to import, all of an address that they are given. */
const IMPORTS: Record<string, (address: string) => Promise<unknown>> = {
  directly: (address) => import(address),
  "in a function inside": (address) => (() => import(address))(),
  "in a method": {
    load(address: string) {
      return import(address);
    },
  }.load,
  "in eval()": (address) => (0, eval)(`import("${address}")`),
  "in a new Function": (address) =>
    new Function("address", "return import(address)")(address),
  later: async (address) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return import(address);
  },
};

/** What is beside the modules of this library, and has nothing to do with a function's own. */
const RELATIVE = [
  "./load.ts",
  "./evaluate.ts",
  "../task.ts",
  "../../mod.ts",
  "/etc/hosts",
  "?x",
  "#x",
  "",
];

for (const [how, load] of Object.entries(IMPORTS)) {
  workerBehaviour(
    `a plain function that imports ${how} finds nothing beside this library's modules`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      for (const address of RELATIVE) {
        const error = await assertRejects(
          () => executor.submit(load, address).result(),
          TypeError,
        );
        assertStringIncludes(error.message, "task(import.meta, ", address);
        assertFalse(error.message.includes("data:"), error.message);
      }
    },
  );

  workerBehaviour(
    `a plain function that imports ${how} finds what has a whole address`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const types = executor.map(async (address: string) => {
        return typeof await import(address);
      }, ["node:path", MOD, "data:text/javascript,export default 1"]);
      assertEquals(await types, ["object", "object", "object"]);
      assertEquals(
        await executor.submit(
          async (address) => Object.keys(await import(address)),
          "data:text/javascript,export const x = 1",
        ),
        ["x"],
      );
    },
  );
}

watched("a plain function imports by the names of its program", async () => {
  await using folder = await makeTempFolder({
    "deno.json": `{ "imports": { "named": "./named.ts" } }`,
    "named.ts": "export const value: number = 42;",
    "main.ts": `
      import { ProcessPoolExecutor, WorkerPoolExecutor } from "${MOD}";
      for (const Pool of [WorkerPoolExecutor, ProcessPoolExecutor]) {
        await using pool = new Pool({ maxWorkers: 1 });
        const load = async (name) => (await import(name)).value;
        console.log(await pool.submit(load, "named"));
        console.log((await pool.submit(load, "unnamed").exception()).message);
      }
    `,
  });
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "main.ts"],
    cwd: folder.url,
    env: Deno.env.toObject(),
    timeout: 20_000,
  });
  const lines = stdout.trim().split("\n");
  for (const i of [0, 2]) {
    assertEquals(lines[i], "42");
    assertStringIncludes(lines[i + 1]!, '"unnamed"');
    assertStringIncludes(lines[i + 1]!, "task(import.meta, ");
  }
});

workerBehaviour(
  "a module that a plain function imports, and that does not load, is not told to be a task",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const load = (address: string) => import(address);
    for (
      const text of [
        "import 'nowhere'",
        "import './nowhere.ts'",
        "await import('nowhere')",
        "await import('./nowhere.ts')",
      ]
    ) {
      const error = await assertRejects(
        () => executor.submit(load, `data:text/javascript,${text}`).result(),
        TypeError,
      );
      assertFalse(error.message.includes("task("), error.message);
    }
  },
);

workerBehaviour(
  "a task that takes globals away does not keep later functions from being found",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    await executor.submit(() => {
      Object.assign(globalThis, { eval: undefined, Function: undefined });
      Object.assign(globalThis, { Object: undefined });
    });
    assertEquals(await executor.submit((n: number) => n + 1, 41), 42);
  },
);

Deno.test("an import that a plain function itself gets over is its own matter", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const found = executor.submit(() =>
    import("./load.ts".slice()).then(() => "found", () => "not found")
  );
  assertEquals(await found, "not found");
});

// Functions that are sent by the text of a method, a getter or a setter.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { WorkerPoolExecutor } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

const SYMBOL = Symbol("from outside");
const KEY = "key (from) { outside }";
let evaluated = 0;

/** Names in every notation. */
const methods = {
  [SYMBOL](n: number) {
    return n + 1;
  },
  [Symbol.iterator](n: number) {
    return n + 1;
  },
  [KEY](n: number) {
    return n + 1;
  },
  async [`async ${KEY}`](n: number) {
    return await n + 1;
  },
  [String(["](n) {}", /[(]/, "//", "/*"])](n: number) {
    return n + 1;
  },
  [
    (() => {
      evaluated++;
      return "evaluated";
    })()
  ](n: number) {
    return n + 1;
  },
  async /* (n) {} */ commented /* ( */(n: number) {
    return await n + 1;
  },
  "a (text) { }"(n: number) {
    return n + 1;
  },
  ""(n: number) {
    return n + 1;
  },
  1e3(n: number) {
    return n + 1;
  },
  async(n: number) {
    return n + 1;
  },
  asyncronous(n: number) {
    return n + 1;
  },
  get(n: number) {
    return n + 1;
  },
  set(n: number) {
    return n + 1;
  },
  static(n: number) {
    return n + 1;
  },
  function(n: number) {
    return n + 1;
  },
  class(n: number) {
    return n + 1;
  },
  class$(n: number) {
    return n + 1;
  },
  __proto__(n: number) {
    return n + 1;
  },
  constructor(n: number) {
    return n + 1;
  },
} as unknown as Record<PropertyKey, AnyFunction>;

class Methods {
  static async async(n: number) {
    return await n + 1;
  }
  static #secret(n: number) {
    return n + 1;
  }
  static async #later(n: number) {
    return await n + 1;
  }
  static static(n: number) {
    return n + 1;
  }
  static async *generate() {}
  static [SYMBOL](n: number) {
    return n + 1;
  }
  static get all(): AnyFunction[] {
    return [
      this.#secret,
      this.#later,
      this.static,
      this.async,
      this[SYMBOL],
    ];
  }
}

workerBehaviour("a method may have any name", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const named = Reflect.ownKeys(methods).map((key) => methods[key]!);
  assertEquals(evaluated, 1);
  for (const method of [...named, ...Methods.all]) {
    const future = executor.submitWith({ timeout: 10_000 }, method, 41);
    assertEquals(await future, 42, String(method));
  }
});

workerBehaviour(
  "a getter and a setter are functions like any other",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const { get, set } = Object.getOwnPropertyDescriptor({
      get accessor() {
        return (globalThis as { accessed?: number }).accessed ?? 1;
      },
      set accessor(value) {
        Object.assign(globalThis, { accessed: value });
      },
    }, "accessor")!;
    assertEquals(await executor.submit(get!), 1);
    assertEquals(await executor.submit(set!, 2), undefined);
    assertEquals(await executor.submit(get!), 2);
    const hidden = Object.getOwnPropertyDescriptor({
      get [SYMBOL]() {
        return 3;
      },
    }, SYMBOL)!;
    assertEquals(await executor.submit(hidden.get!), 3);
  },
);

workerBehaviour(
  "a name is not evaluated where a method is sent to",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const method = {
      [(Object.assign(globalThis, { named: true }), "method")]: () => 1,
      [(Object.assign(globalThis, { named: true }), "other")]() {
        return "named" in globalThis;
      },
    }.other as () => boolean;
    assertEquals(await executor.submit(method), false);
  },
);

workerBehaviour(
  "a generator that is a method fails alone, as its result cannot be sent",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const generators = [
      {
        *generate() {},
      }.generate,
      {
        *[SYMBOL]() {},
      }[SYMBOL],
      Methods.generate,
    ];
    for (const generate of generators) {
      const error = await assertRejects(
        () => executor.submit(generate as AnyFunction).result(),
        DOMException,
      );
      assertStringIncludes(error.message, "result");
    }
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "a method that uses 'super' fails with an error that names task()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const child = {
      toString() {
        return `child of ${super.toString()}`;
      },
      async [SYMBOL]() {
        return await super.toString();
      },
    };
    for (const method of [child.toString, child[SYMBOL]]) {
      const error = await assertRejects(
        () => executor.submit(method as AnyFunction).result(),
        SyntaxError,
      );
      assertStringIncludes(error.message, "'super'");
      assertStringIncludes(error.message, "task(import.meta, ");
    }
  },
);

workerBehaviour(
  "a class with a method 'class' is refused as a class, and the method is not",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const Class = class {
      static class() {
        return 1;
      }
    };
    assertEquals(await executor.submit(Class.class), 1);
    assertThrows(
      () => executor.submit(Class as unknown as AnyFunction),
      TypeError,
      "class",
    );
  },
);

workerBehaviour(
  "an initializer may be a method with a symbol for a name",
  async (make) => {
    const initializer = {
      [SYMBOL](value: number) {
        Object.assign(globalThis, { prepared: value });
      },
    }[SYMBOL];
    const executor = make({ maxWorkers: 1, initializer, initArgs: [42] });
    const prepared = () => (globalThis as { prepared?: number }).prepared;
    assertEquals(await executor.submit(prepared), 42);
  },
);

/** Functions with a body that only a module may have, as a module exports them. */
const MODULE_BODIES: Readonly<Record<string, (body: string) => string>> = {
  "a function": (body) => `function named(f) { ${body} }`,
  "an arrow function": (body) => `(f) => { ${body} }`,
  "an async arrow function": (body) => `async (f) => { ${body} }`,
  "a method": (body) => `({ method(f) { ${body} } }).method`,
  "an async method": (body) => `({ async method(f) { ${body} } }).method`,
  "a method with a computed name": (body) =>
    `({ ["name"](f) { ${body} } }).name`,
  "a method with a long computed name": (body) =>
    `Object.values({ [(() => { ${body} })](f) {} })[0]`,
};

/** How much longer the second text is. */
const LONGER = 16;

for (const [what, textOf] of Object.entries(MODULE_BODIES)) {
  Deno.test(`submit() refuses ${what} in a time that does not grow by the square of its text`, async () => {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    let made = 0;
    /** The shortest of some times that it takes to refuse a text with so many calls in it. */
    const timeOf = async (calls: number) => {
      let shortest = Infinity;
      for (let i = 0; i < 4; i++) {
        // Each text is another one, as a worker looks at each only once.
        const body = `import.meta; ${`f[0](${made++}); `.repeat(calls)}`;
        const { default: fn } = await import(
          `data:text/javascript,export default ${textOf(body)}`
        );
        const start = performance.now();
        const { message } = await executor.submit(fn).exception() as Error;
        shortest = Math.min(shortest, performance.now() - start);
        assertStringIncludes(message, "import.meta' outside a module: task");
      }
      return shortest;
    };
    // The computed name stays below 64 KiB: V8 gives no text of such a method.
    const short = await timeOf(300);
    const long = await timeOf(300 * LONGER);
    assert(long < 3 * LONGER * short, `${short} ms, then ${long} ms`);
  });
}

workerBehaviour(
  "a method whose computed name has many kilobytes is refused with an error that names task()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const key = JSON.stringify("](".repeat(5000));
    const method = (0, eval)(`({ [${key}](n) { return n; } })`);
    const error = await assertRejects(
      () => executor.submit(Object.values(method)[0] as AnyFunction).result(),
      SyntaxError,
    );
    assertStringIncludes(error.message, "task(import.meta, ");
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "a method may have comments of any length before its parameters",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const comment = `/* ${"](".repeat(5000)} */ // (\n`;
    const texts = [
      `${comment} name`,
      `get ${comment}`,
      `async /* ( */ ${
        comment.replaceAll("\n", "*/ ").replace("//", "/*")
      } name`,
      `"(" ${comment}`,
      `1e+5 ${comment}`,
    ];
    for (const head of texts) {
      const [method] = Object.values<AnyFunction>(
        (0, eval)(`({ ${head}(n) { return n; } })`),
      );
      assertEquals(await executor.submit(method!, 42), 42);
    }
  },
);

// Names of functions: they may be anything, and are shown and sent as text.

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { task, type TaskEvent } from "../../mod.ts";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { behaviour } from "./helpers/harness.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { MOD, workerBehaviour } from "./helpers/worker_harness.ts";

/** Gives a function a property `name`. */
function named<F extends AnyFunction>(name: PropertyDescriptor, fn: F): F {
  return Object.defineProperty(fn, "name", { ...name, configurable: true });
}

/** What is no text, or not to be had. */
const NO_TEXT: readonly PropertyDescriptor[] = [
  { value: Symbol("name") },
  { value: () => 1 },
  { value: 5 },
  { value: null },
  {
    value: {
      toString() {
        throw new Error("No text");
      },
    },
  },
  { value: new Proxy({}, {}) },
  {
    get() {
      throw new Error("No name");
    },
  },
];

behaviour("takes a function whose name is no text", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  for (const name of NO_TEXT) {
    const double = named(name, (n: number) => n * 2);
    assertEquals(await executor.submit(double, 21), 42);
    assertEquals(await executor.map(double, [1, 2]), [2, 4]);
  }
});

behaviour(
  "tells of a function whose name is no text as of one without a name",
  async ({ make }) => {
    const executor = make({ maxWorkers: 8 });
    const names: unknown[] = [];
    executor.addEventListener(
      "task",
      (event) => names.push((event as TaskEvent).task),
    );
    // Each is stopped, and the message names the task.
    const stopped = NO_TEXT.map((name) =>
      executor.submitWith(
        { timeout: 1 },
        named(name, () => new Promise((r) => setTimeout(r, 900))),
      )
    );
    for (const future of stopped) {
      const error = await future.exception();
      assertStringIncludes(String(error), "Task (anonymous) ran longer");
    }
    assertEquals(names, NO_TEXT.map(() => ""));
  },
);

workerBehaviour(
  "an initializer whose name is no text prepares a worker",
  async (make) => {
    const initializer = named({ value: Symbol("name") }, () => {
      Object.assign(globalThis, { prepared: true });
    });
    const executor = make({ maxWorkers: 1, initializer });
    assert(await executor.submit(() => "prepared" in globalThis));
  },
);

Deno.test("task() does not take a name that is no text", () => {
  for (const name of NO_TEXT) {
    const fn = named(name, () => 1);
    assertThrows(() => task(import.meta, fn), TypeError, "without a name");
    assertEquals(task(import.meta, "fn", fn), fn);
  }
});

workerBehaviour(
  "an address that task() has not made is refused at the call",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const address = Symbol.for("@concurrent/futures/task");
    for (
      const forged of [
        null,
        "task",
        {},
        { kind: "export", module: "file:///x.ts", name: () => 1 },
        { kind: "export", module: Symbol("x"), name: "x" },
        { kind: "source", source: "() => 1", name: "x" },
      ]
    ) {
      const fn = Object.assign(() => 1, { [address]: forged });
      assertThrows(() => executor.submit(fn), TypeError, "task(import.meta, ");
    }
    assertEquals(await executor.submit(() => 1), 1);
  },
);

/** Each ends the line, the comment or the text that a name could be put into. */
const BREAKING = [
  "\n",
  "\r",
  "\r\n",
  "\u2028",
  "\u2029",
  "*/",
  "'",
  '"',
  "`",
  "${",
  "\\",
  "\ud800",
].map((end) => `f${end}\n;globalThis.broken = true; //`);

workerBehaviour("what is in a function's name is never run", async (make) => {
  const executor = make({ maxWorkers: 1 });
  for (
    const name of [
      ...BREAKING,
      ...BREAKING.map((n) => n.replace("\n", "")),
    ]
  ) {
    const fn = named({ value: name }, (n: number) => {
      if (n < 0) throw new RangeError("Negative");
      return "broken" in globalThis;
    });
    assertFalse(await executor.submit(fn, 1));
    await assertRejects(() => executor.submit(fn, -1).result(), RangeError);
    const method = named({ value: name }, { [name]: (n: number) => n }[name]!);
    await executor.submit(method, 1);
  }
  assertFalse(await executor.submit(() => "broken" in globalThis));
});

workerBehaviour(
  "a stack trace tells a name that is no address as far as it can",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (
      const [name, shown] of [
        ["größe", "task:größe"],
        ["the sum: a + b\n", "task:the_sum__a___b_"],
        ["'x'", "task:_x_"],
      ] as const
    ) {
      const fn = named({ value: name }, () => {
        throw new Error("Shown");
      });
      const { stack } = await executor.submit(fn).exception() as Error;
      assertStringIncludes(stack!, shown);
    }
  },
);

behaviour(
  "names a task in one short line, whatever its name is",
  async ({ make }) => {
    const executor = make({ maxWorkers: 4 });
    const breaking = "f\n\r\u2028\u2029\x1b[31m\u202e\ud800";
    const stopped = [breaking, "x".repeat(1e5)].map((name) =>
      executor.submitWith(
        { timeout: 1 },
        named({ value: name }, () => new Promise((r) => setTimeout(r, 900))),
      )
    );
    for (const future of stopped) {
      const { message } = await future.exception() as Error;
      assertStringIncludes(message, "ran longer");
      // deno-lint-ignore no-control-regex
      assertFalse(/[\0-\x1f\u2028\u2029\u202e\ud800]/.test(message), message);
      assert(message.length < 300, message);
    }
  },
);

workerBehaviour(
  "functions with the same text and other names are told apart",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const failing = () => () => {
      throw new Error("Failed");
    };
    const missing = () => () => BREAKING.length;
    for (const name of ["first", "second", "2 second", ""]) {
      const failed = await executor.submit(named({ value: name }, failing()))
        .exception() as Error;
      assertStringIncludes(
        failed.stack!,
        `task:${name.replace(" ", "_") || "(anonymous)"}`,
      );
      const missed = await executor.submit(named({ value: name }, missing()))
        .exception() as Error;
      assertStringIncludes(
        missed.message,
        `task ${name === "" ? "(anonymous)" : `'${name}'`} was sent as text`,
      );
    }
  },
);

workerBehaviour(
  "a name and a text are not taken for another name and text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    // Name and text make the same line.
    const short = named({ value: "a" }, (0, eval)("b => typeof ab"));
    const long = named({ value: "" }, (0, eval)("ab => typeof ab"));
    assertEquals(await executor.submit(short, 1), "undefined");
    assertEquals(await executor.submit(long, 1), "number");
  },
);

/** More than anybody wants to be told apart. */
const MANY_NAMES = Array.from({ length: 200 }, (_, i) => `job-${i}`);

/** What a stack trace calls the text of a task. */
function labelIn({ stack }: Error): string | undefined {
  return stack!.match(/task:([\w-]+|\(anonymous\))/)?.[1];
}

workerBehaviour(
  "a text with very many names is a bounded number of functions to a worker",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const failing = () => () => {
      throw new Error("Failed");
    };
    const labels = new Map<string, string | undefined>();
    for (const name of MANY_NAMES) {
      const fn = named({ value: name }, failing());
      const error = await executor.submit(fn).exception() as Error;
      labels.set(name, labelIn(error));
    }
    // Nobody is called by the name of another.
    for (const [name, label] of labels) {
      assert(label === name || label === "(anonymous)", `${name}: ${label}`);
    }
    assertEquals(labels.get("job-0"), "job-0");
    assertEquals(labels.get("job-1"), "job-1");
    assert(new Set(labels.values()).size < 20);
    // Names that are told apart stay so, and each text has names of its own.
    const again = named({ value: "job-1" }, failing());
    const other = named({ value: "job-199" }, () => {
      throw new Error("Also failed");
    });
    for (const [fn, label] of [[again, "job-1"], [other, "job-199"]] as const) {
      const error = await executor.submit(fn).exception() as Error;
      assertEquals(labelIn(error), label);
    }
  },
);

workerBehaviour(
  "a text with very many names does not miss something by the name of another",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const name of MANY_NAMES) {
      const fn = named({ value: name }, () => MANY_NAMES.length);
      const { message } = await executor.submit(fn).exception() as Error;
      assertStringIncludes(message, "MANY_NAMES is not defined: task ");
      assert(
        /task \(anonymous\) was/.test(message) || message.includes(`'${name}'`),
      );
    }
  },
);

behaviour(
  "tells of each function with the same text by its own name, however many there are",
  async ({ make }) => {
    const executor = make({ maxWorkers: 4 });
    const names: string[] = [];
    executor.addEventListener(
      "task",
      (event) => names.push((event as TaskEvent).task),
    );
    const futures = MANY_NAMES.map((name) =>
      executor.submit(named({ value: name }, (n: number) => n), 1)
    );
    for (const future of futures) assertEquals(await future, 1);
    assertEquals(names.toSorted(), MANY_NAMES.toSorted());
    const last = named(
      { value: "job-last" },
      () => new Promise((resolve) => setTimeout(resolve, 900)),
    );
    const error = await executor.submitWith({ timeout: 1 }, last).exception();
    assertStringIncludes(String(error), "Task 'job-last' ran longer");
  },
);

workerBehaviour(
  "tasks of one module are told apart, however many it exports",
  async (make) => {
    const indices = Array.from({ length: 40 }, (_, i) => i);
    const exported = indices.map((i) =>
      `export const t${i} = task(import.meta, "t${i}", () => ${i});`
    );
    await using folder = await makeTempFolder({
      "tasks.ts": [
        `import { task } from ${JSON.stringify(MOD)};`,
        ...exported,
      ].join("\n"),
    });
    const tasks = await import(`${folder.url}tasks.ts`);
    const executor = make({ maxWorkers: 1 });
    for (const i of indices) {
      assertEquals(await executor.submit(tasks[`t${i}`]), i);
    }
  },
);

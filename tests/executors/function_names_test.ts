// Names of functions: they may be anything, and are shown and sent as text.

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type AnyFunction, task, type TaskEvent } from "../../mod.ts";
import { behaviour } from "./harness.ts";
import { workerBehaviour } from "./worker_harness.ts";

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

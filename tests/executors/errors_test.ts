// Errors on their way back: as what they were.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import * as futures from "../../mod.ts";
import {
  checkAge,
  FAILING_LINE,
  rejectInput,
  throwNew,
} from "./fixtures/failing.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

/** What this function threw, brought back by a new executor. */
async function thrownBy(
  make: () => futures.Executor,
  fn: () => never,
): Promise<Error> {
  const error = await make().submit(fn).exception();
  assert(error instanceof Error);
  return error;
}

workerBehaviour("built-in errors keep their class", async (make) => {
  const executor = make({ maxWorkers: 1 });
  for (
    const ErrorClass of [
      Error,
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
      URIError,
    ]
  ) {
    const error = await executor.submit(throwNew, ErrorClass.name, "Message")
      .exception();
    assertInstanceOf(error, ErrorClass);
    assertStrictEquals(Object.getPrototypeOf(error), ErrorClass.prototype);
    assertEquals([error.name, error.message], [ErrorClass.name, "Message"]);
    assertEquals(Object.keys(error), []);
  }
});

workerBehaviour("WebAssembly's errors keep their class", async (make) => {
  const executor = make({ maxWorkers: 1 });
  for (const key of ["CompileError", "LinkError", "RuntimeError"] as const) {
    const path = `WebAssembly.${key}`;
    const error = await executor.submit(throwNew, path, "Message").exception();
    assertInstanceOf(error, WebAssembly[key]);
    assertEquals(error.message, "Message");
  }
});

workerBehaviour("Deno's errors keep their class", async (make) => {
  const executor = make({ maxWorkers: 1 });
  for (const [key, ErrorClass] of Object.entries(Deno.errors)) {
    const path = `Deno.errors.${key}`;
    const error = await executor.submit(throwNew, path, "Message").exception();
    assertInstanceOf(error, ErrorClass);
    assertEquals([error.name, error.message], [key, "Message"]);
  }
  const missing = await executor.submit(() => Deno.readTextFile("/nowhere"))
    .exception();
  assertInstanceOf(missing, Deno.errors.NotFound);
});

workerBehaviour("this package's errors keep their class", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const { MOD } = await import("./helpers/worker_harness.ts");
  const fail = async (mod: string, key: string) => {
    const ErrorClass = (await import(mod))[key];
    throw new ErrorClass("Message", { cause: new RangeError("Cause") });
  };
  for (
    const key of [
      "ConcurrentError",
      "CancelledError",
      "TimeoutError",
      "InvalidStateError",
      "ShutdownError",
      "TaskNotFoundError",
      "BrokenExecutorError",
      "WorkerCrashedError",
      "WorkerTerminatedError",
    ] as const
  ) {
    const error = await executor.submit(fail, MOD, key).exception();
    assertInstanceOf(error, futures[key]);
    assertEquals([error.name, error.message], [key, "Message"]);
    assertInstanceOf(error.cause, RangeError);
  }
});

workerBehaviour("a DOMException keeps its name and code", async (make) => {
  const error = await thrownBy(make, () => {
    throw new DOMException("Too late", "AbortError");
  });
  assertInstanceOf(error, DOMException);
  assertEquals([error.name, error.message, error.code], [
    "AbortError",
    "Too late",
    DOMException.ABORT_ERR,
  ]);
});

workerBehaviour("an AggregateError keeps its errors", async (make) => {
  const error = await thrownBy(make, () => {
    throw new AggregateError(
      [
        new RangeError("First"),
        "second",
        new AggregateError([new TypeError()]),
      ],
      "Both",
    );
  });
  assertInstanceOf(error, AggregateError);
  assertEquals(error.message, "Both");
  assertEquals(error.errors.length, 3);
  const [first, second, third] = error.errors;
  assertInstanceOf(first, RangeError);
  assertEquals(first.message, "First");
  assertEquals(second, "second");
  assertInstanceOf(third.errors[0], TypeError);
});

workerBehaviour("a SuppressedError keeps both errors", async (make) => {
  const error = await thrownBy(make, () => {
    throw new SuppressedError(new RangeError("Late"), new TypeError("Early"));
  });
  assertInstanceOf(error, SuppressedError);
  assertInstanceOf(error.error, RangeError);
  assertInstanceOf(error.suppressed, TypeError);
});

workerBehaviour("an error keeps its chain of causes", async (make) => {
  const error = await thrownBy(make, () => {
    const root = new DOMException("Root", "DataError");
    const middle = Object.assign(new RangeError("Middle", { cause: root }), {
      code: 7,
    });
    throw new TypeError("Top", { cause: middle });
  });
  assertInstanceOf(error.cause, RangeError);
  assertEquals(error.cause.message, "Middle");
  assertEquals((error.cause as { code?: number }).code, 7);
  assertInstanceOf(error.cause.cause, DOMException);
  assertEquals(error.cause.cause.name, "DataError");
});

workerBehaviour("a cause may be any value", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const fail = (cause: unknown) => {
    throw new Error("Message", { cause });
  };
  for (const cause of [undefined, null, 0, "text", { a: [1] }]) {
    const error = await executor.submit(fail, cause).exception() as Error;
    assert(Object.hasOwn(error, "cause"));
    assertEquals(error.cause, cause);
    assertEquals(Object.keys(error), []);
  }
  const without = await executor.submit(throwNew, "Error", "").exception();
  assert(!Object.hasOwn(without as Error, "cause"));
});

workerBehaviour("an error that is its own cause stays so", async (make) => {
  const error = await thrownBy(make, () => {
    const first = new Error("First");
    const second = new RangeError("Second", { cause: first });
    first.cause = second;
    throw first;
  });
  assertInstanceOf(error.cause, RangeError);
  assertStrictEquals(error.cause.cause, error);
});

workerBehaviour("an error keeps its own fields", async (make) => {
  const details = { limits: [0, 150], seen: new Date(0), tags: new Set(["a"]) };
  const error = await make().submit(rejectInput, details).exception();
  assertInstanceOf(error, TypeError);
  assertEquals([error.name, error.message], ["InputError", "Wrong input"]);
  const { field, details: back } = error as unknown as Record<string, unknown>;
  assertEquals(field, "age");
  assertEquals(back, details);
  assert(Object.keys(error).includes("field"));
});

workerBehaviour(
  "a field of an error that is an error stays one",
  async (make) => {
    const error = await thrownBy(make, () => {
      const inner = new RangeError("Inner");
      throw Object.assign(new Error("Outer"), { inner, errors: [inner, 1] });
    });
    const { inner, errors } = error as unknown as {
      inner: unknown;
      errors: unknown[];
    };
    assertInstanceOf(inner, RangeError);
    assertStrictEquals(errors[0], inner);
    assertEquals(errors[1], 1);
    assertEquals(Object.keys(error), ["inner", "errors"]);
  },
);

workerBehaviour("an error of an own class keeps its name", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const fail = (how: string) => {
    class Assigned extends Error {
      constructor() {
        super("Message");
        this.name = "AssignedName";
      }
    }
    class Inherited extends RangeError {
      static {
        this.prototype.name = "InheritedName";
      }
    }
    class Computed extends Error {
      override get name() {
        return "ComputedName";
      }
    }
    class RangeErrorOfMine extends Error {
      override name = "RangeError";
    }
    throw how === "assigned"
      ? new Assigned()
      : how === "inherited"
      ? new Inherited("Message")
      : how === "computed"
      ? new Computed("Message")
      : new RangeErrorOfMine("Message");
  };
  for (
    const [how, name, ErrorClass] of [
      ["assigned", "AssignedName", Error],
      ["inherited", "InheritedName", RangeError],
      ["computed", "ComputedName", Error],
      ["mine", "RangeError", Error],
    ] as const
  ) {
    const error = await executor.submit(fail, how).exception() as Error;
    assertStrictEquals(Object.getPrototypeOf(error), ErrorClass.prototype);
    assertEquals([error.name, error.message], [name, "Message"]);
    assertStringIncludes(String(error), name);
  }
});

workerBehaviour(
  "an error's stack has the task module's own lines and the worker's name",
  async (make) => {
    const executor = make({ maxWorkers: 1, name: "ages" });
    const error = await executor.submit(checkAge, -1).exception();
    assertInstanceOf(error, RangeError);
    const lines = error.stack!.split("\n");
    assertEquals(lines[0], "RangeError: No such age: -1");
    assertMatch(lines[1]!, /validate/);
    assertMatch(
      lines[1]!,
      new RegExp(`fixtures/failing\\.ts:${FAILING_LINE}:\\d+`),
    );
    assertMatch(error.stack!, /checkAge/);
    assertMatch(error.stack!, /\bages-1\b/);
  },
);

workerBehaviour("what is thrown may be any value", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const fail = (value: unknown) => {
    throw value;
  };
  const failLater = async (value: unknown) => {
    await Promise.resolve();
    throw value;
  };
  for (
    const value of [undefined, null, 0, NaN, "", "text", false, 5n, { a: [1] }]
  ) {
    for (const fn of [fail, failLater]) {
      const outcome = await outcomeOf(executor.submit(fn, value));
      assertEquals(outcome, { error: value });
    }
  }
});

workerBehaviour("errors of many tasks do not get mixed up", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const oddly = (n: number) => {
    if (n % 2 === 1) throw new RangeError(`Odd: ${n}`);
    return n;
  };
  const futures = Array.from(
    { length: 1000 },
    (_, n) => executor.submit(oddly, n),
  );
  for (const [n, future] of futures.entries()) {
    const error = await future.exception() as Error | undefined;
    assertEquals(error?.message, n % 2 === 1 ? `Odd: ${n}` : undefined);
  }
});

// Errors that do not want to travel: none of them keeps its future from
// settling, harms the worker, or reaches into the host.

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import type { AnyFunction } from "../../executors/job/mod.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

/** What is left of hostile values is not specified; that the executor goes on is. */
async function assertSurvives(
  executor: { submit(fn: AnyFunction): PromiseLike<unknown> },
): Promise<void> {
  assertEquals(await executor.submit(() => "goes on"), "goes on");
}

workerBehaviour(
  "a field of an error that cannot be cloned arrives as its text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      throw Object.assign(new Error("Message"), {
        fn: () => 1,
        symbol: Symbol("mark"),
        nested: { toString: () => "nested text", fn: () => 1 },
        fine: 1,
      });
    }).exception() as Error & Record<string, unknown>;
    assertEquals(error.message, "Message");
    assertEquals(error.fn, String(() => 1));
    assertEquals(error.symbol, "Symbol(mark)");
    assertEquals(error.nested, "nested text");
    assertEquals(error.fine, 1);
  },
);

workerBehaviour(
  "what is thrown and cannot be cloned arrives as its text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const functions: [AnyFunction, string][] = [
      [() => {
        throw Symbol("mark");
      }, "Symbol(mark)"],
      [() => {
        throw () => 1;
      }, String(() => 1)],
    ];
    for (const [fn, text] of functions) {
      assertEquals(await outcomeOf(executor.submit(fn)), { error: text });
    }
    const promise = await executor.submit(() => {
      throw Promise.resolve();
    }).exception();
    assertEquals(promise, "[object Promise]");
    await assertSurvives(executor);
  },
);

workerBehaviour("fields that throw when read become text", async (make) => {
  const executor = make({ maxWorkers: 1 });
  for (const key of ["message", "name", "stack", "cause", "errors", "extra"]) {
    const error = await executor.submit((key: string) => {
      throw Object.defineProperty(new RangeError("Message"), key, {
        enumerable: true,
        get() {
          throw new Error("Trapped");
        },
      });
    }, key).exception();
    assertInstanceOf(error, RangeError, key);
    if (key !== "message") assertEquals(error.message, "Message");
    assertStringIncludes(
      String((error as unknown as Record<string, unknown>)[key]),
      "Trapped",
      key,
    );
  }
  await assertSurvives(executor);
});

workerBehaviour(
  "errors in disguise still settle their future",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const hostile: AnyFunction[] = [
      () => {
        throw new Proxy(new Error("Message"), {
          get() {
            throw new Error("Trapped");
          },
          ownKeys() {
            throw new Error("Trapped");
          },
          getPrototypeOf() {
            throw new Error("Trapped");
          },
        });
      },
      () => {
        const { proxy, revoke } = Proxy.revocable(new Error("Message"), {});
        revoke();
        throw proxy;
      },
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        throw Object.assign(new Error("Message"), { proxy });
      },
      () => {
        throw {
          get [Symbol.toStringTag]() {
            throw new Error("Trapped");
          },
        };
      },
      () => {
        throw { [Symbol.toStringTag]: "Error" };
      },
      () => {
        throw {
          fn() {},
          toString() {
            throw new Error("Trapped");
          },
          get [Symbol.toStringTag]() {
            throw new Error("Trapped");
          },
        };
      },
      () => {
        throw Object.setPrototypeOf(new Error("Message"), null);
      },
      () => {
        throw Object.create(Error.prototype);
      },
      () => {
        throw Object.create(DOMException.prototype);
      },
      () => {
        throw Object.create(AggregateError.prototype);
      },
      () => {
        throw Object.freeze(Object.assign(new Error("Message"), { a: 1 }));
      },
      () => {
        throw Object.defineProperty(new Error("Message"), "constructor", {
          get() {
            throw new Error("Trapped");
          },
        });
      },
      () => {
        throw Object.assign(new Error("Message"), {
          message: { toString: () => ({}) },
          name: Symbol("name"),
          stack: () => {},
        });
      },
    ];
    for (const fn of hostile) {
      const outcome = await outcomeOf(executor.submit(fn));
      assert("error" in outcome, String(fn));
      await assertSurvives(executor);
    }
  },
);

workerBehaviour(
  "a very long chain of causes settles its future",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      let error = new Error("Root");
      for (let i = 0; i < 100_000; i++) {
        error = new Error(`${i}`, { cause: error });
      }
      throw error;
    }).exception();
    assertInstanceOf(error, Error);
    assertEquals(error.message, "99999");
    await assertSurvives(executor);
  },
);

workerBehaviour("a very deep field settles its future", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const error = await executor.submit(() => {
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    throw Object.assign(new Error("Message"), { deep });
  }).exception();
  assertInstanceOf(error, Error);
  assertEquals(error.message, "Message");
  await assertSurvives(executor);
});

workerBehaviour(
  "'__proto__' and 'constructor' fields of an error pollute nothing",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const fields = JSON.parse(
        '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "prototype": 1}',
      );
      const error = new Error("Message", { cause: fields });
      for (const key of Object.keys(fields)) {
        Object.defineProperty(error, key, {
          value: fields[key],
          enumerable: true,
        });
      }
      throw error;
    }).exception();
    assertInstanceOf(error, Error);
    assertFalse("polluted" in {});
    assertFalse("polluted" in Error.prototype);
    assertFalse("polluted" in error);
    assertFalse("polluted" in (error.cause as object));
    assert(Object.hasOwn(error, "__proto__"));
  },
);

workerBehaviour(
  "an error that names a class of the host does not get it",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (
      const name of ["Function", "Object", "Promise", "Worker", "__proto__"]
    ) {
      const error = await executor.submit((name: string) => {
        class Impostor extends Error {}
        Object.defineProperty(Impostor, "name", { value: name });
        const error = new Impostor("return 1");
        error.name = name;
        throw error;
      }, name).exception();
      assertInstanceOf(error, Error);
      assertEquals([error.name, error.message], [name, "return 1"]);
    }
  },
);

workerBehaviour(
  "a task that tampers with its isolate reaches only its own worker",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const tamper = () => {
      Object.assign(Object.prototype, { polluted: 1 });
      return 1;
    };
    await outcomeOf(executor.submit(tamper));
    assertFalse("polluted" in {});
  },
);

workerBehaviour(
  "a task that forges the messages of its worker harms only that",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const forged: unknown[] = [
      null,
      5,
      ["nonsense"],
      ["done"],
      ["done", 1e9, NaN, [1, 2, 3, 4, 5]],
      ["done", 1, 1, [5], [0, null]],
      ["done", 1, 1, [5], [0, { kind: "error", class: 5, fields: 5 }]],
      ["entered", "nowhere"],
      ["unreadable"],
      { message: ["done"], lost: 5 },
      ["unfit", null],
      ["closing", 5],
    ];
    for (const message of forged) {
      const task = executor.submit((message: unknown) => {
        const { prototype } = MessagePort;
        const { postMessage } = prototype;
        prototype.postMessage = function () {
          prototype.postMessage = postMessage;
          postMessage.call(this, message, {});
          // What was to be sent is lost, and the worker with it.
          setTimeout(() => self.close());
        };
      }, message);
      await outcomeOf(task);
      assert(task.done());
      await assertSurvives(executor);
    }
  },
);

workerBehaviour(
  "of an error with millions of errors or fields, or with endless text, the beginning arrives, and how much there is more",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const lists: [AnyFunction, number][] = [
      [() => {
        throw Object.assign(new AggregateError([]), { errors: Array(5e7) });
      }, 5e7],
      [() => {
        const errors: unknown[] = [];
        errors[2 ** 32 - 2] = 1;
        throw Object.assign(new Error("Message"), { errors });
      }, 2 ** 32 - 1],
      [() => {
        const errors = Array.from({ length: 1e4 }, () => new Error("Message"));
        throw new Error("Outer", { cause: new AggregateError(errors) });
      }, 1e4],
    ];
    for (const [fn, length] of lists) {
      const error = await executor.submit(fn).exception() as AggregateError;
      const { errors } = (error.cause ?? error) as AggregateError;
      assert(errors.length < 10_000, `${errors.length}`);
      const last = errors.at(-1);
      assertInstanceOf(last, Error);
      const left = length - errors.length + 1;
      assertEquals(last.message, `${left} more errors were left out`);
    }
    const fields = await executor.submit(() => {
      const error = new Error("Message") as Error & Record<string, unknown>;
      for (let i = 0; i < 1e5; i++) error[`field${i}`] = i;
      throw error;
    }).exception() as Error & Record<string, unknown>;
    assertEquals(fields.field0, 0);
    assert(Object.keys(fields).length < 10_000);
    assertStringIncludes(String(fields["…"]), " more fields were left out");
    const text = await executor.submit(() => {
      throw new Error("Message ".repeat(2 ** 23));
    }).exception() as Error;
    assert(text.message.startsWith("Message Message "));
    assertStringIncludes(text.message.slice(-100), " more characters)");
    await assertSurvives(executor);
  },
);

workerBehaviour(
  "an error with a few errors, fields and words arrives whole",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const errors = Array.from({ length: 1000 }, (_, i) => new Error(`${i}`));
      throw Object.assign(new AggregateError(errors, "m".repeat(1e5)), {
        a: 1,
      });
    }).exception() as AggregateError & { a: number };
    assertEquals(error.errors.length, 1000);
    assertEquals(error.errors.at(-1).message, "999");
    assertEquals([error.message, error.a], ["m".repeat(1e5), 1]);
  },
);

workerBehaviour(
  "an array with billions of empty places is an argument, a result, and a field of an error",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const sparse = (last: unknown) => {
      const array: unknown[] = [];
      array[2 ** 32 - 2] = last;
      return array;
    };
    const length = (array: unknown[]) => array.length;
    assertEquals(await executor.submit(length, sparse({})), 2 ** 32 - 1);
    const result = await executor.submit(sparse, { a: 1 });
    assertEquals(result.at(-1), { a: 1 });
    const error = await executor.submit(() => {
      const array: unknown[] = [];
      array.length = 2 ** 32 - 1;
      throw Object.assign(new Error("Message"), { array, cause: array });
    }).exception() as Error & { array: unknown[] };
    assertEquals(error.array.length, 2 ** 32 - 1);
    await assertSurvives(executor);
  },
);

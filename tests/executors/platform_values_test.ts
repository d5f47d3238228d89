// Objects of the platform, of which structured clone would make `{}` without a
// word, and those that only V8's own serializer does not know.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  BrokenExecutorError,
  type Future,
  transfer,
  WorkerCrashedError,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { watched } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

const identity = <T>(value: T) => value;

/** The message of the error of a value that could not be sent. */
async function refusalOf(future: Future<unknown>): Promise<string> {
  const error = await future.exception();
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "DataCloneError");
  return error.message;
}

/** Objects that no copy can stand for, by their class. */
const makeObjects = () => ({
  URL: new URL("https://example.com/"),
  URLSearchParams: new URLSearchParams("a=1"),
  Headers: new Headers({ a: "1" }),
  Request: new Request("https://example.com/"),
  Response: new Response("text"),
  FormData: new FormData(),
  AbortSignal: new AbortController().signal,
  AbortController: new AbortController(),
  EventTarget: new EventTarget(),
  Event: new Event("load"),
  TextDecoder: new TextDecoder(),
});

workerBehaviour(
  "objects of the platform that have no copy are refused as arguments",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const [name, object] of Object.entries(makeObjects())) {
      for (
        const value of [
          object,
          { deep: [object] },
          new Map([["key", [object]]]),
          new Map([[object, 1]]),
          new Set([object]),
          new Error("Failed", { cause: object }),
        ]
      ) {
        const message = await refusalOf(executor.submit(identity, value));
        assertStringIncludes(message, "argument 1");
        assertStringIncludes(message, `${name} objects`);
      }
    }
    assertEquals(await executor.submit(identity, 1), 1);
  },
);

workerBehaviour(
  "objects of the platform that have no copy are refused as results",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const functions: (() => unknown)[] = [
      () => new URL("https://example.com/"),
      () => ({ headers: [new Headers()] }),
      () => new Map([[1, new Response("text")]]),
      () => new AbortController().signal,
      // deno-lint-ignore require-await
      async () => [new EventTarget()],
    ];
    for (const fn of functions) {
      const message = await refusalOf(executor.submit(fn));
      assertStringIncludes(message, "the result");
      assertStringIncludes(message, "objects cannot be sent");
    }
  },
);

workerBehaviour(
  "objects of the platform that have no copy are refused by a map() and in 'initArgs'",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(identity, [1, [new URL("data:,")], 3]);
    assertEquals(await results.next(), { done: false, value: 1 });
    const refused = await results.next().catch((error) => error);
    assertStringIncludes(refused.message, "argument 1");
    const broken = make({
      maxWorkers: 1,
      initializer: identity,
      initArgs: [{ signal: AbortSignal.abort() }],
    });
    const error = await broken.submit(identity, 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    assertStringIncludes((error.cause as Error).message, "'initArgs'");
    assertStringIncludes((error.cause as Error).message, "AbortSignal");
  },
);

workerBehaviour(
  "objects of classes that extend the platform's are refused, own classes are not",
  async (make) => {
    class Emitter extends EventTarget {
      level = 1;
    }
    class Table extends Map<string, number> {}
    class Event {
      level = 1;
    }
    const executor = make({ maxWorkers: 1 });
    const message = await refusalOf(executor.submit(identity, new Emitter()));
    assertStringIncludes(message, "EventTarget");
    assertEquals<unknown>(
      await executor.submit(identity, new Event()),
      { level: 1 },
    );
    const table = await executor.submit(identity, new Table([["a", 1]]));
    assertEquals(new Map(table), new Map([["a", 1]]));
  },
);

workerBehaviour("DOMExceptions come back as what they were", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const check = (value: unknown) => {
    assertInstanceOf(value, DOMException);
    assertEquals(
      [value.name, value.message, value.code],
      ["AbortError", "Enough", DOMException.ABORT_ERR],
    );
  };
  const enough = new DOMException("Enough", "AbortError");
  check(await executor.submit(identity, enough));
  check(await executor.submit(() => new DOMException("Enough", "AbortError")));
  const [settled] = await executor.submit(() =>
    Promise.allSettled([
      Promise.reject(new DOMException("Enough", "AbortError")),
    ])
  );
  assertEquals(settled!.status, "rejected");
  check((settled as PromiseRejectedResult).reason);
  const value = {
    list: [1, enough],
    map: new Map<unknown, unknown>([[1, 2], [enough, [enough]], [3, 4]]),
    set: new Set<unknown>([1, enough, 3]),
    error: new Error("Failed", { cause: enough }),
  };
  const back = await executor.submit(identity, value);
  check(back.list[1]);
  assertEquals([...back.map.keys()].map((key) => typeof key), [
    "number",
    "object",
    "number",
  ]);
  assertEquals([...back.set].map((key) => typeof key), [
    "number",
    "object",
    "number",
  ]);
  for (
    const same of [
      [...back.map.keys()][1],
      (back.map.get(back.list[1]) as unknown[])[0],
      [...back.set][1],
      back.error.cause,
    ]
  ) assertStrictEquals(same, back.list[1]);
  const [name, isOne] = await executor.submit(
    (value: unknown) => [
      (value as Error).name,
      value instanceof DOMException,
    ],
    enough,
  );
  assertEquals([name, isOne], ["AbortError", true]);
});

workerBehaviour(
  "fields of errors that cannot be sent arrive as their text",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      throw Object.assign(new RangeError("Failed"), {
        signal: new AbortController().signal,
        url: new URL("https://example.com/"),
        inner: { abort: new DOMException("Enough", "AbortError") },
        list: [() => {}],
        code: 5,
      });
    }).exception() as RangeError & Record<string, unknown>;
    assertInstanceOf(error, RangeError);
    assertEquals(error.signal, "[object AbortSignal]");
    assertEquals(error.url, "https://example.com/");
    assertEquals(typeof error.list, "string");
    assertEquals([error.message, error.code], ["Failed", 5]);
    const { abort } = error.inner as { abort: DOMException };
    assertInstanceOf(abort, DOMException);
    assertEquals(abort.name, "AbortError");
  },
);

workerBehaviour(
  "the error that killed a worker arrives, whatever its fields are",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const error = await executor.submit(() => {
      const fields = { blob: new Blob(["a"]), url: new URL("data:,") };
      Promise.reject(Object.assign(new RangeError("Lost"), fields));
      return new Promise(() => setInterval(() => {}, 1000));
    }).exception();
    assertInstanceOf(error, WorkerCrashedError);
    assertInstanceOf(error.cause, RangeError);
    assertEquals(error.cause.message, "Lost");
    assertEquals((error.cause as Error & { url: unknown }).url, "data:,");
  },
);

watched(
  "WorkerPoolExecutor carries a Blob where structured clone does",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    const blob = new Blob(["text"]);
    const carried = structuredClone(blob) instanceof Blob;
    const future = executor.submit(identity, [blob]);
    if (carried) assertEquals(await (await future)[0]!.text(), "text");
    else assertStringIncludes(await refusalOf(future), "Blob objects");
  },
);

workerBehaviour(
  "transfer() inside a value is refused, with what to write",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const inner = transfer(new Uint8Array(4), []);
    for (const value of [{ inner }, [inner], transfer({ inner }, [])]) {
      const message = await refusalOf(executor.submit(identity, value));
      assertStringIncludes(message, "argument 1");
      assertStringIncludes(message, "write transfer(value, [buffer])");
    }
    const broken = make({
      maxWorkers: 1,
      initializer: identity,
      initArgs: [inner],
    });
    const error = await broken.submit(identity, 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    assertStringIncludes((error.cause as Error).message, "transfer()");
  },
);

workerBehaviour(
  "sparse arrays are looked through by their keys",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = { last: true };
    const back = await executor.submit(identity, sparse);
    assertEquals([back.length, back.at(-1)], [4_000_000_001, { last: true }]);
    sparse[3_000_000_000] = [new URL("data:,")];
    const message = await refusalOf(executor.submit(identity, sparse));
    assertStringIncludes(message, "argument 1");
    const made = await executor.submit(() => {
      const sparse: number[] = [];
      sparse[4_000_000_000] = 1;
      return [sparse];
    });
    assertEquals(made[0]!.length, 4_000_000_001);
    assert(!(5 in made[0]!));
  },
);

workerBehaviour(
  "maps and sets that say they are endless are read as what they are",
  async (make) => {
    class Endless extends Map<number, number> {
      override *[Symbol.iterator](): MapIterator<[number, number]> {
        while (true) yield [1, 1];
      }
    }
    const executor = make({ maxWorkers: 1 });
    const back = await executor.submit(identity, new Endless([[1, 2]]));
    assertEquals(back.get(1), 2);
  },
);

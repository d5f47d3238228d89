// Values nested so deeply that one side can write them and the other not read
// them, which depends on how much stack each has left.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import {
  BrokenExecutorError,
  type Future,
  TimeoutError,
  transfer,
} from "../../mod.ts";
import { load } from "./helpers/cells.ts";
import { until } from "./helpers/harness.ts";
import { Gate, noteStop, STOPPED_BY } from "./helpers/tasks.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

/** Lists with so many elements; some of the depths can be written only. */
const DEPTHS = [2600, 2700, 2900, 3100, 3300, 3500, 3700, 3900];
/** This can be written and not read, on every version of Deno. */
const UNREADABLE = 3000;

/** A linked list of so many elements; as a task, it uses nothing from outside. */
function makeList(depth: number): unknown {
  return JSON.parse('{"next":'.repeat(depth) + "null" + "}".repeat(depth));
}

const kindOf = (value: unknown) => typeof value;

function assertNotCloned(error: unknown, what: string): void {
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "DataCloneError");
  assertStringIncludes(error.message, what);
}

/** Whether it was cloned; if not, the error says which value it was. */
async function wasCloned(
  future: Future<unknown>,
  what: string,
): Promise<boolean> {
  const error = await future.exception();
  if (error !== undefined) assertNotCloned(error, what);
  return error === undefined;
}

workerBehaviour(
  "an argument that can be written and not read fails alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const depth of DEPTHS) {
      await wasCloned(executor.submit(kindOf, makeList(depth)), "argument 1");
    }
    const error = await executor.submit(kindOf, makeList(UNREADABLE))
      .exception();
    assertNotCloned(error, "argument 1");
    assertEquals(await executor.submit(kindOf, makeList(1000)), "object");
  },
);

workerBehaviour(
  "the one of several arguments that cannot be read is named",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const kinds = (a: unknown, b: unknown) => [typeof a, typeof b];
    const error = await executor.submit(kinds, {}, makeList(UNREADABLE))
      .exception();
    assertNotCloned(error, "argument 2");
    assertStringIncludes((error as Error).message, "'kinds'");
  },
);

workerBehaviour(
  "a result that can be written and not read fails alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    for (const depth of DEPTHS) {
      await wasCloned(executor.submit(makeList, depth), "result");
    }
    const error = await executor.submit(makeList, UNREADABLE).exception();
    assertNotCloned(error, "result");
    assertEquals(await executor.submit(kindOf, 1), "number");
  },
);

workerBehaviour(
  "deep values of all kinds come back or are refused",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const wraps: ((value: unknown) => unknown)[] = [
      (value) => [value],
      (value) => new Map([[1, value]]),
      (value) => new Map([[value, 1]]),
      (value) => new Set([value]),
      (value) => ({ a: 1, b: [value] }),
      (value) => [, value],
    ];
    for (const wrap of wraps) {
      let value: unknown = null;
      let cloned = 0;
      for (let depth = 1; depth <= 8000; depth++) {
        value = wrap(value);
        if (depth % 400 !== 0) continue;
        // There, and back.
        const future = executor.submit((value: unknown) => value, value);
        if (await wasCloned(future, "Cannot send")) cloned++;
      }
      assert(cloned >= 3 && cloned < 20, `${wrap}: ${cloned}`);
    }
  },
);

workerBehaviour(
  "what cannot be read fails alone among many that were submitted together",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const futures = Array.from(
      { length: 60 },
      (_, n) =>
        n % 3 === 0
          ? executor.submit(kindOf, makeList(UNREADABLE))
          : n % 3 === 1
          ? executor.submit(makeList, UNREADABLE)
          : executor.submit((n: number) => n, n),
    );
    for (const [n, future] of futures.entries()) {
      if (n % 3 === 2) assertEquals(await outcomeOf(future), { value: n });
      else {assertNotCloned(
          await future.exception(),
          n % 3 ? "result" : "argument 1",
        );}
    }
  },
);

workerBehaviour(
  "what cannot be read rejects at its position of a map()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const inputs = [0, 1, makeList(UNREADABLE), 3];
    const results = executor.map(kindOf, inputs);
    assertEquals(await results.next(), { done: false, value: "number" });
    assertEquals(await results.next(), { done: false, value: "number" });
    assertNotCloned(await results.next().catch((error) => error), "argument 1");
    const lists = executor.map(makeList, [1, 1, UNREADABLE, 1]);
    assertEquals(await lists.next(), { done: false, value: { next: null } });
    assertEquals(await lists.next(), { done: false, value: { next: null } });
    assertNotCloned(await lists.next().catch((error) => error), "result");
  },
);

workerBehaviour(
  "calls that cannot be read do not run into their time-outs, nor do those after them",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 10 });
    const options = { timeout: 20_000 };
    const futures = [
      executor.submitWith(options, kindOf, makeList(UNREADABLE)),
      executor.submitWith(options, makeList, UNREADABLE),
    ];
    const endless = () => new Promise(() => setInterval(() => {}, 1000));
    const late = executor.submitWith({ timeout: 50 }, endless);
    for (const future of futures) {
      assertNotCloned(await future.exception(), "Cannot send");
    }
    assertInstanceOf(await late.exception(), TimeoutError);
    await executor.shutdown();
  },
);

workerBehaviour(
  "an argument that is moved, and cannot be read, fails alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const buffer = new ArrayBuffer(8);
    const value = { buffer, list: makeList(UNREADABLE) };
    const error = await executor.submit(kindOf, transfer(value, [buffer]))
      .exception();
    assertNotCloned(error, "argument 1");
    assertEquals(await executor.submit(kindOf, 1), "number");
  },
);

workerBehaviour(
  "'initArgs' that cannot be read break the executor, and say so",
  async (make) => {
    const executor = make({
      maxWorkers: 2,
      initializer: kindOf,
      initArgs: [makeList(UNREADABLE)],
    });
    const error = await executor.submit(kindOf, 1).exception();
    assertInstanceOf(error, BrokenExecutorError);
    assertNotCloned(error.cause, "'initArgs'");
  },
);

workerBehaviour(
  "errors with deep values, and deep errors, arrive",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const thrown = await outcomeOf(executor.submit((depth: number) => {
      throw JSON.parse('{"next":'.repeat(depth) + "null" + "}".repeat(depth));
    }, UNREADABLE));
    assertEquals(thrown, { error: "[object Object]" });
    const withField = await executor.submit((depth: number) => {
      const text = '{"next":'.repeat(depth) + "null" + "}".repeat(depth);
      throw Object.assign(new RangeError("Deep"), { list: JSON.parse(text) });
    }, UNREADABLE).exception() as Error & { list: unknown };
    assertEquals(
      [withField.name, withField.message, withField.list],
      ["RangeError", "Deep", "[object Object]"],
    );
    const chain = await executor.submit((depth: number) => {
      let error = new Error("0");
      for (let n = 1; n < depth; n++) {
        error = new Error(`${n}`, { cause: error });
      }
      throw error;
    }, UNREADABLE).exception() as Error;
    assertEquals(chain.message, `${UNREADABLE - 1}`);
    assertEquals((chain.cause as Error).message, `${UNREADABLE - 2}`);
  },
);

workerBehaviour("a deep reason of an abort stops the task", async (make) => {
  // The worker is not ended meanwhile: the task ends when it hears of the abort, or never.
  const executor = make({ maxWorkers: 1, gracePeriod: 3_600_000 });
  const controller = new AbortController();
  const { signal } = controller;
  const gate = new Gate();
  const future = executor.submitWith({ signal }, noteStop, gate.cells);
  const next = executor.submit(kindOf, 1);
  await until(() => gate.reached === 1);
  controller.abort(makeList(UNREADABLE));
  assert(future.cancelled());
  assertEquals(await next, "number");
  assertEquals(STOPPED_BY[load(gate.cells, 0)], "CancelledError");
});

workerBehaviour(
  "getters that make a value deeper, or endless, fail their future alone",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    let looks = 0;
    const liar = {
      get list() {
        return looks++ < 2 ? {} : makeList(3000);
      },
    };
    await wasCloned(executor.submit(kindOf, liar), "argument 1");
    const endless = {
      get next() {
        return Object.create({}, Object.getOwnPropertyDescriptors(this));
      },
    };
    assertNotCloned(
      await executor.submit(kindOf, endless).exception(),
      "argument 1",
    );
    assertEquals(await executor.submit(kindOf, 1), "number");
  },
);

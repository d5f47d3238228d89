// map(): what an executor that takes no more work means for inputs that have not ended.

import { assertEquals, assertRejects } from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  ConcurrentError,
  type MapResult,
  ShutdownError,
} from "../../mod.ts";
import { behaviour, runProgram, until } from "./helpers/harness.ts";
import { NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

const negate = (n: number) => -n;

/** Gives some numbers, and then never answers again. */
class SilentInput implements AsyncIterable<number> {
  returned = 0;
  asked = 0;
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: () => {
        if (this.asked++ < this.#length) {
          return Promise.resolve({ done: false, value: this.asked });
        }
        return new Promise(() => {});
      },
      return: () => {
        this.returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** Everything that is to be read, and the error at the end. */
async function readAll(results: MapResult<unknown>): Promise<unknown[]> {
  const read: unknown[] = [];
  try {
    for await (const value of results) read.push(value);
  } catch (error) {
    read.push(error instanceof ConcurrentError ? error.name : error);
  }
  return read;
}

for (const ordered of [true, false]) {
  behaviour(
    `map() with ordered: ${ordered} ends on shutdown() though its input never answers`,
    async ({ make }) => {
      const executor = make({ maxWorkers: 1 });
      const input = new SilentInput(2);
      const read = readAll(executor.map(negate, input, { ordered }));
      await until(() => input.asked === 3);
      await executor.shutdown();
      assertEquals(await read, [-1, -2, "ShutdownError"]);
      assertEquals(input.returned, 1);
    },
  );
}

behaviour(
  "map() that is read after a shutdown() gives what was submitted, then the error",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const input = new SilentInput(2);
    const results = executor.map(negate, input);
    await until(() => input.asked === 3);
    await executor.shutdown();
    assertEquals(input.returned, 1);
    assertEquals(await readAll(results), [-1, -2, "ShutdownError"]);
    assertEquals(await results.next(), { done: true, value: undefined });
  },
);

behaviour(
  "map() that is awaited rejects on shutdown() though its input never answers",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(negate, new SilentInput(0));
    const rejected = assertRejects(() => results.then(), ShutdownError);
    executor.shutdown({ wait: false });
    await rejected;
  },
);

behaviour(
  "map() gives what runs at a shutdown({ cancelFutures: true }) before the error",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const input = new SilentInput(1);
    const results = executor.map(passGate, gate.again(), input);
    const read = readAll(results);
    await until(() => gate.reached === 1);
    const closed = executor.shutdown({ cancelFutures: true });
    gate.open();
    await closed;
    assertEquals(await read, [1, "ShutdownError"]);
  },
);

behaviour(
  "map() closes an input that waits for room when the executor is shut down",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const input = new NotedInput();
    const results = executor.map(negate, input, { bufferSize: 2 });
    await executor.shutdown();
    assertEquals(input.returned, 1);
    assertEquals(await readAll(results), [-0, -1, "ShutdownError"]);
    assertEquals(input.pulled, 2);
    assertEquals(input.returned, 1);
  },
);

behaviour(
  "map() that has the whole of its input is left alone by a shutdown()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const results = executor.map(negate, [1, 2]);
    await executor.shutdown();
    assertEquals(await results, [-1, -2]);
  },
);

behaviour(
  "map() closes a generator that shuts its executor down",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    let closed = false;
    function* input() {
      try {
        yield 1;
        executor.shutdown({ wait: false });
        yield 2;
        yield 3;
      } finally {
        closed = true;
      }
    }
    const results = executor.map(negate, input());
    assertEquals(closed, true);
    assertEquals(await readAll(results), [-1, -2, "ShutdownError"]);
  },
);

behaviour("map() closes a generator that aborts it", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  let closed = false;
  function* input() {
    try {
      yield 1;
      yield 2;
      controller.abort();
      yield 3;
    } finally {
      closed = true;
    }
  }
  const results = executor.map(negate, input(), { signal, bufferSize: 2 });
  await assertRejects(async () => {
    for await (const _ of results);
  }, CancelledError);
  assertEquals(closed, true);
});

behaviour(
  "map() ends with its executor's error when that breaks, though its input never answers",
  async ({ make }) => {
    const executor = make({
      maxWorkers: 1,
      initializer: () => {
        throw new RangeError("Not today");
      },
    });
    const input = new SilentInput(0);
    const results = executor.map(negate, input);
    const rejected = assertRejects(() => results.next(), BrokenExecutorError);
    await executor.submit(negate, 1).exception();
    await rejected;
    assertEquals(input.returned, 1);
  },
);

workerBehaviour(
  "map() ends on terminate() though its input never answers",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const input = new SilentInput(1);
    const results = executor.map(negate, input);
    assertEquals(await results.next(), { done: false, value: -1 });
    const rejected = assertRejects(() => results.next(), ShutdownError);
    await executor.terminate();
    await rejected;
    assertEquals(input.returned, 1);
  },
);

/** What collects garbage until something has gone, or for a second. */
const COLLECT = `
  async function collect(isGone) {
    for (let round = 0; round < 200 && !isGone(); round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      gc();
    }
  }
`;

Deno.test("map() that nobody reads is not kept by its executor", async () => {
  const output = await runProgram(
    `${COLLECT}
    const pool = new futures.PromisePoolExecutor();
    const silent = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    });
    const refs = [];
    for (let i = 0; i < 10; i++) refs.push(new WeakRef(pool.map((n) => n, silent())));
    await collect(() => refs.every((ref) => ref.deref() === undefined));
    console.log(refs.filter((ref) => ref.deref()).length);
    await pool.shutdown();
    `,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(output, "0\n");
});

for (const how of ["pool.shutdown()", "controller.abort()"]) {
  Deno.test(`map() that somebody waits for is there until ${how}`, async () => {
    const output = await runProgram(
      `${COLLECT}
      const pool = new futures.PromisePoolExecutor();
      const controller = new AbortController();
      let ended = "";
      (async () => {
        const silent = {
          [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
        };
        const { signal } = controller;
        try {
          await pool.map((n) => n, silent, { signal });
        } catch (error) {
          ended = error.name;
        }
      })();
      let rounds = 0;
      await collect(() => ++rounds > 20);
      ${how};
      await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(ended);
      `,
      ["--v8-flags=--expose-gc"],
    );
    const name = how === "pool.shutdown()" ? "ShutdownError" : "CancelledError";
    assertEquals(output, `${name}\n`);
  });
}

// map() that nobody reads: a warning, when what was submitted has ended.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type MapResult, TimeoutError } from "../../mod.ts";
import { behaviour, runProgram, until, watched } from "./helpers/harness.ts";
import { NotedAsyncInput, NotedInput } from "./helpers/noted_input.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

function negate(n: number) {
  return -n;
}

/** What `run` wrote with `console.warn`. */
async function warnings(run: () => Promise<void>): Promise<string[]> {
  const warned: string[] = [];
  const original = console.warn;
  console.warn = (message) => warned.push(message);
  try {
    await run();
  } finally {
    console.warn = original;
  }
  return warned;
}

behaviour(
  "map() that was not read is warned of when its executor has been shut down",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const warned = await warnings(async () => {
      executor.map(negate, new NotedInput(), { bufferSize: 5 });
      executor.map(negate, new NotedInput(), { bufferSize: 2 });
      const closed = executor.shutdown({ wait: false });
      await Promise.all([closed, executor.shutdown(), executor.shutdown()]);
    });
    assertEquals(
      warned,
      [5, 2].map((ran) =>
        `map() of 'negate' was not read: ${ran} of its calls ran, and no more of its input was pulled; read its results, or use forEach()`
      ),
    );
    assertEquals(await warnings(() => executor.shutdown()), []);
  },
);

for (const name of ["PromisePoolExecutor", "WorkerPoolExecutor"]) {
  watched(
    `${name}: map() is warned of though nobody has it any more`,
    async () => {
      const output = await runProgram(
        `
      console.warn = (message) => console.log(message);
      const pool = new futures.${name}({ maxWorkers: 1 });
      function leave() {
        pool.map((n) => n, (function* () { while (true) yield 1; })());
      }
      leave();
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        gc();
      }
      await pool.shutdown();
    `,
        ["--v8-flags=--expose-gc"],
      );
      assertStringIncludes(output, "was not read: 1000 of its calls ran");
    },
  );
}

/** Maps of endless inputs of which nobody is to be warned. */
const READ: Record<string, (results: MapResult<number>) => Promise<unknown>> = {
  "read once": (results) => results.next(),
  "left": (results) => results.return(),
  "awaited": (results) => {
    results.catch(() => {});
    return Promise.resolve();
  },
};
for (const [how, read] of Object.entries(READ)) {
  behaviour(`map() that was ${how} is not warned of`, async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const warned = await warnings(async () => {
      await read(executor.map(negate, new NotedInput(), { bufferSize: 5 }));
      await executor.shutdown();
    });
    assertEquals(warned, []);
  });
}

behaviour(
  "map() that has the whole of its input is not warned of",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const numbers = Array.from({ length: 5 }, (_, i) => i);
    const options = { bufferSize: 5 };
    const warned = await warnings(async () => {
      executor.map(negate, numbers, options);
      executor.map(negate, new Set(numbers), options);
      executor.map((a: number, b: number) => a + b, numbers, numbers, options);
      executor.map(negate, new NotedInput(4), options);
      const async = new NotedAsyncInput(4);
      executor.map(negate, async, options);
      await until(() => async.sync.pulled === 5);
      await new Promise((resolve) => setTimeout(resolve, 0));
      await executor.shutdown();
    });
    assertEquals(warned, []);
  },
);

behaviour(
  "map() that was ended is not warned of",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const warned = await warnings(async () => {
      const controller = new AbortController();
      executor.map(negate, new NotedInput(), {
        bufferSize: 5,
        signal: controller.signal,
      });
      controller.abort();
      const gate = new Gate();
      const late = executor.map(passGate, gate.again(), new NotedInput(), {
        timeout: 1,
      });
      await assertRejects(() => late.next(), TimeoutError);
      gate.open();
      await executor.shutdown();
    });
    assertEquals(warned, []);
  },
);

behaviour(
  "map() is not warned of after shutdown({ cancelFutures: true })",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const warned = await warnings(async () => {
      executor.map(passGate, gate.again(), new NotedInput());
      await until(() => gate.reached > 0);
      const closed = executor.shutdown();
      executor.shutdown({ wait: false, cancelFutures: true });
      gate.open();
      await closed;
    });
    assertEquals(warned, []);
  },
);

workerBehaviour("map() is not warned of after terminate()", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const warned = await warnings(async () => {
    executor.map(passGate, gate.again(), new NotedInput());
    await until(() => gate.reached > 0);
    const closed = executor.shutdown();
    await executor.terminate();
    await closed;
  });
  assertEquals(warned, []);
});

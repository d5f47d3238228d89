// forEach(): calls a function for its effect.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  ShutdownError,
  TimeoutError,
  WorkerTerminatedError,
} from "../../mod.ts";
import { load, makeCells } from "./helpers/cells.ts";
import {
  behaviour,
  commonBehaviour,
  isPending,
  runProgram,
  until,
  watched,
} from "./helpers/harness.ts";
import {
  inputError,
  NotedAsyncInput,
  NotedInput,
} from "./helpers/noted_input.ts";
import {
  count,
  failOrPass,
  Gate,
  noteStop,
  passGate,
} from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

/** The executors that a program finds in mod.ts. */
const OWN_KINDS = [
  "PromisePoolExecutor",
  "WorkerPoolExecutor",
  "ProcessPoolExecutor",
];

const failOdd = (n: number) => {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
};

/** The same again and again. */
function* again<T>(value: T): Generator<T> {
  while (true) yield value;
}

commonBehaviour(
  "forEach() calls the function with every input, and gives nothing",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = makeCells();
    const inputs = new NotedInput(300);
    assertEquals(
      await executor.forEach(count, again(cells), inputs),
      undefined,
    );
    assertEquals(load(cells, 0), 300);
    assertEquals(executor.stats().finished, 300);
    assertEquals(await executor.forEach(count, again(cells), []), undefined);
    assertEquals(await executor.forEach(() => {}), undefined);
  },
);

behaviour(
  "forEach() takes async inputs, and promises",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = makeCells();
    await executor.forEach(count, again(cells), new NotedAsyncInput(20));
    const promises = [Promise.resolve(1), 2, Promise.resolve(3)];
    await executor.forEach(count, again(cells), promises);
    assertEquals(load(cells, 0), 23);
    const error = new Error("no input");
    const failed = executor.forEach(count, again(cells), [
      Promise.reject(error),
    ]);
    assertStrictEquals(await failed.catch((error) => error), error);
  },
);

behaviour(
  "forEach() pulls no more than there is room for",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const input = new NotedInput(100);
    const done = executor.forEach(passGate, gate.again(), input, {
      bufferSize: 5,
    });
    await until(() => gate.reached > 0);
    assertEquals(input.pulled, 5);
    gate.open();
    await done;
    assertEquals(input.pulled, 101);
  },
);

behaviour(
  "forEach() does not want what a function returns, whatever that is",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const returnFunction = (n: number) => () => n;
    assertEquals(await executor.forEach(returnFunction, [1, 2]), undefined);
    const resolveSymbol = async () => await Promise.resolve(Symbol("own"));
    assertEquals(await executor.forEach(resolveSymbol, [1, {}]), undefined);
    assertEquals(executor.stats().finished, 4);
    assertEquals(executor.stats().failed, 0);
  },
);

behaviour(
  "shutdown() waits until a forEach() has consumed its whole input",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const cells = makeCells();
    const input = new NotedInput(3000);
    const options = { bufferSize: 20 };
    executor.forEach(count, again(cells), input, options);
    executor.forEach(count, again(cells), new NotedAsyncInput(20), options);
    await executor.shutdown();
    assertEquals(load(cells, 0), 3020);
    assertEquals(input.pulled, 3001);
    assertThrows(() => executor.forEach(failOdd, [1]), ShutdownError);
  },
);

behaviour(
  "shutdown({ wait: false }) lets a forEach() go on",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const cells = makeCells();
    const done = executor.forEach(count, again(cells), new NotedInput(100), {
      bufferSize: 2,
    });
    await executor.shutdown({ wait: false });
    await done;
    assertEquals(load(cells, 0), 100);
    await executor.shutdown();
  },
);

behaviour(
  "shutdown() does not end before a forEach() whose input is slow",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const cells = makeCells();
    const gate = Promise.withResolvers<void>();
    async function* input() {
      yield 1;
      await gate.promise;
      yield 2;
    }
    const done = executor.forEach(count, again(cells), input());
    const closed = executor.shutdown();
    await until(() => load(cells, 0) === 1);
    assertEquals(await isPending(closed), true);
    assertEquals(await isPending(done), true);
    gate.resolve();
    await closed;
    assertEquals(load(cells, 0), 2);
    await done;
  },
);

behaviour(
  "forEach() rejects with the first error in time, and lets what runs end",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const input = new NotedInput();
    const done = executor.forEach(failOrPass, gate.again(), input, {
      chunkSize: 1,
      bufferSize: 50,
    });
    const error = await done.then(() => undefined, (error) => error);
    assertEquals(error.message, "1 is odd");
    assertEquals(input.returned, 1);
    const closed = executor.shutdown();
    gate.open();
    await closed;
    const { finished, failed, cancelled, pending, running } = executor.stats();
    assertEquals([pending, running, failed], [0, 0, 1]);
    assertEquals(finished + cancelled, input.pulled - 1);
    assert(cancelled > 0);
    assertEquals(gate.reached, 1);
  },
);

behaviour("forEach() rejects when an input throws", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const done = executor.forEach(failOdd, new NotedInput(9, 1));
  assertStrictEquals(await done.catch((error) => error), inputError);
  const async = executor.forEach(failOdd, new NotedAsyncInput(9, 1));
  assertStrictEquals(await async.catch((error) => error), inputError);
});

behaviour(
  "shutdown({ cancelFutures: true }) ends a forEach()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const input = new NotedInput();
    const done = executor.forEach(passGate, gate.again(), input);
    const rejected = assertRejects(() => done, CancelledError);
    await until(() => gate.reached > 0);
    const waiting = executor.shutdown();
    const closed = executor.shutdown({ cancelFutures: true });
    await rejected;
    assertEquals(input.returned, 1);
    gate.open();
    await closed;
    await waiting;
  },
);

behaviour(
  "shutdown({ cancelFutures: true }) ends a forEach() whose input never answers",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const input: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const rejected = assertRejects(
      () => executor.forEach(failOdd, input),
      CancelledError,
    );
    await executor.shutdown({ cancelFutures: true });
    await rejected;
  },
);

behaviour(
  "forEach() stops what runs when its signal is aborted",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const done = executor.forEach(noteStop, gate.again(), { signal });
    const rejected = assertRejects(() => done, CancelledError);
    await until(() => gate.reached > 0);
    controller.abort(reason);
    assertEquals((await rejected).cause, reason);
    await until(() => gate.stoppedBy === CancelledError.name);
    const late = executor.forEach(noteStop, gate.again(), { signal });
    await assertRejects(() => late, CancelledError);
    assertEquals(gate.reached, 1);
  },
);

behaviour("forEach() ends when its time is up", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const open = new Gate();
  open.open();
  // The function is loaded before the time begins.
  await executor.submit(passGate, open.cells, 1);
  const gate = new Gate();
  const done = executor.forEach(passGate, gate.again(), [1, 2], {
    timeout: 20,
  });
  await assertRejects(
    () => done,
    TimeoutError,
    "forEach() not done after 20 ms: 2 items unfinished",
  );
  gate.open();
});

behaviour("forEach() checks its arguments at the call", ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const forEach = executor.forEach.bind(executor) as (
    ...args: unknown[]
  ) => Promise<void>;
  assertThrows(() => forEach(5, [1]), TypeError);
  assertThrows(
    () => forEach(failOdd, 5),
    TypeError,
    "Input 1 of forEach() must be iterable: received 5",
  );
  assertThrows(() => forEach(failOdd, [1], null), TypeError);
  assertThrows(() => forEach(failOdd, [1], { bufferSize: 0 }), RangeError);
  // Of results, there are none.
  forEach(failOdd, [], { ordered: 5, settled: 5, unknown: 5 });
  const input = { [Symbol.iterator]: () => 5 };
  assertThrows(
    () => forEach(failOdd, input),
    TypeError,
    "Input 1 of forEach() must give an iterator: received 5",
  );
});

workerBehaviour("terminate() ends a forEach()", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const done = executor.forEach(passGate, gate.again(), new NotedInput());
  const ended = done.then(() => undefined, (error) => error);
  await until(() => gate.reached > 0);
  const closed = executor.shutdown();
  await executor.terminate();
  await closed;
  const error = await ended;
  assert(
    error instanceof CancelledError || error instanceof WorkerTerminatedError,
  );
});

behaviour(
  "a broken executor ends a forEach()",
  async ({ make }) => {
    const executor = make({
      maxWorkers: 1,
      initializer: () => {
        throw new Error("not today");
      },
    });
    const input: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const rejections = [input, [1], new NotedInput()].map((input) =>
      assertRejects(() => executor.forEach(failOdd, input), BrokenExecutorError)
    );
    await Promise.all(rejections);
    await executor.shutdown();
  },
);

for (const name of OWN_KINDS) {
  watched(
    `${name}: an error of a forEach() that nobody awaits is one of the program`,
    async () => {
      const output = await runProgram(`
      addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        console.log(event.reason.message);
      });
      const pool = new futures.${name}({ maxWorkers: 1 });
      const done = pool.forEach((n) => {
        if (n === 2) throw new Error("no 2");
      }, [1, 2]);
      await pool.shutdown();
    `);
      assertEquals(output, "no 2\n");
    },
  );

  watched(
    `${name}: a program that nobody holds up does not end before its forEach()`,
    async () => {
      const output = await runProgram(`
      const pool = new futures.${name}({ maxWorkers: 1 });
      const numbers = Array.from({ length: 5000 }, (_, i) => i);
      pool.forEach((n) => -n, numbers, { bufferSize: 100 })
        .then(() => console.log(pool.stats().finished));
    `);
      assertEquals(output, "5000\n");
    },
  );
}

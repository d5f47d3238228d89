// map(): how options are told from inputs, and what each does.

import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { CancelledError, TimeoutError } from "../../mod.ts";
import {
  behaviour as stoppableBehaviour,
  commonBehaviour as behaviour,
  countListeners,
  settle,
  until,
} from "./helpers/harness.ts";
import { NotedAsyncInput, NotedInput } from "./helpers/noted_input.ts";
import { Gate, noteStop, passGate } from "./helpers/tasks.ts";

const negate = (n: number) => -n;

behaviour(
  "map() takes the last argument as options if it is no iterable",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const count = (...args: unknown[]) => args.length;
    assertEquals(await executor.map(count, [1], [2]), [2]);
    assertEquals(await executor.map(count, [1], [2], { ordered: true }), [2]);
    assertEquals(await executor.map(count, [1], {}), [1]);
    const input = Object.assign([1, 2], { bufferSize: -1, timeout: "soon" });
    assertEquals(await executor.map(count, input), [1, 1]);
    const asyncInput = Object.assign(new NotedAsyncInput(2), {
      timeout: "soon",
    });
    assertEquals(await executor.map(count, asyncInput), [1, 1]);
  },
);

behaviour(
  "map() ignores options that it does not know, and undefined ones",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const options = { retries: 3, chunksize: -1, timeout: undefined } as never;
    assertEquals(await executor.map(negate, [1, 2], options), [-1, -2]);
    assertEquals(await executor.map(negate, [1, 2], undefined), [-1, -2]);
  },
);

behaviour(
  "map() checks its options at the call, and leaves its input alone",
  ({ make }) => {
    const executor = make();
    const input = new NotedInput();
    const call = (options: unknown) => () =>
      executor.map(negate, input, options as never);
    for (const name of ["bufferSize", "chunkSize"]) {
      for (const value of [0, -1, 1.5, NaN]) {
        assertThrows(call({ [name]: value }), RangeError, `received ${value}`);
      }
      assertThrows(call({ [name]: "5" }), TypeError, 'received "5"');
      assertThrows(call({ [name]: null }), TypeError, "received null");
    }
    for (const timeout of [-1, NaN, -Infinity]) {
      assertThrows(call({ timeout }), RangeError, `received ${timeout}`);
    }
    assertThrows(call({ timeout: "5" }), TypeError, 'received "5"');
    assertThrows(call({ ordered: "no" }), TypeError, 'received "no"');
    assertThrows(call({ ordered: 0 }), TypeError, "received 0");
    assertThrows(call({ signal: {} }), TypeError, "received {}");
    assertEquals([input.opened, input.pulled], [0, 0]);
  },
);

behaviour("map() refuses inputs that are not iterable", ({ make }) => {
  const executor = make();
  const map = executor.map.bind(executor) as (...args: unknown[]) => unknown;
  assertThrows(() => map(negate, 5), TypeError, "received 5");
  assertThrows(() => map(negate, null), TypeError, "received null");
  assertThrows(() => map(negate, [1], null), TypeError, "received null");
  assertThrows(() => map(negate, undefined, [1]), TypeError, "undefined");
  assertThrows(() => map(negate, { a: 1 }, [1]), TypeError, "received {");
  assertThrows(() => map("fn", [1]), TypeError, 'received "fn"');
});

behaviour(
  "map() times out, closes its input and cancels what has not started",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const input = new NotedInput();
    const options = { timeout: 50, bufferSize: 5 };
    const results = executor.map(passGate, gate.again(), input, options);
    await until(() => gate.reached === 1);
    await assertRejects(() => results.next(), TimeoutError);
    assertEquals(await results.next(), { done: true, value: undefined });
    assertEquals([input.pulled, input.returned], [5, 1]);
    gate.open();
    await executor.shutdown();
    assertEquals(gate.reached, 1);
  },
);

behaviour("map() gives what is there before it times out", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const [open, closed] = [new Gate(), new Gate()];
  open.open();
  const cells = [open.cells, open.cells, closed.cells];
  const results = executor.map(passGate, cells, [1, 2, 3], { timeout: 1000 });
  assertEquals(await results.next(), { done: false, value: 1 });
  assertEquals(await results.next(), { done: false, value: 2 });
  await assertRejects(() => results.next(), TimeoutError);
  closed.open();
});

behaviour("map() counts its timeout from the call", async ({ make }) => {
  const gate = new Gate();
  const results = make().map(passGate, [gate.cells], [1], { timeout: 600 });
  await delay(650);
  const read = performance.now();
  await assertRejects(() => results.next(), TimeoutError);
  // Long after it began to count, and long before it would end from here.
  assert(performance.now() - read < 400);
  gate.open();
});

behaviour("map() awaited times out", async ({ make }) => {
  const gate = new Gate();
  const results = make().map(passGate, [gate.cells], [1], { timeout: 20 });
  await assertRejects(() => results, TimeoutError);
  gate.open();
});

behaviour("map() with timeout 0 does not wait", async ({ make }) => {
  const gate = new Gate();
  const results = make().map(passGate, [gate.cells], [1], { timeout: 0 });
  await assertRejects(() => results.next(), TimeoutError);
  gate.open();
});

behaviour("map() takes durations that no timer can hold", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  for (const timeout of [2 ** 31, Number.MAX_VALUE, Infinity]) {
    assertEquals(await executor.map(negate, [1], { timeout }), [-1]);
  }
});

behaviour(
  "map() with a signal that is aborted already enters nothing",
  async ({ make }) => {
    const executor = make();
    const input = new NotedInput();
    const signal = AbortSignal.abort("not needed");
    const results = executor.map(negate, input, { signal });
    const error = await assertRejects(() => results.next(), CancelledError);
    assertEquals(error.cause, "not needed");
    assertEquals(await results.next(), { done: true, value: undefined });
    assertEquals(input.pulled, 0);
    const awaited = executor.map(negate, input, { signal });
    await assertRejects(() => awaited, CancelledError);
  },
);

stoppableBehaviour(
  "map() is ended by its signal, which stops what runs",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const gates = [new Gate(), new Gate(), new Gate(), new Gate()];
    const controller = new AbortController();
    const { signal } = controller;
    const inputs = gates.map(({ cells }) => cells);
    const results = executor.map(noteStop, inputs, { signal });
    const waiting = assertRejects(() => results.next(), CancelledError);
    await until(() => gates[0]!.reached + gates[1]!.reached === 2);
    const reason = new Error("Enough");
    controller.abort(reason);
    assertStrictEquals((await waiting).cause, reason);
    assertEquals(await results.next(), { done: true, value: undefined });
    await until(() => gates[0]!.stoppedBy !== "" && gates[1]!.stoppedBy !== "");
    await executor.shutdown();
    assertEquals(gates.map(({ reached, stoppedBy }) => [reached, stoppedBy]), [
      [1, "CancelledError"],
      [1, "CancelledError"],
      [0, ""],
      [0, ""],
    ]);
  },
);

behaviour(
  "map() closes its input when its signal is aborted",
  async ({ make }) => {
    const input = new NotedInput();
    const controller = new AbortController();
    const { signal } = controller;
    const options = { signal, bufferSize: 2 };
    const results = make({ maxWorkers: 1 }).map(negate, input, options);
    await results.next();
    controller.abort();
    await assertRejects(() => results.next(), CancelledError);
    const { pulled } = input;
    await settle();
    assertEquals([input.pulled, input.returned], [pulled, 1]);
  },
);

behaviour(
  "map() is ended by its signal even if all results are there",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const results = executor.map(negate, [1, 2, 3], { signal });
    await results.next();
    await executor.shutdown();
    controller.abort();
    await assertRejects(() => results.next(), CancelledError);
    assertEquals(await results.next(), { done: true, value: undefined });
  },
);

behaviour("map() awaited is ended by its signal", async ({ make }) => {
  const gate = new Gate();
  const controller = new AbortController();
  const { signal } = controller;
  const results = make().map(passGate, [gate.cells], [1], { signal });
  const awaited = assertRejects(() => results, CancelledError);
  await until(() => gate.reached === 1);
  controller.abort("not needed");
  assertEquals((await awaited).cause, "not needed");
  gate.open();
});

behaviour(
  "map() that has been read is left alone by its signal",
  async ({ make }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const results = make({ maxWorkers: 1 }).map(negate, [1, 2], { signal });
    const array = await results;
    controller.abort();
    assertStrictEquals(await results, array);
    assertEquals(await results.next(), { done: true, value: undefined });
  },
);

behaviour(
  "map() leaves no listener on a long-lived signal",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const fail = () => {
      throw new RangeError("Failed");
    };
    await executor.map(negate, [1, 2], { signal });
    for await (const _ of executor.map(negate, [1, 2], { signal })) break;
    await assertRejects(
      () => executor.map(fail, [1, 2], { signal }),
      RangeError,
    );
    const failingInput = new NotedInput(5, 2);
    await assertRejects(() => executor.map(negate, failingInput, { signal }));
    assertEquals(listeners(), 0);
  },
);

/** An input that would take ten seconds, in which the thread has no turn by itself. */
function* slowly(pulled: { count: number }): Generator<number> {
  for (; pulled.count < 1000; pulled.count++) {
    for (const end = performance.now() + 10; performance.now() < end;);
    yield pulled.count;
  }
}

behaviour(
  "map() keeps its timeout while its input computes",
  async ({ make }) => {
    const pulled = { count: 0 };
    const results = make({ maxWorkers: 1 }).map(
      (n: number) => n,
      slowly(pulled),
      { timeout: 100 },
    );
    await assertRejects(async () => await results, TimeoutError);
    assertLess(pulled.count, 500);
  },
);

behaviour(
  "map() hears a signal from a timer while its input computes",
  async ({ make }) => {
    const pulled = { count: 0 };
    const signal = AbortSignal.timeout(100);
    const results = make({ maxWorkers: 1 }).map(
      (n: number) => n,
      slowly(pulled),
      { signal },
    );
    await assertRejects(async () => await results, CancelledError);
    assertLess(pulled.count, 500);
  },
);

behaviour(
  "map() submits all at the call with bufferSize Infinity, however long its input takes",
  async ({ make }) => {
    const input = function* () {
      for (let i = 0; i < 20; i++) {
        for (const end = performance.now() + 10; performance.now() < end;);
        yield i;
      }
    };
    const executor = make({ maxWorkers: 1 });
    const results = executor.map((n: number) => n, input(), {
      bufferSize: Infinity,
    });
    const { pending, running, finished } = executor.stats();
    assertEquals(pending + running + finished, 20);
    assertEquals((await results).length, 20);
  },
);

// submitWith(): signals and time-outs.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { CancelledError, type Future, TimeoutError } from "../../mod.ts";
import { behaviour, countListeners, settle, until } from "./helpers/harness.ts";
import { Gate, noteStop, passGate } from "./helpers/tasks.ts";

/** The error of a future that was cancelled. */
async function cancellation(future: Future<unknown>): Promise<CancelledError> {
  return await assertRejects(() => future.result(), CancelledError);
}

behaviour("submitWith() without options is submit()", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const add = (a: number, b: number) => a + b;
  assertEquals(await executor.submitWith({}, add, 1, 2), 3);
  assertEquals(await executor.submitWith(undefined as never, add, 1, 2), 3);
  assertEquals(
    await executor.submitWith({ retries: 5 } as never, add, 1, 2),
    3,
  );
  const options = { timeout: Infinity };
  assertEquals(await executor.submitWith(options, add, 1, 2), 3);
});

behaviour(
  "submitWith() with a signal that is aborted already gives a cancelled future",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const signal = AbortSignal.abort("not needed");
    const future = executor.submitWith({ signal }, passGate, gate.cells, 1);
    assertEquals(future.state, "cancelled");
    assertEquals((await cancellation(future)).cause, "not needed");
    await executor.submit(() => {});
    assertEquals(gate.reached, 0);
  },
);

behaviour(
  "submitWith() is cancelled at once by its signal while it is pending",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const controller = new AbortController();
    const { signal } = controller;
    const pending = executor.submitWith({ signal }, passGate, gate.cells, 1);
    await settle();
    controller.abort("not needed");
    assertEquals(pending.state, "cancelled");
    assertEquals((await cancellation(pending)).cause, "not needed");
    gate.open();
    await running;
    await executor.shutdown();
    assertEquals(gate.reached, 1);
  },
);

behaviour(
  "submitWith() is cancelled at once by its signal while it runs",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const controller = new AbortController();
    const { signal } = controller;
    const future = executor.submitWith({ signal }, noteStop, gate.cells);
    const states: string[] = [];
    future.addDoneCallback(({ state }) => states.push(state));
    await until(() => gate.reached === 1);
    const reason = new Error("Enough");
    controller.abort(reason);
    assertEquals([future.state, ...states], ["cancelled", "cancelled"]);
    assertStrictEquals((await cancellation(future)).cause, reason);
  },
);

behaviour(
  "submitWith() has the signal's own reason as the cause",
  async ({ make }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const future = make().submitWith({ signal }, () => 1);
    controller.abort();
    const { cause } = await cancellation(future);
    assertInstanceOf(cause, DOMException);
    assertEquals(cause.name, "AbortError");
  },
);

behaviour(
  "submitWith() is left alone by a signal that comes late",
  async ({ make }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const future = make().submitWith({ signal }, () => 1);
    await future;
    controller.abort();
    assertEquals(future.state, "finished");
    assertEquals(await future, 1);
  },
);

behaviour("submitWith() shares a signal among many", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const controller = new AbortController();
  const { signal } = controller;
  const futures = [1, 2, 3].map(() =>
    executor.submitWith({ signal }, noteStop, gate.cells)
  );
  await until(() => gate.reached === 1);
  controller.abort();
  assert(futures.every((future) => future.cancelled()));
  assertEquals(await executor.submit(() => "next"), "next");
  assertEquals(gate.reached, 1);
});

behaviour(
  "submitWith() leaves no listener on a long-lived signal",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const fail = () => {
      throw new Error("Failed");
    };
    const gate = new Gate();
    const succeeded = executor.submitWith({ signal }, () => 1);
    const failed = executor.submitWith({ signal }, fail);
    const late = executor.submitWith(
      { signal, timeout: 1 },
      noteStop,
      gate.cells,
    );
    const cancelled = executor.submitWith({ signal }, () => 1);
    assert(cancelled.cancel());
    await succeeded;
    await failed.exception();
    await late.exception();
    assertEquals(listeners(), 0);
  },
);

behaviour(
  "submitWith() fails with TimeoutError",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const future = executor.submitWith({ timeout: 20 }, noteStop, gate.cells);
    await assertRejects(() => future.result(), TimeoutError);
    assertEquals(future.state, "finished");
    assertInstanceOf(await future.exception(), TimeoutError);
  },
);

behaviour("submitWith() does not time out early", async ({ make }) => {
  const executor = make({ maxWorkers: 1 });
  const gate = new Gate();
  const future = executor.submitWith({ timeout: 100 }, noteStop, gate.cells);
  await until(() => future.state !== "pending");
  const started = performance.now();
  await future.exception();
  // It may be entered a little before that is seen, and timers are coarse.
  assert(performance.now() - started > 50);
});

behaviour(
  "submitWith() counts its timeout from the start of the task",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const pending = executor.submitWith({ timeout: 500 }, () => "in time");
    await delay(600);
    assertEquals(pending.state, "pending");
    gate.open();
    await running;
    assertEquals(await pending, "in time");
  },
);

behaviour(
  "submitWith() takes timeouts that no timer can hold",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    for (const timeout of [2 ** 31, Number.MAX_VALUE]) {
      const gate = new Gate();
      const future = executor.submitWith({ timeout }, passGate, gate.cells, 1);
      await until(() => gate.reached === 1);
      await settle();
      gate.open();
      assertEquals(await future, 1);
    }
  },
);

behaviour(
  "submitWith() goes on with others after it has stopped one",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const late = executor.submitWith({ timeout: 1 }, noteStop, gate.cells);
    const next = executor.submit(() => "next");
    await assertRejects(() => late.result(), TimeoutError);
    assertEquals(await next, "next");
  },
);

behaviour("submitWith() checks its arguments at the call", ({ make }) => {
  const executor = make();
  const call = (options: unknown) => () =>
    executor.submitWith(options as never, () => 1);
  assertThrows(call(null), TypeError, "received null");
  assertThrows(call(5), TypeError, "received 5");
  assertThrows(call({ timeout: "5" }), TypeError, 'received "5"');
  assertThrows(call({ timeout: null }), TypeError, "received null");
  assertThrows(call({ timeout: NaN }), RangeError, "received NaN");
  assertThrows(call({ timeout: -1 }), RangeError, "received -1");
  assertThrows(call({ timeout: 0 }), RangeError, "received 0");
  assertThrows(call({ signal: {} }), TypeError, "received {}");
  assertThrows(
    () => executor.submitWith({}, "fn" as never),
    TypeError,
    'received "fn"',
  );
});

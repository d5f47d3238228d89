// A future that is resolved with a promise: it follows, and everybody agrees on how it ends.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asCompleted,
  Future,
  InvalidStateError,
  PromisePoolExecutor,
  TimeoutError,
  transfer,
  wait,
} from "../../mod.ts";
import { settle, watched } from "./helpers/harness.ts";

/** Everything that can be seen of a future at one time. */
async function sight(future: Future<unknown>) {
  const { done } = await wait([future], { timeout: 0 });
  return {
    state: future.state,
    running: future.running(),
    done: future.done(),
    waited: done.has(future),
    result: await future.result({ timeout: 0 }).catch((error) => error.name),
    exception: await future.exception({ timeout: 0 }).catch((error) =>
      error.name
    ),
  };
}

const RUNNING = {
  state: "running" as const,
  running: true,
  done: false,
  waited: false,
  result: "TimeoutError",
  exception: "TimeoutError",
};
const FINISHED = {
  state: "finished" as const,
  running: false,
  done: true,
  waited: true,
};

watched(
  "Future that is resolved with a promise runs until that has settled",
  async () => {
    const promise = Promise.withResolvers<number>();
    const { future, resolve } = Future.withResolvers<number>();
    const seen: string[] = [];
    future.addDoneCallback((future) => seen.push(future.state));
    resolve(promise.promise);
    assertEquals(await sight(future), RUNNING);
    assertEquals(seen, []);
    promise.resolve(42);
    assertEquals(await future, 42);
    assertEquals(seen, ["finished"]);
    assertEquals(await sight(future), {
      ...FINISHED,
      result: 42,
      exception: undefined,
    });
  },
);

watched(
  "Future that is resolved with a promise fails as that does",
  async () => {
    const promise = Promise.withResolvers<number>();
    const { future, start, resolve } = Future.withResolvers<number>();
    start();
    resolve(promise.promise);
    const completed = asCompleted([future]).next();
    const error = new RangeError("Failed");
    promise.reject(error);
    assertStrictEquals(await future.exception(), error);
    assertStrictEquals((await completed).value, future);
    await assertRejects(async () => await future, RangeError);
    assertEquals(await sight(future), {
      ...FINISHED,
      result: "RangeError",
      exception: error,
    });
  },
);

watched(
  "Future that follows a promise which nobody asks for fails in silence",
  async () => {
    const { resolve } = Future.withResolvers<number>();
    resolve(Promise.reject(new Error("Failed")));
    await settle();
  },
);

watched(
  "Future that is resolved with a promise cannot be cancelled, started or settled again",
  async () => {
    const { future, start, resolve, reject } = Future.withResolvers<number>();
    resolve(new Promise<number>(() => {}));
    assertEquals(future.cancel(), false);
    for (const again of [start, () => resolve(1), () => reject(new Error())]) {
      assertThrows(again, InvalidStateError, "resolved with a promise");
    }
    assertEquals(await sight(future), RUNNING);
  },
);

watched(
  "Future follows a thenable whose `then` throws, or whose getter does",
  async () => {
    const error = new RangeError("Failed");
    const fail = () => {
      throw error;
    };
    const thenable = {
      then: fail,
    };
    const getter = {
      get then() {
        return fail();
      },
    };
    for (const value of [thenable, getter]) {
      const { future, resolve } = Future.withResolvers<unknown>();
      resolve(value);
      assertStrictEquals(await future.exception(), error);
      assertEquals(future.state, "finished");
    }
  },
);

watched(
  "Future follows the first word of a thenable that says both",
  async () => {
    const { future, resolve } = Future.withResolvers<unknown>();
    resolve({
      then(resolve: (value: number) => void, reject: (error: Error) => void) {
        resolve(1);
        reject(new Error("Too late"));
        resolve(2);
        throw new Error("Too late");
      },
    });
    assertEquals(await future, 1);
    assertEquals(await future.exception(), undefined);
  },
);

watched(
  "Future follows another future, and what cancels that is its error",
  async () => {
    const inner = Future.withResolvers<number>();
    const { future, resolve } = Future.withResolvers<number>();
    resolve(inner.future);
    assertEquals(future.state, "running");
    inner.future.cancel();
    const error = await future.exception() as Error;
    assertEquals(error.name, "CancelledError");
    assertEquals(future.state, "finished");
  },
);

watched(
  "Future that is resolved with itself fails with a TypeError",
  async () => {
    const { future, resolve } = Future.withResolvers<unknown>();
    resolve(future);
    const error = await future.exception();
    assert(error instanceof TypeError);
    assertEquals(error.message, "A future cannot be resolved with itself");
    assertEquals(future.state, "finished");
  },
);

watched(
  "PromisePoolExecutor waits for a promise within a transfer()",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    const promise = Promise.withResolvers<number>();
    const future = pool.submit(() => transfer(promise.promise, []));
    await settle();
    assertEquals(future.state, "running");
    await assertRejects(() => future.result({ timeout: 1 }), TimeoutError);
    assertEquals(pool.stats().running, 1);
    promise.resolve(42);
    assertEquals(await future, 42);
  },
);

watched(
  "PromisePoolExecutor map() gives the value of a promise within a transfer()",
  async (executors) => {
    const pool = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(pool);
    const later = (n: number) => transfer(Promise.resolve(-n), []);
    assertEquals(await pool.map(later, [1, 2]), [-1, -2]);
    const fail = () => transfer(Promise.reject(new RangeError("Failed")), []);
    await assertRejects(async () => await pool.map(fail, [1]), RangeError);
  },
);

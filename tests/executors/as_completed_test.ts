// asCompleted(): futures as they finish.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import {
  asCompleted,
  Future,
  type FutureIterator,
  PromisePoolExecutor,
  TimeoutError,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { behaviour, settle, until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const make = (count: number) =>
  Array.from({ length: count }, () => Future.withResolvers<number>());

const futuresOf = <T>(made: readonly { future: Future<T> }[]) =>
  made.map(({ future }) => future);

/** The places in `all` of the futures that come, and the error that ends them. */
async function placesOf(
  all: readonly Future<unknown>[],
  completed: FutureIterator<unknown>,
): Promise<{ places: number[]; error?: unknown }> {
  const places: number[] = [];
  try {
    for await (const future of completed) places.push(all.indexOf(future));
  } catch (error) {
    return { places, error };
  }
  return { places };
}

Deno.test("asCompleted() yields futures in the order in which they finish", async () => {
  const made = make(4);
  const futures = futuresOf(made);
  const completed = placesOf(futures, asCompleted(futures));
  made[2]!.resolve(1);
  await settle();
  made[0]!.reject(new Error("Failed"));
  await settle();
  futures[3]!.cancel();
  made[1]!.resolve(1);
  assertEquals(await completed, { places: [2, 0, 3, 1] });
});

Deno.test("asCompleted() yields those that are done first", async () => {
  const made = make(4);
  made[3]!.resolve(1);
  made[1]!.future.cancel();
  const completed = asCompleted(futuresOf(made));
  made[0]!.resolve(1);
  made[2]!.resolve(1);
  const { places } = await placesOf(futuresOf(made), completed);
  assertEquals(places.slice(0, 2).toSorted(), [1, 3]);
  assertEquals(places.slice(2), [0, 2]);
});

Deno.test("asCompleted() yields futures, not what they give", async () => {
  const [failed] = make(1);
  failed!.reject(new Error("Failed"));
  const { value, done } = await asCompleted([failed!.future]).next();
  assertEquals(done, false);
  assertStrictEquals(value, failed!.future);
});

Deno.test("asCompleted() yields a future once, however often it is given", async () => {
  const [pending, finished] = make(2);
  finished!.resolve(1);
  const futures = [pending!.future, finished!.future];
  const completed = asCompleted([...futures, ...futures]);
  pending!.resolve(1);
  assertEquals(await placesOf(futures, completed), { places: [1, 0] });
});

Deno.test("asCompleted() of nothing is finished", async () => {
  assertEquals(await asCompleted([]).next(), { done: true, value: undefined });
  const completed = asCompleted([], { timeout: 0 });
  assertEquals(await completed.next(), { done: true, value: undefined });
});

Deno.test("asCompleted() takes any iterable", async () => {
  const made = make(2);
  for (const { resolve } of made) resolve(1);
  const futures = futuresOf(made);
  function* generator() {
    yield* futures;
  }
  for (const iterable of [new Set(futures), generator()]) {
    const { places } = await placesOf(futures, asCompleted(iterable));
    assertEquals(places, [0, 1]);
  }
});

Deno.test("asCompleted() stays finished", async () => {
  const [made] = make(1);
  made!.resolve(1);
  const completed = asCompleted([made!.future]);
  await completed.next();
  assertEquals(await completed.next(), { done: true, value: undefined });
  assertEquals(await completed.next(), { done: true, value: undefined });
});

Deno.test("asCompleted() serves several next() in turn", async () => {
  const made = make(2);
  const completed = asCompleted(futuresOf(made));
  const read = [completed.next(), completed.next(), completed.next()];
  made[1]!.resolve(1);
  made[0]!.resolve(1);
  const results = await Promise.all(read);
  assertStrictEquals(results[0]!.value, made[1]!.future);
  assertStrictEquals(results[1]!.value, made[0]!.future);
  assertEquals(results[2], { done: true, value: undefined });
});

Deno.test("asCompleted() throws when its time is up, after those that are done", async () => {
  for (const timeout of [0, 20]) {
    const made = make(4);
    made[0]!.future.cancel();
    made[2]!.start();
    made[3]!.resolve(42);
    const futures = futuresOf(made);
    const completed = asCompleted(futures, { timeout });
    const { places, error } = await placesOf(futures, completed);
    assertEquals(places.toSorted(), [0, 3]);
    assert(error instanceof TimeoutError);
    assert(error.message.includes("2 (of 4) futures unfinished"));
    assertEquals(await completed.next(), { done: true, value: undefined });
  }
});

Deno.test("asCompleted() counts its timeout from the call", async () => {
  const [made] = make(1);
  const completed = asCompleted([made!.future], { timeout: 600 });
  await delay(650);
  const read = performance.now();
  await assertRejects(() => completed.next(), TimeoutError);
  // Long after it began to count, and long before it would end from here.
  assert(performance.now() - read < 400);
});

watched("asCompleted() that ends in time leaves no timer", async () => {
  const [made] = make(1);
  const completed = asCompleted([made!.future], { timeout: 3_600_000 });
  const read = completed.next();
  made!.resolve(1);
  await read;
  assertEquals(await completed.next(), { done: true, value: undefined });
});

watched(
  "asCompleted() that is left early leaves no timer, and the futures alone",
  async () => {
    const made = make(3);
    made[0]!.resolve(1);
    const completed = asCompleted(futuresOf(made), { timeout: 3_600_000 });
    for await (const _ of completed) break;
    assertEquals(await completed.next(), { done: true, value: undefined });
    assertEquals(made[1]!.future.state, "pending");
  },
);

watched("asCompleted() return() ends those who wait", async () => {
  const completed = asCompleted(futuresOf(make(1)), { timeout: 3_600_000 });
  const waiting = completed.next();
  assertEquals(await completed.return(), { done: true, value: undefined });
  assertEquals(await waiting, { done: true, value: undefined });
});

watched("asCompleted() takes durations that no timer can hold", async () => {
  for (const timeout of [2 ** 31, Number.MAX_VALUE, Infinity]) {
    const [made] = make(1);
    const read = asCompleted([made!.future], { timeout }).next();
    await settle();
    made!.resolve(1);
    assertStrictEquals((await read).value, made!.future);
  }
});

Deno.test("asCompleted() is its own iterator", () => {
  const completed = asCompleted([]);
  assertStrictEquals(completed[Symbol.asyncIterator](), completed);
});

Deno.test("asCompleted() checks its arguments at the call", () => {
  const call = (futures: unknown, options?: unknown) => () =>
    asCompleted(futures as never, options as never);
  assertThrows(call(5), TypeError, "received 5");
  assertThrows(call(undefined), TypeError, "received undefined");
  assertThrows(call([5]), TypeError, "received 5");
  assertThrows(call([Promise.resolve()]), TypeError, "received Promise");
  assertThrows(call([], null), TypeError, "received null");
  assertThrows(call([], { timeout: "5" }), TypeError, 'received "5"');
  assertThrows(call([], { timeout: -1 }), RangeError, "received -1");
  assertThrows(call([], { timeout: NaN }), RangeError, "received NaN");
});

behaviour("asCompleted() yields what ends first", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const gate = new Gate();
  const held = executor.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  const quick = executor.submit(() => 2);
  const completed = asCompleted([held, quick]);
  assertStrictEquals((await completed.next()).value, quick);
  gate.open();
  assertStrictEquals((await completed.next()).value, held);
});

watched("asCompleted() mixes futures of any executors", async (executors) => {
  const options = { maxWorkers: 1 };
  const promises = new PromisePoolExecutor(options);
  const workers = new WorkerPoolExecutor(options);
  executors.push(promises, workers);
  const futures = [promises.submit(() => 1), workers.submit(() => 2)];
  const results: number[] = [];
  for await (const future of asCompleted(futures)) results.push(await future);
  assertEquals(results.toSorted(), [1, 2]);
});

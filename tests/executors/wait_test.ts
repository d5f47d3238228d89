// wait(): which futures are done, and when it says so.

import { assertEquals, assertThrows } from "@std/assert";
import {
  ALL_COMPLETED,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  type FutureWithResolvers,
  PromisePoolExecutor,
  wait,
  type WaitOptions,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { behaviour, isPending, until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";

const CONSTANTS = [ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION];

/** Futures to wait for. */
class Waited {
  readonly made: FutureWithResolvers<number>[];
  readonly futures: Future<number>[];

  constructor(count: number) {
    this.made = Array.from({ length: count }, () => Future.withResolvers());
    this.futures = this.made.map(({ future }) => future);
  }

  resolve(place: number): void {
    this.made[place]!.resolve(place);
  }

  reject(place: number): void {
    this.made[place]!.reject(new Error("Failed"));
  }

  cancel(place: number): void {
    this.futures[place]!.cancel();
  }

  /** Waits for them; gives their places instead of them, sorted. */
  async wait(
    options?: WaitOptions,
  ): Promise<{ done: number[]; notDone: number[] }> {
    const { done, notDone } = await wait(this.futures, options);
    const places = (futures: Set<Future<number>>) =>
      [...futures].map((future) => this.futures.indexOf(future)).toSorted();
    return { done: places(done), notDone: places(notDone) };
  }
}

Deno.test("wait() has constants that are equal to their names", () => {
  assertEquals(ALL_COMPLETED as string, "ALL_COMPLETED");
  assertEquals(FIRST_COMPLETED as string, "FIRST_COMPLETED");
  assertEquals(FIRST_EXCEPTION as string, "FIRST_EXCEPTION");
});

Deno.test("wait() waits for all by default", async () => {
  const waited = new Waited(4);
  const waiting = waited.wait();
  waited.resolve(2);
  waited.reject(0);
  waited.cancel(3);
  assertEquals(await isPending(waiting), true);
  waited.resolve(1);
  assertEquals(await waiting, { done: [0, 1, 2, 3], notDone: [] });
});

Deno.test("wait() gives sets of the futures themselves", async () => {
  const waited = new Waited(2);
  waited.resolve(0);
  const { done, notDone } = await wait(waited.futures, { timeout: 0 });
  assertEquals([done instanceof Set, notDone instanceof Set], [true, true]);
  assertEquals([...done][0] === waited.futures[0], true);
  assertEquals([...notDone][0] === waited.futures[1], true);
});

Deno.test("wait() FIRST_COMPLETED ends with the first, however it ends", async () => {
  for (const end of ["resolve", "reject", "cancel"] as const) {
    const waited = new Waited(3);
    const waiting = waited.wait({ returnWhen: FIRST_COMPLETED });
    assertEquals(await isPending(waiting), true);
    waited[end](1);
    assertEquals(await waiting, { done: [1], notDone: [0, 2] });
  }
});

Deno.test("wait() FIRST_COMPLETED gives all that are done already", async () => {
  const waited = new Waited(4);
  waited.resolve(0);
  waited.reject(1);
  waited.cancel(3);
  const waiting = waited.wait({ returnWhen: FIRST_COMPLETED });
  assertEquals(await waiting, { done: [0, 1, 3], notDone: [2] });
});

Deno.test("wait() FIRST_EXCEPTION ends with the first error", async () => {
  const waited = new Waited(3);
  const waiting = waited.wait({ returnWhen: FIRST_EXCEPTION });
  waited.resolve(0);
  assertEquals(await isPending(waiting), true);
  waited.reject(2);
  assertEquals(await waiting, { done: [0, 2], notDone: [1] });
});

Deno.test("wait() FIRST_EXCEPTION takes falsy errors for errors", async () => {
  const waited = new Waited(2);
  const waiting = waited.wait({ returnWhen: FIRST_EXCEPTION });
  waited.made[0]!.reject(undefined);
  assertEquals(await waiting, { done: [0], notDone: [1] });
});

Deno.test("wait() FIRST_EXCEPTION does not take a cancellation for an error", async () => {
  const waited = new Waited(3);
  waited.cancel(0);
  const waiting = waited.wait({ returnWhen: FIRST_EXCEPTION });
  waited.cancel(1);
  assertEquals(await isPending(waiting), true);
  waited.resolve(2);
  assertEquals(await waiting, { done: [0, 1, 2], notDone: [] });
});

Deno.test("wait() FIRST_EXCEPTION ends at once if one has failed already", async () => {
  const waited = new Waited(3);
  waited.resolve(0);
  waited.reject(1);
  const waiting = waited.wait({ returnWhen: FIRST_EXCEPTION });
  assertEquals(await waiting, { done: [0, 1], notDone: [2] });
});

Deno.test("wait() FIRST_EXCEPTION without an error waits for all", async () => {
  const waited = new Waited(2);
  waited.resolve(0);
  const waiting = waited.wait({ returnWhen: FIRST_EXCEPTION });
  assertEquals(await isPending(waiting), true);
  waited.resolve(1);
  assertEquals(await waiting, { done: [0, 1], notDone: [] });
});

Deno.test("wait() says what is done when its time is up", async () => {
  for (const timeout of [0, 5]) {
    for (const returnWhen of [ALL_COMPLETED, FIRST_EXCEPTION]) {
      const waited = new Waited(4);
      waited.resolve(0);
      waited.cancel(2);
      waited.made[3]!.start();
      const waiting = waited.wait({ timeout, returnWhen });
      assertEquals(await waiting, { done: [0, 2], notDone: [1, 3] });
    }
  }
});

watched("wait() that ends in time leaves no timer", async () => {
  const waited = new Waited(1);
  const waiting = waited.wait({ timeout: 3_600_000 });
  waited.resolve(0);
  assertEquals(await waiting, { done: [0], notDone: [] });
});

watched("wait() takes durations that no timer can hold", async () => {
  for (const timeout of [2 ** 31, Number.MAX_VALUE, Infinity]) {
    const waited = new Waited(1);
    const waiting = waited.wait({ timeout });
    assertEquals(await isPending(waiting), true);
    waited.resolve(0);
    await waiting;
  }
});

Deno.test("wait() for nothing ends at once", async () => {
  for (const returnWhen of CONSTANTS) {
    const { done, notDone } = await wait([], { returnWhen });
    assertEquals([done.size, notDone.size], [0, 0]);
  }
});

Deno.test("wait() counts a future once, however often it is given", async () => {
  const { future, resolve } = Future.withResolvers<number>();
  const waiting = wait([future, future, future]);
  resolve(1);
  assertEquals([...(await waiting).done], [future]);
});

Deno.test("wait() takes any iterable", async () => {
  const waited = new Waited(3);
  waited.made.forEach((_, place) => waited.resolve(place));
  function* generator() {
    yield* waited.futures;
  }
  for (const futures of [new Set(waited.futures), generator()]) {
    assertEquals((await wait(futures)).done.size, 3);
  }
});

Deno.test("wait() changes nothing about the futures", async () => {
  const waited = new Waited(2);
  await waited.wait({ timeout: 0 });
  assertEquals(waited.futures.map(({ state }) => state), [
    "pending",
    "pending",
  ]);
});

Deno.test("wait() checks its arguments at the call", () => {
  const { future } = Future.withResolvers<number>();
  const call = (futures: unknown, options?: unknown) => () => {
    wait(futures as never, options as never);
  };
  assertThrows(call(future), TypeError, "received Future");
  assertThrows(call(5), TypeError, "received 5");
  assertThrows(call(undefined), TypeError, "received undefined");
  assertThrows(call([future, 5]), TypeError, "received 5");
  assertThrows(call([Promise.resolve()]), TypeError, "received Promise");
  assertThrows(call([], null), TypeError, "received null");
  assertThrows(call([], { timeout: "5" }), TypeError, 'received "5"');
  assertThrows(call([], { timeout: -1 }), RangeError, "received -1");
  assertThrows(call([], { timeout: NaN }), RangeError, "received NaN");
  assertThrows(
    call([], { returnWhen: "SOON" }),
    RangeError,
    'FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED: received "SOON"',
  );
});

behaviour("wait() tells what runs from what has ended", async ({ make }) => {
  const executor = make({ maxWorkers: 2 });
  const gate = new Gate();
  const held = executor.submit(passGate, gate.cells, 1);
  await until(() => gate.reached === 1);
  const quick = executor.submit(() => 2);
  const options = { returnWhen: FIRST_COMPLETED };
  const { done, notDone } = await wait([held, quick], options);
  assertEquals([[...done], [...notDone]], [[quick], [held]]);
  gate.open();
  assertEquals((await wait([held, quick])).done.size, 2);
});

watched("wait() mixes futures of any executors", async (executors) => {
  const options = { maxWorkers: 1 };
  const promises = new PromisePoolExecutor(options);
  const workers = new WorkerPoolExecutor(options);
  executors.push(promises, workers);
  const made = Future.withResolvers<number>();
  const futures = [
    promises.submit(() => 1),
    workers.submit(() => 2),
    made.future,
  ];
  const waiting = wait(futures);
  made.resolve(3);
  const { done } = await waiting;
  assertEquals(await Promise.all(done), [1, 2, 3]);
});

/**
 * What the parts cost, each by itself: for `deno task bench:micro`. Where
 * `bench:peers` says that something got slower, this says what.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { Deque } from "../executors/runtime/deque.ts";
import { control } from "../executors/future.ts";
import { decodeError, encodeError } from "../executors/pool/wire/codec.ts";
import { copyPlain } from "../executors/pool/wire/plain.ts";
import { Future, PromisePoolExecutor, WorkerPoolExecutor } from "../mod.ts";
import { increment, noop } from "./peers/futures_tasks.ts";

/** Tasks in a burst, so that a figure is what a burst costs and not a task. */
const BURST = 1_000;

const RECORD = { id: 1, name: "record 1", tags: ["a", "b"] };
const NUMBERS = Array.from({ length: 10 * BURST }, (_, i) => i);
const ERROR = new RangeError("Too far", { cause: new Error("Unknown") });
const ENCODED = encodeError(ERROR);

/** The workers are there before anything is timed, and as long as the program. */
const workers = new WorkerPoolExecutor({
  maxWorkers: 2,
  idleTimeout: Infinity,
});
await workers.start();
await workers.map(increment, NUMBERS);

const promises = new PromisePoolExecutor({ maxWorkers: 32 });

/** For contexts, as a server has one for each request. */
const storage = new AsyncLocalStorage<number>();

Deno.bench({
  name: "new promise, resolve, await",
  group: "future",
  baseline: true,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<number>();
    resolve(1);
    await promise;
  },
});

Deno.bench({
  name: "create",
  group: "future",
  fn() {
    control.create<number>();
  },
});

Deno.bench({
  name: "create, resolve",
  group: "future",
  fn() {
    control.resolve(control.create<number>(), 1);
  },
});

Deno.bench({
  name: "withResolvers(), start, resolve, await",
  group: "future",
  async fn() {
    const { future, start, resolve } = Future.withResolvers<number>();
    start();
    resolve(1);
    await future;
  },
});

Deno.bench({
  name: "1,000 × Array push, then shift",
  group: "queue",
  baseline: true,
  fn() {
    const queue: number[] = [];
    for (let i = 0; i < BURST; i++) queue.push(i);
    while (queue.length > 0) queue.shift();
  },
});

Deno.bench({
  name: "1,000 × Deque push, then shift",
  group: "queue",
  fn() {
    const queue = new Deque<number>();
    for (let i = 0; i < BURST; i++) queue.push(i);
    while (queue.length > 0) queue.shift();
  },
});

Deno.bench({
  name: "encodeError(), an error with a cause",
  group: "codec",
  fn() {
    encodeError(ERROR);
  },
});

Deno.bench({
  name: "decodeError(), an error with a cause",
  group: "codec",
  fn() {
    decodeError(ENCODED);
  },
});

Deno.bench({
  name: "structuredClone(), a small object",
  group: "copy",
  baseline: true,
  fn() {
    structuredClone(RECORD);
  },
});

Deno.bench({
  name: "copyPlain(), a small object",
  group: "copy",
  fn() {
    copyPlain(RECORD);
  },
});

Deno.bench({
  name: "copyPlain(), a number",
  group: "copy",
  fn() {
    copyPlain(1);
  },
});

Deno.bench({
  name: "PromisePoolExecutor, submit 1",
  group: "dispatch",
  async fn() {
    await promises.submit(noop, 0);
  },
});

Deno.bench({
  name: "PromisePoolExecutor, submit 1,000",
  group: "dispatch",
  async fn() {
    await submitBurst(promises);
  },
});

Deno.bench({
  name: "PromisePoolExecutor, submit 1,000 in one context",
  group: "dispatch",
  async fn() {
    await storage.run(0, () => submitBurst(promises));
  },
});

Deno.bench({
  name: "PromisePoolExecutor, submit 1,000 in a context each",
  group: "dispatch",
  async fn() {
    await Promise.all(
      Array.from(
        { length: BURST },
        (_, i) => storage.run(i, () => promises.submit(noop, i)),
      ),
    );
  },
});

Deno.bench({
  name: "PromisePoolExecutor, map 10,000",
  group: "dispatch",
  async fn() {
    await promises.map(increment, NUMBERS);
  },
});

Deno.bench({
  name: "WorkerPoolExecutor, submit 1",
  group: "dispatch",
  async fn() {
    await workers.submit(noop, 0);
  },
});

Deno.bench({
  name: "WorkerPoolExecutor, submit 1,000",
  group: "dispatch",
  async fn() {
    await submitBurst(workers);
  },
});

Deno.bench({
  name: "WorkerPoolExecutor, map 10,000",
  group: "dispatch",
  async fn() {
    await workers.map(increment, NUMBERS);
  },
});

async function submitBurst(
  pool: PromisePoolExecutor | WorkerPoolExecutor,
): Promise<void> {
  await Promise.all(
    Array.from({ length: BURST }, (_, i) => pool.submit(noop, i)),
  );
}

// When workers that have nothing to do are ended, to the millisecond.

// First: what is imported after it takes the time from there.
import { FakeClock } from "./interleaving/clock.ts";
import { assert, assertEquals } from "@std/assert";
import { FakePool } from "./interleaving/pool.ts";
import { UNEVENTFUL } from "./interleaving/thread.ts";
import { FakeWorker } from "./interleaving/worker.ts";

/** More microtasks than follow from one another here. */
const TICKS = 32;

/** Until all microtasks have run. */
async function turn(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await null;
}

/** Lets so much time pass, with all that falls due in it. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  const end = clock.now + ms;
  await turn();
  do {
    clock.pass(end - clock.now);
    await turn();
  } while (clock.now < end);
}

/** Until the worker has done what it was sent, and has said so. */
async function work(worker: FakeWorker): Promise<void> {
  for (let step = 0; step < TICKS; step++) {
    worker.step();
    worker.deliver();
    await turn();
  }
}

Deno.test("idleTimeout of workers that start() has kept begins when all are ready", async () => {
  using clock = new FakeClock();
  const workers: FakeWorker[] = [];
  const pool = new FakePool({
    open: (_name, listener) => {
      const worker = new FakeWorker(UNEVENTFUL, listener);
      workers.push(worker);
      return worker;
    },
    maxWorkers: 2,
    maxTasksPerWorker: Infinity,
    idleTimeout: 300,
    startTimeout: Infinity,
    gracePeriod: 0,
  });
  let started = false;
  pool.start().then(() => started = true);
  await pass(clock, 1);
  assertEquals(workers.length, 2);
  await work(workers[0]!);
  // The first is idle all the time.
  await pass(clock, 1000);
  assert(!started);
  await work(workers[1]!);
  assert(started);
  await pass(clock, 299);
  assertEquals(pool.stats().workers.length, 2);
  await pass(clock, 1);
  assertEquals(pool.stats().workers.length, 0);
  for (const worker of workers) while (!worker.ended) worker.step();
  await pool.shutdown();
});

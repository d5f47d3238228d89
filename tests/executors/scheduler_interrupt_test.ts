// Workers that a SIGINT ends as they start, which a Ctrl-C that comes at the
// right time does. Here it always does.

import { FakePool } from "./interleaving/pool.ts";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { BrokenExecutorError } from "../../mod.ts";
import type { Channel, OpenChannel } from "../../executors/pool/channel.ts";
import { Slots } from "../../executors/pool/wire/slots.ts";
import { plain } from "./interleaving/plan.ts";
import { UNEVENTFUL } from "./interleaving/thread.ts";
import { FakeWorker } from "./interleaving/worker.ts";
import { settle, watched } from "./helpers/harness.ts";

/** Starts workers that die at once. */
function openDying(interrupted: boolean): OpenChannel {
  return (_name, listener): Channel => {
    const timer = setTimeout(() => listener.died(undefined, interrupted), 0);
    return {
      slots: new Slots(Slots.allocate()),
      send() {},
      carries: () => true,
      kill: (cause) => listener.died(cause),
      close() {
        clearTimeout(timer);
        return Promise.resolve();
      },
    };
  };
}

/** Makes a pool whose workers are started so. */
function makePool(open: OpenChannel, maxWorkers: number): FakePool {
  return new FakePool({
    open,
    maxWorkers,
    maxTasksPerWorker: Infinity,
    idleTimeout: Infinity,
    startTimeout: Infinity,
    gracePeriod: 0,
  });
}

for (const maxWorkers of [1, 3]) {
  watched(
    `Scheduler of ${maxWorkers} gives up when SIGINT ends each worker that starts`,
    async (executors) => {
      let starts = 0;
      const open: OpenChannel = (name, listener) => {
        starts++;
        return openDying(true)(name, listener);
      };
      const pool = makePool(open, maxWorkers);
      executors.push(pool);
      const error = await pool.submit(plain, 0).exception();
      assertInstanceOf(error, BrokenExecutorError);
      // Then three more, which have failed by themselves for all it knows.
      assertEquals(starts, 20 * maxWorkers + 3);
    },
  );
}

watched(
  "Scheduler gives up after three starts that fail between those that SIGINT ends",
  async (executors) => {
    let starts = 0;
    const open: OpenChannel = (name, listener) =>
      openDying(starts++ % 2 === 0)(name, listener);
    const pool = makePool(open, 1);
    executors.push(pool);
    const error = await pool.submit(plain, 0).exception();
    assertInstanceOf(error, BrokenExecutorError);
    assertEquals(starts, 6);
  },
);

watched(
  "Scheduler runs what waits when SIGINT has ended 20 workers as they started",
  async (executors) => {
    let starts = 0;
    const workers: FakeWorker[] = [];
    const open: OpenChannel = (name, listener) => {
      if (starts++ < 20) return openDying(true)(name, listener);
      const worker = new FakeWorker(UNEVENTFUL, listener);
      workers.push(worker);
      return worker;
    };
    const pool = makePool(open, 1);
    executors.push(pool);
    const future = pool.submit(plain, 7);
    const work = async (over: () => boolean) => {
      while (!over()) {
        for (const worker of workers) {
          worker.step();
          worker.deliver();
        }
        await settle();
      }
    };
    await work(() => future.done());
    assertEquals(await future, 7);
    assertEquals(starts, 21);
    const closed = pool.shutdown();
    await work(() => workers[0]!.ended);
    await closed;
  },
);

// What a process that ends says of what it has not entered.
// @group processes

// First: what is imported after them takes the time, and processes, from there.
import { FakeClock } from "./interleaving/clock.ts";
import { Machine } from "./interleaving/machine.ts";
import { FakeProcess, type ProcessWorld } from "./interleaving/process.ts";
import { assertEquals } from "@std/assert";
import { plain } from "./interleaving/plan.ts";
import { FakePool } from "./interleaving/pool.ts";
import { UNEVENTFUL } from "./interleaving/thread.ts";
import { forSeeds } from "./helpers/random.ts";

/** More microtasks than follow from one another here. */
const TICKS = 32;

/** Enough for whatever is to happen next. */
const STEPS = 400;

/** Until all microtasks have run. */
async function turn(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await null;
}

Deno.test("a process that ends with nothing entered says so of all that it was sent", async () => {
  await forSeeds(40, async (random) => {
    using clock = new FakeClock();
    using machine = new Machine(() => {});
    let fails = false;
    let entries = 0;
    const world: ProcessWorld = {
      ...UNEVENTFUL,
      random,
      entered: () => {
        entries++;
        return "return";
      },
      accident: () => fails ? "failed" : undefined,
      doubted() {},
      outlived() {},
      violated() {},
    };
    const processes: FakeProcess[] = [];
    const pool = new FakePool({
      open: (name, listener) => {
        const process = new FakeProcess(world, machine, name);
        processes.push(process);
        return process.open(listener);
      },
      maxWorkers: 1,
      maxTasksPerWorker: Infinity,
      idleTimeout: Infinity,
      startTimeout: Infinity,
      gracePeriod: 0,
    });
    const pass = async (done: () => boolean) => {
      for (let step = 0; step < STEPS && !done(); step++) {
        for (const process of processes) {
          if (!process.ended) process.step();
          if (!process.ended) process.deliver();
        }
        clock.pass(1);
        await turn();
      }
    };

    // Quick enough for more to be sent ahead.
    for (let place = 0; place < 4; place++) {
      const future = pool.submit(plain, place);
      await pass(() => future.done());
    }
    // The first is alone as it is sent, and the second follows it.
    const first = pool.submit(plain, 4);
    await turn();
    const second = pool.submit(plain, 5);
    await turn();
    fails = true;
    processes[0]!.step();
    fails = false;
    await pass(() => second.done());
    assertEquals([await first, await second, entries], [4, 5, 6]);

    let closed = false;
    const closing = pool.shutdown().then(() => closed = true);
    await pass(() => closed);
    await closing;
  });
});

// Locks show when to look whether a worker is gone; any task of the process can
// find them and steal them.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { WorkerCrashedError, WorkerPoolExecutor } from "../../mod.ts";
import {
  beat,
  Pulse,
  SHARED_BYTES,
} from "../../executors/pool/thread/pulse.ts";
import { load, makeCells, store } from "./helpers/cells.ts";
import { ENTERED, spinUntilReleased, STOPPED } from "./fixtures/stoppable.ts";
import {
  dieSilently,
  LOCKS,
  queueForLocks,
  stealLocks,
  stealUntilReleased,
} from "./fixtures/thieves.ts";
import { until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import {
  workerBehaviour,
  type WorkerExecutor,
} from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

/** Longer than the host waits between two looks at a lock that was just stolen. */
const SOME_MS = 300;

/** Two executors, one of which steals; only where there are locks. */
function theft(
  name: string,
  run: (victim: WorkerExecutor, thief: WorkerExecutor) => Promise<void>,
): void {
  watched(`WorkerPoolExecutor ${name}`, async (executors) => {
    if (LOCKS === undefined) return;
    const victim = new WorkerPoolExecutor({ maxWorkers: 1, name: "victim" });
    const thief = new WorkerPoolExecutor({ maxWorkers: 1, name: "thief" });
    executors.push(victim, thief);
    await Promise.all([victim.start(), thief.start()]);
    await run(victim, thief);
  });
}

/** What was written with `console.warn` until it is disposed of. */
function collectWarnings(): { warnings: unknown[][] } & Disposable {
  const original = console.warn;
  const warnings: unknown[][] = [];
  console.warn = (...args) => warnings.push(args);
  return { warnings, [Symbol.dispose]: () => void (console.warn = original) };
}

workerBehaviour(
  "a task that steals all locks of its process ends no worker, nor itself",
  async (make) => {
    if (LOCKS === undefined) return;
    const executor = make({ maxWorkers: 1 });
    const name = await executor.submit(workerName);
    for (const forEver of [false, false, true, true]) {
      assert(await executor.submit(stealLocks, forEver) > 0);
      await new Promise((resolve) => setTimeout(resolve, SOME_MS / 3));
      assertEquals(await executor.submit(workerName), name);
    }
  },
);

for (const forEver of [false, true]) {
  const then = forEver ? "and kept" : "and let go";

  theft(
    `goes on with a task that waits when its worker's lock is stolen ${then}, twice`,
    async (victim, thief) => {
      const gate = new Gate();
      const running = victim.submit(passGate, gate.cells, 1);
      await until(() => gate.reached === 1);
      for (let theft = 0; theft < 2; theft++) {
        assert(await thief.submit(stealLocks, forEver) > 0);
        await new Promise((resolve) => setTimeout(resolve, SOME_MS));
      }
      assert(running.running());
      gate.open();
      assertEquals(await running, 1);
      assertEquals(gate.reached, 1);
    },
  );

  theft(
    `goes on with a task that never yields when its worker's lock is stolen ${then}, twice`,
    async (victim, thief) => {
      const notes = makeCells();
      const running = victim.submit(spinUntilReleased, notes);
      try {
        await until(() => load(notes, ENTERED) === 1);
        for (let theft = 0; theft < 2; theft++) {
          assert(await thief.submit(stealLocks, forEver) > 0);
          await new Promise((resolve) => setTimeout(resolve, SOME_MS));
        }
        assert(running.running());
      } finally {
        store(notes, STOPPED, 1);
      }
      assertEquals(await running, "released");
    },
  );

  theft(
    `notices that a worker dies without a word after its lock was stolen ${then}`,
    async (victim, thief) => {
      assert(await thief.submit(stealLocks, forEver) > 0);
      const error = await victim.submit(dieSilently).exception();
      assertInstanceOf(error, WorkerCrashedError);
      assertEquals(await victim.submit(() => 1), 1);
    },
  );

  theft(
    `shuts down when its worker's lock was stolen ${then}, and complains of no loop`,
    async (victim, thief) => {
      using collected = collectWarnings();
      assert(await thief.submit(stealLocks, forEver) > 0);
      await victim.shutdown();
      await thief.shutdown();
      assertEquals(collected.warnings, []);
    },
  );
}

theft(
  "notices that a worker dies without a word while another waits for its lock, who keeps it then",
  async (victim, thief) => {
    assert(await thief.submit(queueForLocks) > 0);
    const error = await victim.submit(dieSilently).exception();
    assertInstanceOf(error, WorkerCrashedError);
    assertEquals(await victim.submit(() => 1), 1);
  },
);

theft(
  "starts, works and shuts down while locks are stolen all the time",
  async (_, thief) => {
    using collected = collectWarnings();
    const notes = makeCells();
    const stealing = thief.submit(stealUntilReleased, notes);
    try {
      for (let round = 0; round < 5; round++) {
        const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
        await executor.start();
        const names = await executor.map(workerName, [1, 2, 3]);
        assert(names.every((name) => /^worker-[12]$/.test(name)));
        await executor.shutdown();
      }
    } finally {
      store(notes, 1, 1);
    }
    await stealing;
    assert(load(notes, 0) > 0);
    assertEquals(collected.warnings, []);
  },
);

watched(
  "WorkerPoolExecutor notices that a worker dies without a word, with locks or without",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    for (let death = 0; death < 3; death++) {
      const error = await executor.submit(dieSilently).exception();
      assertInstanceOf(error, WorkerCrashedError);
    }
    assertEquals(await executor.submit(() => 1), 1);
  },
);

Deno.test("Pulse is felt as often as its worker waits, and unknown after that and before", () => {
  const memory = new SharedArrayBuffer(SHARED_BYTES);
  const pulse = new Pulse(memory);
  assertEquals(pulse.beats(), undefined);
  beat(memory);
  // Without a turn of the event loop, none is begun anew.
  let beats = 0;
  while (pulse.beats()) beats++;
  assert(beats > 20);
  assertEquals(pulse.beats(), undefined);
});

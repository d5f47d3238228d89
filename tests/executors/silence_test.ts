// Workers that are ready, have something to do, and do not react: what they were
// sent runs elsewhere, and another takes their place.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  CancelledError,
  transfer,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "../../mod.ts";
import { LOOK_MS, Silence } from "../../executors/pool/host/silence.ts";
import {
  type Cells,
  load,
  loadAll,
  makeCells,
  store,
} from "./helpers/cells.ts";
import {
  leaveBehind,
  RELEASED,
  SPINNING,
  spinWhenReady,
  type Way,
  WAYS,
} from "./fixtures/leftover.ts";
import { until } from "./helpers/harness.ts";
import { countIn, Gate, passGate } from "./helpers/tasks.ts";
import {
  type MakeExecutor,
  workerBehaviour,
  type WorkerExecutor,
} from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

/** Longer than any silence of an honest worker is borne. */
const LONG_MS = 2000;

/** What a behaviour is given here. */
interface Leftover {
  /** Leaves something behind that never yields; resolves, with the name of its worker, when it does not. */
  leave(executor: WorkerExecutor, way?: Way): Promise<string>;
  readonly notes: Cells;
}

/** As {@linkcode workerBehaviour}; what was left behind ends with the test. */
function leftover(
  name: string,
  run: (make: MakeExecutor, leftover: Leftover) => Promise<void>,
): void {
  workerBehaviour(name, async (make) => {
    const notes = makeCells();
    const leave = async (executor: WorkerExecutor, way: Way = "a timer") => {
      const loops = load(notes, SPINNING);
      const worker = await executor.submit(leaveBehind, notes, way);
      await until(() => load(notes, SPINNING) > loops);
      return worker;
    };
    try {
      await run(make, { leave, notes });
    } finally {
      store(notes, RELEASED, 1);
    }
  });
}

for (const way of WAYS) {
  leftover(
    `a call runs in a new worker when the only one is kept by ${way} that an earlier task has left behind`,
    async (make, { leave }) => {
      const executor = make({ maxWorkers: 1 });
      const before = await leave(executor, way);
      assertNotEquals(await executor.submit(workerName), before);
      await executor.shutdown();
    },
  );
}

leftover(
  "what another worker runs goes on while one that does not react is replaced",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 2 });
    const before = await leave(executor);
    const gate = new Gate();
    // Whichever gets it: the other worker runs it in the end.
    const running = executor.submit(passGate, gate.cells, 42);
    const quick = executor.submit(workerName);
    await until(() => gate.reached === 1);
    assertNotEquals(await quick, before);
    await new Promise((resolve) => setTimeout(resolve, LONG_MS));
    gate.open();
    assertEquals(await running, 42);
    assertEquals(gate.reached, 1);
  },
);

leftover(
  "calls that run for long are not taken for silence, gracePeriod 0 or not",
  async (make) => {
    const executor = make({ maxWorkers: 1, gracePeriod: 0 });
    const gate = new Gate();
    const name = await executor.submit(workerName);
    const running = executor.submit(passGate, gate.cells, 1);
    const next = executor.submit(workerName);
    await new Promise((resolve) => setTimeout(resolve, LONG_MS));
    gate.open();
    assertEquals(await running, 1);
    assertEquals(gate.reached, 1);
    assertEquals(await next, name);
  },
);

for (const gracePeriod of [0, Infinity]) {
  leftover(
    `a call does not wait for a worker that does not react, with a gracePeriod of ${gracePeriod}`,
    async (make, { leave }) => {
      const executor = make({ maxWorkers: 2, gracePeriod });
      const before = await leave(executor);
      assertNotEquals(await executor.submit(workerName), before);
    },
  );
}

leftover(
  "a map() gets all its results when workers stop to react, each item entered once",
  async (make, { leave }) => {
    for (const maxWorkers of [1, 3]) {
      const executor = make({ maxWorkers });
      await leave(executor);
      const calls = makeCells();
      const items = Array.from({ length: 500 }, (_, n) => n);
      const zeros = items.map(() => 0);
      const results = executor.map(countIn, items.map(() => calls), items);
      assertEquals(await results, zeros);
      assertEquals(loadAll(calls, 500), items.map(() => 1));
    }
  },
);

leftover(
  "a call with moved arguments fails with WorkerCrashedError when its worker does not react",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 1 });
    await leave(executor);
    const buffer = new ArrayBuffer(8);
    const size = ({ byteLength }: ArrayBuffer) => byteLength;
    const moved = executor.submit(size, transfer(buffer, [buffer]));
    const error = await assertRejects(() => moved.result(), WorkerCrashedError);
    assertStringIncludes(error.message, "before it entered");
    assertStringIncludes(error.message, "did not react");
    assertEquals(await executor.submit(() => 1), 1);
  },
);

leftover(
  "the timeout of a call begins where it runs, and its signal cancels it, when its worker does not react",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 1 });
    await leave(executor);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = executor.submitWith({ signal }, () => 1);
    const timed = executor.submitWith({ timeout: 500 }, () => 2);
    controller.abort();
    await assertRejects(() => aborted.result(), CancelledError);
    assertEquals(await timed, 2);
  },
);

leftover(
  "shutdown() waits for calls that a worker did not react to, and ends",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 1 });
    await leave(executor);
    const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
    await executor.shutdown();
    assert(futures.every((future) => future.done()));
    assertEquals(await Promise.all(futures), [1, 2, 3]);
  },
);

leftover(
  "shutdown() ends when a worker does not react and has nothing to do",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 1 });
    await leave(executor);
    await executor.shutdown();
  },
);

leftover(
  "terminate() settles what a worker did not react to",
  async (make, { leave }) => {
    const executor = make({ maxWorkers: 1 });
    await leave(executor);
    const future = executor.submit(() => 1);
    await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS));
    await executor.terminate();
    const error = await future.exception().catch((error) => error);
    // Without shared memory it counts as running.
    assert(
      error instanceof CancelledError || error instanceof WorkerTerminatedError,
    );
  },
);

for (const maxWorkers of [1, 2]) {
  leftover(
    `a call that no worker reacts to fails after a few of them, with ${maxWorkers} at a time`,
    async (make, { notes }) => {
      const executor = make({
        maxWorkers,
        // A new one would be sent the call before it is ready, and enter it.
        idleTimeout: Infinity,
        initializer: spinWhenReady,
        initArgs: [notes],
      });
      await executor.start();
      const error = await executor.submit((n) => n, 1).exception();
      assertInstanceOf(error, WorkerCrashedError);
      assertStringIncludes(error.message, "before it entered");
      assert(load(notes, SPINNING) <= 4 + 2 * maxWorkers);
      store(notes, RELEASED, 1);
      assertEquals(await executor.submit((n) => n, 2), 2);
    },
  );
}

Deno.test("Silence is long at the second look that finds the same, and over after the grace period", () => {
  const silence = new Silence(8 * LOOK_MS);
  assertEquals(silence.look(7), "none");
  const levels = Array.from({ length: 8 }, () => silence.look(7));
  assertEquals(levels, [...new Array(6).fill("long"), "last", "over"]);
});

Deno.test("Silence begins anew when something is reported", () => {
  const silence = new Silence(0);
  silence.look(7);
  assertEquals(silence.look(7), "long");
  silence.ended(1);
  assertEquals(silence.long, false);
  assertEquals(silence.look(8), "none");
  assertEquals(silence.look(-1), "none");
  assertEquals(silence.look(8), "none");
});

Deno.test("Silence is borne for as long as reading what took long to write may take", () => {
  const silence = new Silence(0);
  silence.sent(LOOK_MS);
  silence.look(0);
  const looks: string[] = [];
  while (looks.at(-1) !== "long") looks.push(silence.look(0));
  assert(looks.length > 10);
  silence.ended(0);
  silence.look(1);
  assertEquals(silence.look(1), "long");
});

Deno.test("Silence is over at some time, with any grace period", () => {
  for (const gracePeriod of [0, 1, 1e9, Infinity]) {
    const silence = new Silence(gracePeriod);
    let looks = 0;
    while (silence.look(0) !== "over") looks++;
    assert(looks > 2 && looks < 100);
  }
});

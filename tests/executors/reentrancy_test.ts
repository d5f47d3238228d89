// Done callbacks may do anything to the executor that calls them: what waits
// is where they find it, whatever the executor is in the middle of.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { type Future, WorkerCrashedError } from "../../mod.ts";
import { LOOK_MS } from "../../executors/pool/host/silence.ts";
import { load, loadAll, makeCells } from "./helpers/cells.ts";
import { countAndSometimesDie } from "./fixtures/dying.ts";
import { countIn } from "./helpers/tasks.ts";
import {
  workerBehaviour,
  type WorkerExecutor,
} from "./helpers/worker_harness.ts";

/** What ends tasks that wait, and what they are left in. */
const ENDS: Record<
  string,
  (executor: WorkerExecutor, waiting: Future<unknown>[]) => void
> = {
  "cancel()": (_, waiting) => {
    for (const future of waiting) future.cancel();
  },
  "shutdown() with cancelFutures": (executor) => {
    executor.shutdown({ cancelFutures: true });
  },
  "terminate()": (executor) => {
    executor.terminate();
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  workerBehaviour(
    `${name} in a getter of what travels alone has no call entered that it has cancelled`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const calls = makeCells();
      // A worker waits for the call, so that it is sent without being announced.
      await executor.submit(countIn, calls, 9, 0);
      const waiting: Future<unknown>[] = [];
      const argument = {
        // No plain value.
        map: new Map(),
        get value() {
          end(executor, waiting);
          return 0;
        },
      };
      const future = executor.submit(countIn, calls, 0, argument as never);
      waiting.push(future);
      await future.exception().catch(() => {});
      await executor.shutdown();
      const entries = load(calls, 0);
      assert(future.done() && entries <= 1);
      if (future.cancelled()) assertEquals(entries, 0);
    },
  );

  workerBehaviour(
    `${name} in a done callback of a crashed task reaches what its worker had not entered`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const calls = makeCells();
      const submit = (n: number, death?: "Deno.exit()") =>
        executor.submit(countAndSometimesDie, calls, n, death);
      // Known to be quick, so that many of them travel together.
      await Promise.all(new Array(1000).fill(0).map(() => submit(99)));
      const crashed = submit(0, "Deno.exit()");
      const waiting = Array.from({ length: 90 }, (_, n) => submit(n + 1));
      crashed.addDoneCallback(() => end(executor, waiting));
      assertInstanceOf(await crashed.exception(), WorkerCrashedError);
      await executor.shutdown();
      assert(waiting.every((future) => future.cancelled()));
      assertEquals(loadAll(calls, 91), [1, ...new Array(90).fill(0)]);
    },
  );

  workerBehaviour(
    `${name} in a getter of an argument reaches what was submitted with it`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const calls = makeCells();
      const nothing = new Array(1000).fill(0);
      // Known to be quick, so that many of them travel together.
      await executor.map(countIn, nothing.fill(calls), nothing.map(() => 9));
      const argument = {
        get path() {
          end(executor, waiting);
          return calls.path;
        },
      };
      const first = executor.submit(countIn, argument, 0);
      const waiting = Array.from(
        { length: 5 },
        (_, n) => executor.submit(countIn, calls, n + 1),
      );
      await executor.shutdown();
      assert(first.done());
      assert(waiting.every((future) => future.cancelled()));
      assertEquals(loadAll(calls, 6).slice(1), new Array(5).fill(0));
    },
  );

  workerBehaviour(
    `${name} in a done callback of what cannot be cloned reaches what was submitted with it`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const calls = makeCells();
      // Known to be quick, so that many of them travel together.
      await executor.map(
        countIn,
        new Array(1000).fill(calls),
        new Array(1000).fill(9),
        new Array(1000).fill(0),
      );
      const refused = executor.submit(countIn, calls, 0, () => {});
      const waiting = Array.from(
        { length: 5 },
        (_, n) => executor.submit(countIn, calls, n + 1, 0),
      );
      refused.addDoneCallback(() => end(executor, waiting));
      await refused.exception();
      await executor.shutdown();
      for (const [n, future] of waiting.entries()) {
        assert(future.done());
        // Those are underway, and may have been entered meanwhile.
        const entries = load(calls, n + 1);
        assert(entries <= 1);
        if (future.cancelled()) assertEquals(entries, 0);
      }
    },
  );
}

workerBehaviour(
  "a getter that cancels all that is sent with it does not keep what waits from being sent",
  async (make) => {
    const executor = make({ maxWorkers: 1, idleTimeout: Infinity });
    const half = (n: number) => n / 2;
    // Calls that are known to be quick are sent ahead by the hundred.
    await executor.map(half, Array.from({ length: 2000 }, (_, n) => n));
    // By then nothing looks after the worker any more, which would send what waits.
    await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS));
    const futures: Future<number>[] = [];
    const argument = {
      get value() {
        for (const future of futures.slice(0, -1)) future.cancel();
        return 0;
      },
    };
    futures.push(executor.submit(half, argument as never));
    for (let n = 1; n < 3000; n++) futures.push(executor.submit(half, n));
    assertEquals(await futures.at(-1), 2999 / 2);
  },
);

// Workers that die: what it costs, and what goes on.
// @group workers

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  BrokenExecutorError,
  WorkerCrashedError,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { load, loadAll, makeCells } from "./helpers/cells.ts";
import {
  countAndSometimesDie,
  type Death,
  DEATHS,
  die,
} from "./fixtures/dying.ts";
import { endWhenReady } from "./fixtures/prepared.ts";
import { until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { workerName } from "./helpers/worker_tasks.ts";

/** Long enough for a call to be sent to a worker that is ready. */
const DEAF_MS = 1000;

for (const [name, leavesError] of Object.entries(DEATHS)) {
  const death = name as Death;

  workerBehaviour(
    `a worker that dies of ${death} fails its task with WorkerCrashedError, and is replaced`,
    async (make) => {
      const executor = make({ maxWorkers: 1, name: "mortal" });
      const before = await executor.submit(workerName);
      const error = await assertRejects(
        () => executor.submit(die, death).result(),
        WorkerCrashedError,
      );
      assertInstanceOf(error, BrokenExecutorError);
      assertStringIncludes(error.message, "'mortal-1'");
      assertStringIncludes(error.message, "'die'");
      if (leavesError) {
        assertInstanceOf(error.cause, RangeError);
        assertEquals(error.cause.message, "Loose end");
        assertStringIncludes(error.cause.stack!, "dying.ts");
      }
      assertNotEquals(await executor.submit(workerName), before);
    },
  );

  workerBehaviour(
    `a worker that dies of ${death} while it has nothing to do costs nothing`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const later = (death: Death, dying: string) => {
        setTimeout(async () => (await import(dying)).die(death), 10);
        return "done";
      };
      const { href } = new URL("./fixtures/dying.ts", import.meta.url);
      const before = await executor.submit(workerName);
      assertEquals(await executor.submit(later, death, href), "done");
      for (let name = before; name === before;) {
        name = await executor.submit(workerName);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  );
}

workerBehaviour(
  "tasks that a dead worker had not entered run elsewhere, exactly once",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const calls = makeCells();
    const futures = Array.from({ length: 300 }, (_, n) =>
      executor.submit(
        countAndSometimesDie,
        calls,
        n,
        n % 60 === 30 ? "Deno.exit()" : undefined,
      ));
    for (const [n, future] of futures.entries()) {
      const error = await future.exception();
      if (n % 60 === 30) assertInstanceOf(error, WorkerCrashedError);
      else assertEquals(error, undefined);
    }
    assertEquals(loadAll(calls, 300), new Array(300).fill(1));
  },
);

workerBehaviour(
  "a worker that dies does not disturb the others",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 1);
    await until(() => gate.reached === 1);
    for (const death of Object.keys(DEATHS) as Death[]) {
      await assertRejects(
        () => executor.submit(die, death).result(),
        WorkerCrashedError,
      );
    }
    assert(running.running());
    gate.open();
    assertEquals(await running, 1);
    assertEquals(gate.reached, 1);
  },
);

workerBehaviour(
  "results that were ready survive a crash right after them",
  async (make) => {
    for (const death of ["self.close()", "Deno.exit()"] as const) {
      const executor = make({ maxWorkers: 1 });
      const exit = (n: number, last: number, death: Death) => {
        if (n === last) death === "self.close()" ? self.close() : Deno.exit();
        return n;
      };
      const last = 150;
      const futures = Array.from(
        { length: 300 },
        (_, n) => executor.submit(exit, n, last, death),
      );
      for (const [n, future] of futures.entries()) {
        if (n === last) {
          // It returns after self.close(), which nobody may or may not hear.
          const error = await future.exception();
          if (error !== undefined) assertInstanceOf(error, WorkerCrashedError);
        } else {
          assertEquals(await future, n);
        }
      }
    }
  },
);

workerBehaviour(
  "a map() rejects at the item whose worker died",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const exit = (n: number) => n === 50 ? Deno.exit() : n;
    const results = executor.map(
      exit,
      Array.from({ length: 100 }, (_, n) => n),
    );
    for (let n = 0; n < 50; n++) {
      assertEquals((await results.next()).value, n);
    }
    await assertRejects(() => results.next(), WorkerCrashedError);
    assertEquals((await results.next()).done, true);
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour(
  "a module that ends its worker while it loads fails its tasks, not the executor",
  async (make) => {
    const { task } = await import("../../mod.ts");
    const executor = make({ maxWorkers: 2 });
    for (
      const text of [
        "Deno.exit(3)",
        "self.close(); await new Promise(() => {})",
        "Promise.reject(new Error('Loose end')); await new Promise(() => {})",
        "setTimeout(() => { throw new Error('Loose end') }); await new Promise(() => {})",
      ]
    ) {
      const url = `data:text/javascript,${encodeURIComponent(text)}`;
      const lost = task({ url }, "lost", () => "never entered");
      const futures = [executor.submit(lost), executor.submit(lost)];
      for (const future of futures) {
        await assertRejects(() => future.result(), Error);
      }
      assertEquals(await executor.submit(() => 1), 1);
    }
  },
);

watched(
  "WorkerPoolExecutor fails a call that three workers died with before they entered it",
  async (executors) => {
    const starts = makeCells();
    const executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      initializer: endWhenReady,
      initArgs: [starts, 3, DEAF_MS],
    });
    executors.push(executor);
    await executor.start();
    const error = await executor.submit((n) => n, 1).exception();
    assertInstanceOf(error, WorkerCrashedError);
    assertStringIncludes(error.message, "before it entered");
    assertEquals(load(starts, 0), 3);
    assertEquals(await executor.submit((n) => n, 2), 2);
  },
);

watched(
  "WorkerPoolExecutor fails the items of a map() that three workers died with, and no others",
  async (executors) => {
    const starts = makeCells();
    const executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      initializer: endWhenReady,
      initArgs: [starts, 3, DEAF_MS],
    });
    executors.push(executor);
    await executor.start();
    const results = executor.map((n) => n, [1, 2, 3], { chunkSize: 3 });
    await assertRejects(() => results.next(), WorkerCrashedError);
    assertEquals(await executor.map((n) => n, [4, 5]), [4, 5]);
  },
);

workerBehaviour(
  "calls that a worker died with before it entered them run in the next",
  async (make) => {
    const starts = makeCells();
    const executor = make({
      maxWorkers: 1,
      initializer: endWhenReady,
      initArgs: [starts, 1, DEAF_MS],
    });
    await executor.start();
    // Several, as one alone may have been entered, where no memory is shared.
    const futures = [1, 2, 3].map((n) => executor.submit((n) => n, n));
    assertEquals(await Promise.all(futures), [1, 2, 3]);
    assertEquals(load(starts, 0), 2);
  },
);

workerBehaviour(
  "a done callback of a crashed task may submit, and shut down",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const again = Promise.withResolvers<number>();
    const crashed = executor.submit(die, "Deno.exit()");
    crashed.addDoneCallback(() => {
      again.resolve(executor.submit(() => 42).result());
      executor.shutdown();
    });
    assertInstanceOf(await crashed.exception(), WorkerCrashedError);
    assertEquals(await again.promise, 42);
  },
);

workerBehaviour(
  "a shutdown waits for what a dead worker leaves behind",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const calls = makeCells();
    const futures = Array.from({ length: 20 }, (_, n) =>
      executor.submit(
        countAndSometimesDie,
        calls,
        n,
        n % 5 === 0 ? "self.close()" : undefined,
      ));
    await executor.shutdown();
    assert(futures.every((future) => future.done()));
    assertEquals(loadAll(calls, 20), new Array(20).fill(1));
  },
);

// currentTask(): what a task finds out about itself.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  currentTask,
  type Executor,
  PromisePoolExecutor,
  TimeoutError,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { type Cells, load } from "./helpers/cells.ts";
import { entranceTo } from "../../executors/executor.ts";
import { FutureSink } from "../../executors/job/future_sink.ts";
import { NO_OPTIONS } from "../../executors/job/options.ts";
import { behaviour, settle, until, watched } from "./helpers/harness.ts";
import {
  describeTask,
  describeTaskLater,
  Gate,
  noteLoopStop,
  noteOutliving,
  noteStop,
  noteThrow,
  passGate,
  seenAttempt,
} from "./helpers/tasks.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";
import { contextsOfPool } from "./helpers/worker_tasks.ts";

/** A task that nobody stops, as it sees itself. */
const UNDISTURBED = {
  cancelled: false,
  aborted: false,
  isSignal: true,
  threw: false,
};

/** Why tasks are stopped. */
const REASONS = ["CancelledError", "TimeoutError"];

/** Why `task` says it was stopped, after an abort and after a time-out. */
async function reasonsSeen(
  executor: Executor,
  task: (cells: Cells) => unknown,
): Promise<unknown[]> {
  const controller = new AbortController();
  const { signal } = controller;
  const seen: unknown[] = [];
  for (const options of [{ signal }, { timeout: 20 }]) {
    const gate = new Gate();
    const future = executor.submitWith(options, task, gate.cells);
    await until(() => gate.reached === 1);
    controller.abort();
    await until(() => future.done() && gate.stoppedBy !== "");
    seen.push(gate.stoppedBy);
  }
  return seen;
}

Deno.test("currentTask() is undefined outside a task", async () => {
  assertEquals(currentTask(), undefined);
  await settle();
  assertEquals(currentTask(), undefined);
});

behaviour(
  "currentTask() is undefined where tasks are submitted and awaited",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const future = executor.submit(describeTaskLater, gate.cells);
    assertEquals(currentTask(), undefined);
    const seen: unknown[] = [];
    gate.open();
    future.addDoneCallback(() => seen.push(currentTask()));
    await future;
    assertEquals([...seen, currentTask()], [undefined, undefined]);
    for await (const _ of executor.map(() => 1, [1])) {
      assertEquals(currentTask(), undefined);
    }
  },
);

behaviour(
  "currentTask() is there in a function that returns at once",
  async ({ make }) => {
    assertEquals(await make().submit(describeTask), UNDISTURBED);
  },
);

behaviour("currentTask() is there after each await", async ({ make }) => {
  const gate = new Gate();
  gate.open();
  const future = make().submit(describeTaskLater, gate.cells);
  assertEquals(await future, UNDISTURBED);
});

behaviour(
  "currentTask() is there in submitWith() and map()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const { signal } = new AbortController();
    const options = { signal, timeout: 60_000 };
    assertEquals(await executor.submitWith(options, describeTask), UNDISTURBED);
    assertEquals(await executor.map(describeTask, [1]), [UNDISTURBED]);
  },
);

behaviour("currentTask() attempt is 1 at first", async ({ make }) => {
  const executor = make();
  assertEquals(await executor.submit(seenAttempt, 1), [1, 1]);
  const inputs = [1, new Map()];
  assertEquals(await executor.map(seenAttempt, inputs), [[1, 1], [1, 1]]);
});

behaviour(
  "currentTask() attempt is what the sink of a call says",
  async ({ make }) => {
    const entrance = entranceTo(make({ maxWorkers: 1 }));
    // Values that travel with others, and one that travels alone.
    const futures = [1, 2, new Map(), 3].map((value) => {
      const sink = new FutureSink(entrance.tally, { ...NO_OPTIONS });
      sink.attempt = () => typeof value === "number" ? value : 7;
      const job = sink.job(seenAttempt, [value]);
      entrance.enqueue(job);
      return job.target;
    });
    const seen = await Promise.all(futures);
    assertEquals(seen, [[1, 1], [2, 2], [7, 7], [3, 3]]);
  },
);

behaviour(
  "currentTask() is undefined again in what outlives its task",
  async ({ make }) => {
    const gate = new Gate();
    await make({ maxWorkers: 1 }).submit(noteOutliving, gate.cells);
    await until(() => gate.reached === 1);
    assertEquals(load(gate.cells, 0), 1);
  },
);

behaviour(
  "currentTask() signal is aborted with the reason",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await reasonsSeen(executor, noteStop), REASONS);
  },
);

behaviour(
  "currentTask() throwIfCancelled() throws the reason",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await reasonsSeen(executor, noteThrow), REASONS);
  },
);

behaviour(
  "currentTask() is not cancelled by cancel() or shutdown()",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const future = executor.submit(describeTaskLater, gate.cells);
    await until(() => gate.reached === 1);
    assertEquals(future.cancel(), false);
    const shutdown = executor.shutdown({ cancelFutures: true });
    gate.open();
    await shutdown;
    assertEquals(await future, UNDISTURBED);
  },
);

behaviour(
  "currentTask() of one task is untouched by the end of another",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    const [gate, stopped] = [new Gate(), new Gate()];
    const other = executor.submit(passGate, gate.cells, 1);
    const future = executor.submitWith({ timeout: 5 }, noteStop, stopped.cells);
    await until(() => gate.reached === 1);
    await assertRejects(() => future.result(), TimeoutError);
    await until(() => stopped.stoppedBy !== "");
    assertEquals(other.state, "running");
    gate.open();
    assertEquals(await other, 1);
    assertEquals(await executor.submit(describeTask), UNDISTURBED);
  },
);

watched(
  "currentTask() is live inside a loop that never yields, in a worker",
  async (executors) => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    assertEquals(await reasonsSeen(executor, noteLoopStop), REASONS);
  },
);

watched(
  "currentTask() sees the inner task of a pool inside a task",
  async (executors) => {
    const outer = new PromisePoolExecutor({ maxWorkers: 1 });
    const inner = new PromisePoolExecutor({ maxWorkers: 1 });
    executors.push(outer, inner);
    const seen = await outer.submit(async () => {
      const before = currentTask();
      const within = await inner.submit(async () => {
        const task = currentTask();
        await delay(1);
        return [task, currentTask()];
      });
      return { before, within, after: currentTask() };
    });
    assert(seen.before !== undefined && seen.within[0] !== undefined);
    assert(seen.before === seen.after);
    assert(seen.within[0] === seen.within[1]);
    assert(seen.before !== seen.within[0]);
  },
);

watched(
  "currentTask() of tasks side by side in a promise pool are their own",
  async (executors) => {
    const executor = new PromisePoolExecutor({ maxWorkers: 3 });
    executors.push(executor);
    const gate = Promise.withResolvers<void>();
    const look = async () => {
      const before = currentTask();
      await gate.promise;
      return [before, currentTask()];
    };
    const futures = [1, 2, 3].map(() => executor.submit(look));
    await until(() => futures.every((future) => future.running()));
    gate.resolve();
    const seen = await Promise.all(futures);
    assert(seen.every(([before, after]) => before && before === after));
    assertEquals(new Set(seen.map(([before]) => before)).size, 3);
  },
);

workerBehaviour(
  "a promise pool in a task makes calls in the context of who submits",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    assertEquals(await executor.submit(contextsOfPool), [
      "first",
      "none",
      "second",
    ]);
    assertEquals(await executor.submit(contextsOfPool), [
      "first",
      "none",
      "second",
    ]);
  },
);

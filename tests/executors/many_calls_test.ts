// More calls in a queue than a function may have arguments.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  BrokenExecutorError,
  CancelledError,
  type Executor,
  type Future,
} from "../../mod.ts";
import { type CommonOptions, KINDS, watched } from "./helpers/harness.ts";
import { workerBehaviour } from "./helpers/worker_harness.ts";

/** A call with more than about 125,000 arguments is a RangeError. */
const MANY = 200_000;

/** It is a lot of work on a busy machine. */
const LIMIT_MS = 120_000;

/** Registers a test for each kind of executor. */
function manyCalls(
  name: string,
  run: (make: (options: CommonOptions) => Executor) => Promise<void>,
): void {
  for (const kind of KINDS) {
    watched(`${kind.name} ${name}`, (executors) =>
      run((options) => {
        const executor = kind.make(options);
        executors.push(executor);
        return executor;
      }), LIMIT_MS);
  }
}

function submitMany(executor: Executor): Future<number>[] {
  return Array.from({ length: MANY }, (_, n) => executor.submit((n) => n, n));
}

/** How many of these have ended with an error of a class. */
async function countErrors(
  futures: readonly Future<unknown>[],
  type: typeof CancelledError | typeof BrokenExecutorError,
): Promise<number> {
  let count = 0;
  for (const future of futures) {
    assert(future.done());
    const error = await future.exception().catch((error) => error);
    if (error instanceof type) count++;
  }
  return count;
}

manyCalls("shutdown() cancels 200,000 submitted calls", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const futures = submitMany(executor);
  await executor.shutdown({ cancelFutures: true });
  assertEquals(await countErrors(futures, CancelledError), MANY);
});

manyCalls("shutdown() cancels a map() of 200,000 items", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const items = Array.from({ length: MANY }).keys();
  const results = executor.map((n) => n, items, { bufferSize: Infinity });
  await executor.shutdown({ cancelFutures: true });
  const error = await results.next().catch((error) => error);
  assertInstanceOf(error, CancelledError);
});

manyCalls(
  "does 200,000 submitted calls before it is shut down",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const futures = submitMany(executor);
    await executor.shutdown();
    assert(futures.every((future) => future.done()));
    assertEquals(await futures[MANY - 1], MANY - 1);
  },
);

manyCalls(
  "an initializer that throws fails 200,000 submitted calls, and a map() of as many items",
  async (make) => {
    const executor = make({
      maxWorkers: 2,
      initializer: () => {
        throw new RangeError("No database");
      },
    });
    const futures = submitMany(executor);
    const items = Array.from({ length: MANY }).keys();
    const results = executor.map((n) => n, items, { bufferSize: Infinity });
    const error = await results.next().catch((error) => error);
    assertInstanceOf(error, BrokenExecutorError);
    await executor.shutdown();
    assertEquals(await countErrors(futures, BrokenExecutorError), MANY);
  },
);

workerBehaviour(
  "terminate() cancels 200,000 submitted calls",
  async (make) => {
    const executor = make({ maxWorkers: 2 });
    const futures = submitMany(executor);
    await executor.terminate();
    assertEquals(await countErrors(futures, CancelledError), MANY);
  },
  LIMIT_MS,
);

workerBehaviour(
  "200,000 calls wait for workers that die before they are ready, and fail with BrokenExecutorError",
  async (make) => {
    const executor = make({ maxWorkers: 1, initializer: () => Deno.exit(1) });
    const futures = submitMany(executor);
    await futures[0]!.exception();
    assertEquals(await countErrors(futures, BrokenExecutorError), MANY);
  },
  LIMIT_MS,
);

// The options that only executors with workers have: what they refuse, at the
// call and in words.
// @group workers

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { WorkerPoolExecutorOptions } from "../../mod.ts";
import { WORKER_KINDS, workerBehaviour } from "./helpers/worker_harness.ts";

/** Values that an option refuses. */
interface Refused {
  readonly wrongShape: readonly unknown[];
  readonly outOfRange: readonly unknown[];
}

const DURATION: Refused = {
  wrongShape: [null, "5", true, {}, 5n],
  outOfRange: [-1, NaN, -Infinity],
};

const REFUSED: Record<string, Refused> = {
  maxTasksPerWorker: {
    wrongShape: [null, "5", true, {}, 5n],
    outOfRange: [0, -1, 1.5, NaN, -Infinity],
  },
  idleTimeout: DURATION,
  startTimeout: DURATION,
  gracePeriod: DURATION,
  name: { wrongShape: [null, 5, true, {}, Symbol("s")], outOfRange: [] },
};

for (const { name, make } of WORKER_KINDS) {
  for (const [option, { wrongShape, outOfRange }] of Object.entries(REFUSED)) {
    for (
      const [values, ErrorClass] of [
        [wrongShape, TypeError],
        [outOfRange, RangeError],
      ] as const
    ) {
      for (const value of values) {
        const received = Deno.inspect(value);
        Deno.test(`${name} refuses ${option}: ${received}`, () => {
          const options = { [option]: value } as WorkerPoolExecutorOptions;
          const error = assertThrows(() => make(options), ErrorClass);
          assertStringIncludes(error.message, `'${option}'`);
          assertStringIncludes(error.message, "must be");
          assertStringIncludes(error.message, "received");
        });
      }
    }
  }
}

workerBehaviour(
  "all options may be undefined, which is their default",
  async (make) => {
    const executor = make({
      maxWorkers: undefined,
      initializer: undefined,
      initArgs: undefined,
      maxTasksPerWorker: undefined,
      idleTimeout: undefined,
      startTimeout: undefined,
      gracePeriod: undefined,
      name: undefined,
      permissions: undefined,
    } as unknown as WorkerPoolExecutorOptions);
    assertEquals(await executor.submit(() => 1), 1);
  },
);

workerBehaviour("durations may be 0 or endless", async (make) => {
  for (const ms of [0, Infinity]) {
    const executor = make({ maxWorkers: 1, idleTimeout: ms, gracePeriod: ms });
    assertEquals(await executor.submit(() => 1), 1);
  }
});

workerBehaviour("maxTasksPerWorker may be endless", async (make) => {
  const executor = make({ maxWorkers: 1, maxTasksPerWorker: Infinity });
  assertEquals(await executor.submit(() => 1), 1);
});

workerBehaviour("a name may be empty or odd", async (make) => {
  for (const name of ["", "a b", "worker/1", "☃", "x".repeat(1000)]) {
    const executor = make({ maxWorkers: 1, name });
    assertEquals(await executor.submit(() => self.name), `${name}-1`);
  }
});

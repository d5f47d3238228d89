/**
 * workerpool as a contestant.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Makes a pool. */
export async function open({ workers, folder }) {
  const { load } = await import(new URL("load.mjs", folder).href);
  const { default: workerpool } = await load("workerpool");
  const pool = workerpool.pool(
    fileURLToPath(new URL("workerpool_worker.mjs", folder)),
    { minWorkers: workers, maxWorkers: workers, workerType: "thread" },
  );
  return {
    run: (name, input) => pool.exec(name, [input]),
    map: (name, inputs) =>
      Promise.all(inputs.map((input) => pool.exec(name, [input]))),
    close: () => pool.terminate(true),
  };
}

/**
 * Piscina as a contestant, and Tinypool, which has the same interface.
 *
 * @module
 */

/** Makes a pool; `perWorker` is how many tasks a worker has at a time. */
export async function open({ workers, perWorker = 1, folder, name }) {
  const { load } = await import(new URL("load.mjs", folder).href);
  const exports = await load(name);
  const Pool = exports.Piscina ?? exports.Tinypool;
  const pool = new Pool({
    filename: new URL(`${name}_worker.mjs`, folder).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: perWorker,
  });
  return {
    run: (name, input) => pool.run(input, { name }),
    map: (name, inputs) =>
      Promise.all(inputs.map((input) => pool.run(input, { name }))),
    move: (array) =>
      pool.run(array, { name: "move", transferList: [array.buffer] }),
    close: () => pool.destroy(),
  };
}

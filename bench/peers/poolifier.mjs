/**
 * poolifier as a contestant, and poolifier-web-worker, which has the same
 * interface.
 *
 * @module
 */

/** Makes a pool. */
export async function open({ workers, folder, name }) {
  const { load } = await import(new URL("load.mjs", folder).href);
  const { FixedThreadPool } = await load(name);
  const worker = new URL(`${name}_worker.mjs`, folder);
  const pool = new FixedThreadPool(
    workers,
    name === "poolifier" ? decodeURIComponent(worker.pathname) : worker,
  );
  return {
    run: (name, input) => pool.execute(input, name),
    map: (name, inputs) => pool.mapExecute(inputs, name),
    close: () => pool.destroy(),
  };
}

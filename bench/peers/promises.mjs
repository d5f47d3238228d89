/**
 * What else runs promises a bounded number at a time.
 *
 * @module
 */

/** Makes a contestant of a package. */
export async function open({ workers, folder, name }) {
  const { load } = await import(new URL("load.mjs", folder).href);
  const exports = await load(name);
  return { ...CONTESTANTS[name](exports, workers), close() {} };
}

const CONTESTANTS = {
  "p-map": ({ default: pMap }, concurrency) => ({
    map: (fn, inputs) => pMap(inputs, fn, { concurrency }),
  }),
  "p-limit": ({ default: pLimit }, concurrency) => {
    const limit = pLimit(concurrency);
    return {
      run: (fn, input) => limit(fn, input),
      map: (fn, inputs) => limit.map(inputs, fn),
    };
  },
  "p-queue": ({ default: PQueue }, concurrency) => {
    const queue = new PQueue({ concurrency });
    return { run: (fn, input) => queue.add(() => fn(input)) };
  },
  "async": ({ default: { mapLimit, queue } }, concurrency) => {
    // It takes promises only from functions that are marked as async.
    const tasks = queue(async ({ fn, input }) => await fn(input), concurrency);
    return {
      run: (fn, input) =>
        new Promise((resolve, reject) =>
          tasks.push(
            { fn, input },
            (error, result) => error ? reject(error) : resolve(result),
          )
        ),
      map: (fn, inputs) => mapLimit(inputs, concurrency, fn),
    };
  },
};

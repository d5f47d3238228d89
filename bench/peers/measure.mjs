/**
 * The workloads, over whatever contestant is given. Each returns its samples,
 * which are figures in the unit of its table in `workloads.ts`.
 *
 * A sample is taken in a process that has run the same before: up to
 * {@linkcode WARM_UPS} times, then up to {@linkcode SAMPLES} times for the
 * result, but no longer than {@linkcode PATIENCE_MS} for each of the two, so
 * that slow contestants do not take all day.
 *
 * @module
 */

import process from "node:process";
import { compute } from "./tasks.mjs";

const WARM_UPS = 3;
const SAMPLES = 5;
const PATIENCE_MS = 1_500;

/** How long a contestant may take to close. */
const CLOSE_MS = 2_000;

/** How many steps of `compute()` take about 12 ms on a core of today. */
const COMPUTE_STEPS = 10_000_000;

const BUFFER_LENGTH = 2 * 1024 * 1024;

/** Tasks that are submitted at once come in portions: each is a promise. */
const PORTION = 50_000;

/**
 * One workload each: how to open the contestant, and what to do with it. `scale`
 * is 1, or less for a quick look.
 */
const MEASURES = {
  "noop": ({ open, scale }) =>
    withPool(open, { workers: 2 }, (pool) => {
      const count = 20_000 * scale;
      return rates(count, () => submitAll(pool, "noop", Array(count).fill(0)));
    }),

  "objects": ({ open, scale }) =>
    withPool(open, { workers: 2 }, (pool) => {
      const records = Array.from(
        { length: 20_000 * scale },
        (_, id) => ({ id, name: `record ${id}`, tags: ["a", "b"] }),
      );
      return rates(records.length, async () => {
        const results = await submitAll(pool, "retag", records);
        expect(results.at(-1).tags.length, 3);
      });
    }),

  "map": ({ open, scale }) =>
    withPool(open, { workers: 2 }, (pool) => {
      const numbers = Array.from({ length: 200_000 * scale }, (_, i) => i);
      return rates(numbers.length, async () => {
        const results = await pool.map("increment", numbers);
        expect(results.length, numbers.length);
        expect(results.at(-1), numbers.length);
      });
    }),

  "latency": ({ open, scale }) =>
    withPool(open, { workers: 2 }, async (pool) => {
      const count = 2_000 * scale;
      const times = [];
      for (let i = -count / 2; i < count; i++) {
        const start = performance.now();
        await pool.run("noop", 0);
        if (i >= 0) times.push((performance.now() - start) * 1_000);
      }
      return [median(times)];
    }),

  "balance": ({ open, scale }) =>
    withPool(open, { workers: 2, balanced: true }, async (pool) => {
      const tasks = Array(64).fill(COMPUTE_STEPS);
      compute(COMPUTE_STEPS);
      const serial = await time(() => tasks.forEach(compute));
      const tiny = Array(PORTION).fill(1);
      for (let done = 0; done < 1_000_000 * scale; done += PORTION) {
        await submitAll(pool, "compute", tiny);
      }
      const pooled = await time(() => submitAll(pool, "compute", tasks));
      return [serial / pooled];
    }),

  "mixed": ({ open }) =>
    withPool(open, { workers: 2, balanced: true }, async (pool) => {
      const random = randomNumbers(2017);
      const times = Array.from({ length: 200 }, () => 0.1 + 49.9 * random());
      const total = times.reduce((sum, ms) => sum + ms, 0);
      await submitAll(pool, "spin", Array(100).fill(0.01));
      const makespan = await time(() => submitAll(pool, "spin", times));
      return [makespan / Math.max(total / 2, ...times)];
    }),

  "copy": ({ open, scale }) =>
    withPool(open, { workers: 2 }, (pool) => {
      const array = new Float64Array(BUFFER_LENGTH);
      return roundTrips(64 * scale, async () => {
        const result = await pool.run("echo", array);
        expect(result.length, BUFFER_LENGTH);
      });
    }),

  "transfer": ({ open, scale }) =>
    withPool(open, { workers: 2 }, (pool) => {
      let array = new Float64Array(BUFFER_LENGTH);
      return roundTrips(64 * scale, async () => {
        array = await pool.move(array);
        expect(array.length, BUFFER_LENGTH);
      });
    }),

  "start": ({ open }) =>
    samplesOf(async () => {
      let pool;
      const ms = await time(async () => {
        pool = await open({ workers: 2 });
        await pool.run("noop", 0);
      });
      await close(pool);
      return ms;
    }),

  "memory": ({ open }) =>
    withPool(open, { workers: 8 }, async (pool) => {
      await pool.warm?.();
      await submitAll(pool, "noop", Array(64).fill(0));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return [process.memoryUsage().rss / 2 ** 20];
    }),

  "promise-map": ({ open, scale }) =>
    withPool(open, { workers: 32 }, (pool) => {
      const numbers = Array.from({ length: 200_000 * scale }, (_, i) => i);
      return rates(numbers.length, async () => {
        const results = await pool.map(incrementLater, numbers);
        expect(results.at(-1), numbers.length);
      });
    }),

  "promise-submit": ({ open, scale }) =>
    withPool(open, { workers: 32 }, (pool) => {
      const numbers = Array.from({ length: 200_000 * scale }, (_, i) => i);
      return rates(numbers.length, async () => {
        const results = await submitAll(pool, incrementLater, numbers);
        expect(results.at(-1), numbers.length);
      });
    }),
};

/** Over processes, some of the same. */
export const WORKLOADS = {
  ...MEASURES,
  "process-noop": MEASURES["noop"],
  "process-latency": MEASURES["latency"],
  "process-start": MEASURES["start"],
};

/** Trivial, but a promise all the same. */
// deno-lint-ignore require-await
async function incrementLater(n) {
  return n + 1;
}

async function withPool(open, options, measure) {
  const pool = await open(options);
  try {
    return await measure(pool);
  } finally {
    await close(pool);
  }
}

/** Not all of them ever come to an end; nothing that is measured waits for it. */
async function close(pool) {
  const patience = new Promise((resolve) => setTimeout(resolve, CLOSE_MS));
  await Promise.race([pool.close(), patience]);
}

function submitAll(pool, fn, inputs) {
  return Promise.all(inputs.map((input) => pool.run(fn, input)));
}

/** Per second, of `count` that are done at once. */
async function rates(count, work) {
  const times = await samplesOf(() => time(work));
  return times.map((ms) => count / ms * 1_000);
}

/** Per second, one after another. */
async function roundTrips(count, work) {
  const times = await samplesOf(() =>
    time(async () => {
      for (let i = 0; i < count; i++) await work();
    })
  );
  return times.map((ms) => count / ms * 1_000);
}

async function samplesOf(sample) {
  await repeat(WARM_UPS, sample);
  return await repeat(SAMPLES, sample);
}

async function repeat(times, sample) {
  const results = [];
  const end = performance.now() + PATIENCE_MS;
  do results.push(await sample()); while (
    results.length < times && performance.now() < end
  );
  return results;
}

async function time(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Mulberry32: the same numbers in every process. */
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** A contestant that gives wrong results is fast for nothing. */
function expect(received, expected) {
  if (received !== expected) {
    throw new Error(`Expected ${expected}, received ${received}`);
  }
}

/**
 * What is measured, over whom, and what this package is to reach. The code of
 * the workloads is in `measure.mjs`, as it has to run in Node.js too.
 *
 * @module
 */

import {
  BARE,
  BATCHES,
  COALESCING,
  type Contestant,
  MOVING_POOLS,
  POOLS,
  PROCESS_POOLS,
  PROMISE_MAPS,
  PROMISE_QUEUES,
  PYTHON_EXECUTOR,
  PYTHON_POOL,
  PYTHON_SPAWN,
  SOME_POOLS,
} from "./contestants.ts";

/** One table. */
export interface Workload {
  /** What the command line and `measure.mjs` call it. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Whether more is better. */
  readonly more: boolean;
  /**
   * Longer than this takes only what hangs, in milliseconds.
   *
   * @default {20_000}
   */
  readonly timeoutMs?: number;
  readonly contestants: readonly Contestant[];
  readonly goals: readonly Goal[];
}

/** What this package is to reach. */
export interface Goal {
  /** The name of a contestant, or the best of all peers, or nothing: a figure as it is. */
  readonly against: string | null;
  /** At least so many times as much; at most, where less is better. */
  readonly factor: number;
}

/** What stands for the best one among the peers. */
export const BEST_PEER = "the best peer";

/** In the order of the tables. */
export const WORKLOADS: readonly Workload[] = [
  {
    id: "noop",
    title: "20,000 no-op tasks at once, a promise for each; 2 workers",
    unit: "tasks/s",
    more: true,
    contestants: [...POOLS, PYTHON_EXECUTOR, PYTHON_POOL, BARE, COALESCING],
    goals: [
      { against: BEST_PEER, factor: 8 },
      { against: COALESCING.name, factor: 1 },
    ],
  },
  {
    id: "objects",
    title: "20,000 tasks at once, small objects in and out; 2 workers",
    unit: "tasks/s",
    more: true,
    contestants: [...POOLS, PYTHON_EXECUTOR, PYTHON_POOL, BARE, COALESCING],
    goals: [{ against: BEST_PEER, factor: 6 }],
  },
  {
    id: "map",
    title: "ordered map of 200,000 numbers, no option given; 2 workers",
    unit: "items/s",
    more: true,
    contestants: [...POOLS, PYTHON_POOL, BATCHES],
    goals: [
      { against: BATCHES.name, factor: 0.7 },
      { against: PYTHON_POOL.name, factor: 1 },
    ],
  },
  {
    id: "latency",
    title: "one no-op task at a time, p50; 2 workers",
    unit: "µs",
    more: false,
    contestants: [...POOLS, PYTHON_EXECUTOR, PYTHON_POOL, BARE],
    goals: [{ against: BARE.name, factor: 1.15 }],
  },
  {
    id: "balance",
    title:
      "64 tasks of about 12 ms of computing after a million tiny ones of " +
      "the same function; 2 workers; speed-up over a plain loop",
    unit: "×",
    more: true,
    timeoutMs: 240_000,
    contestants: [...SOME_POOLS, BARE],
    goals: [{ against: null, factor: 1.9 }],
  },
  {
    id: "mixed",
    title: "200 tasks of 0.1 to 50 ms, mixed at random; 2 workers; makespan " +
      "over the ideal one",
    unit: "×",
    more: false,
    contestants: [...POOLS, BARE],
    goals: [{ against: null, factor: 1.1 }],
  },
  {
    id: "copy",
    title: "16 MiB Float64Array, 64 round trips, copied; 2 workers",
    unit: "trips/s",
    more: true,
    contestants: [...POOLS, BARE],
    goals: [{ against: BARE.name, factor: 0.9 }],
  },
  {
    id: "transfer",
    title: "16 MiB Float64Array, 64 round trips, transferred; 2 workers",
    unit: "trips/s",
    more: true,
    contestants: [...MOVING_POOLS, BARE],
    goals: [{ against: BARE.name, factor: 0.5 }],
  },
  {
    id: "start",
    title: "a pool of 2 from its making to its first result",
    unit: "ms",
    more: false,
    contestants: [...POOLS, BARE],
    goals: [{ against: BARE.name, factor: 1.25 }],
  },
  {
    id: "memory",
    title: "memory of the process (RSS) with 8 idle workers",
    unit: "MiB",
    more: false,
    contestants: [...POOLS, BARE],
    goals: [{ against: BARE.name, factor: 1.05 }],
  },
  {
    id: "process-noop",
    title: "20,000 no-op tasks at once, a promise for each; 2 processes",
    unit: "tasks/s",
    more: true,
    contestants: PROCESS_POOLS,
    goals: [{ against: PYTHON_SPAWN.name, factor: 5 }],
  },
  {
    id: "process-latency",
    title: "one no-op task at a time, p50; 2 processes",
    unit: "µs",
    more: false,
    contestants: PROCESS_POOLS,
    goals: [{ against: PYTHON_SPAWN.name, factor: 0.6 }],
  },
  {
    id: "process-start",
    title: "a pool of 2 processes from its making to its first result",
    unit: "ms",
    more: false,
    contestants: PROCESS_POOLS,
    goals: [{ against: PYTHON_SPAWN.name, factor: 1 }],
  },
  {
    id: "promise-map",
    title: "map of 200,000 trivial async functions, 32 at a time",
    unit: "items/s",
    more: true,
    contestants: PROMISE_MAPS,
    goals: [{ against: nameOf(PROMISE_MAPS, "p-map"), factor: 2 }],
  },
  {
    id: "promise-submit",
    title: "200,000 trivial async functions submitted at once, 32 at a time",
    unit: "tasks/s",
    more: true,
    contestants: PROMISE_QUEUES,
    goals: [{ against: nameOf(PROMISE_QUEUES, "p-limit"), factor: 2 }],
  },
];

function nameOf(contestants: readonly Contestant[], start: string): string {
  return contestants.find(({ name }) => name.startsWith(start))!.name;
}

/**
 * Who takes part, and in what each of them runs.
 *
 * @module
 */

import { VERSIONS } from "./install.ts";

/** The program that a contestant runs in. */
export type Runtime = "deno" | "node" | "python";

/** A pool as one process measures it. */
export interface Contestant {
  /** What the tables call it. */
  readonly name: string;
  readonly runtime: Runtime;
  /** A limit is no pool that anybody could use: it promises nothing. */
  readonly role: "this" | "peer" | "limit";
  /** Its module in this folder. */
  readonly module: string;
  /** What its `open()` gets besides what the workload wants. */
  readonly options: Readonly<Record<string, unknown>>;
}

const FUTURES: Contestant = {
  name: "WorkerPoolExecutor",
  runtime: "deno",
  role: "this",
  module: "futures.ts",
  options: {},
};

/** The same over processes. */
const PROCESSES: Contestant = {
  ...FUTURES,
  name: "ProcessPoolExecutor",
  options: { processes: true },
};

const PROMISES: Contestant = {
  ...FUTURES,
  name: "PromisePoolExecutor",
  module: "futures_promise.ts",
};

/** One task in a message. */
export const BARE: Contestant = {
  name: "bare postMessage",
  runtime: "deno",
  role: "limit",
  module: "bare.mjs",
  options: { batch: 1 },
};

/** All tasks of a turn in messages of up to 256. */
export const COALESCING: Contestant = {
  ...BARE,
  name: "bare, 256 a message",
  options: { batch: 256 },
};

/** The same pool when it maps: its batches are made by hand. */
export const BATCHES: Contestant = {
  ...BARE,
  name: "bare, batches of 1000",
};

/** Python's own chunks make this the one to compare `map` to. */
export const PYTHON_POOL: Contestant = {
  name: "multiprocessing.Pool",
  runtime: "python",
  role: "peer",
  module: "python.py",
  options: { name: "pool" },
};

/** Python's `concurrent.futures`. */
export const PYTHON_EXECUTOR: Contestant = {
  ...PYTHON_POOL,
  name: "concurrent.futures",
  options: { name: "executor" },
};

const PISCINA: Contestant = npmPeer("piscina", "node", "piscina.mjs");
const PISCINA_64: Contestant = {
  ...PISCINA,
  name: `${PISCINA.name}, 64 a worker`,
  options: { ...PISCINA.options, perWorker: 64 },
};
const TINYPOOL_NODE = npmPeer("tinypool", "node", "piscina.mjs");
const TINYPOOL_DENO = npmPeer("tinypool", "deno", "piscina.mjs");
const POOLIFIER_WEB = npmPeer("poolifier-web-worker", "deno", "poolifier.mjs");
const WORKERPOOL = npmPeer("workerpool", "node", "workerpool.mjs");

/** This package, and every pool of workers for JavaScript. */
export const POOLS: readonly Contestant[] = [
  FUTURES,
  POOLIFIER_WEB,
  npmPeer("poolifier", "node", "poolifier.mjs"),
  PISCINA,
  PISCINA_64,
  WORKERPOOL,
  TINYPOOL_NODE,
  TINYPOOL_DENO,
];

/** A few, for workloads that take long or that are about something else. */
export const SOME_POOLS: readonly Contestant[] = [
  FUTURES,
  POOLIFIER_WEB,
  PISCINA,
  WORKERPOOL,
];

/** Those that can move a buffer to a worker and back. */
export const MOVING_POOLS: readonly Contestant[] = [
  FUTURES,
  PISCINA,
  TINYPOOL_NODE,
  TINYPOOL_DENO,
];

/** The same with processes that begin anew, as those of this package do. */
export const PYTHON_SPAWN: Contestant = {
  ...PYTHON_EXECUTOR,
  name: "concurrent.futures, spawn",
  options: { name: "spawn" },
};

/** Python's processes, and what threads cost instead. */
export const PROCESS_POOLS: readonly Contestant[] = [
  PROCESSES,
  PYTHON_SPAWN,
  { ...FUTURES, role: "limit" },
];

/** What maps an asynchronous function. */
export const PROMISE_MAPS: readonly Contestant[] = [
  PROMISES,
  ...["p-map", "p-limit", "async"].map(promisePeer),
];

/** What takes one asynchronous call after another. */
export const PROMISE_QUEUES: readonly Contestant[] = [
  PROMISES,
  ...["p-limit", "p-queue", "async"].map(promisePeer),
];

function promisePeer(name: string): Contestant {
  return npmPeer(name, "deno", "promises.mjs");
}

function npmPeer(name: string, runtime: Runtime, module: string): Contestant {
  return {
    name: `${name} ${VERSIONS[name]}`,
    runtime,
    role: "peer",
    module,
    options: { name },
  };
}

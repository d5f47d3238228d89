/**
 * Tasks that show where they run, and what is there.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { basename } from "node:path";
import {
  PromisePoolExecutor,
  task,
  transfer,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { type Cells, load } from "./cells.ts";
import { passGate } from "./tasks.ts";

/** Made anew each time that the module is loaded. */
const LOADED = crypto.randomUUID();

let calls = 0;

/** Tells one load of this module from another. */
export const moduleLoad = task(import.meta, function moduleLoad() {
  return LOADED;
});

/** How often it has been called where it is called. */
export const countCalls = task(import.meta, function countCalls() {
  return ++calls;
});

/** The name of the worker that runs it. */
export const workerName = task(import.meta, function workerName() {
  return self.name;
});

/** Uses an import. */
export const fileName = task(import.meta, function fileName(path: string) {
  return basename(path);
});

/** An arrow function, which has no name of its own here. */
export const double = task(import.meta, "double", (n: number) => 2 * n);

/** Exported under another name than its own. */
export const triple = task(import.meta, "triple", function threeTimes(
  n: number,
) {
  return 3 * n;
});

/** Exported by a clause. */
const half = task(import.meta, "halve", (n: number) => n / 2);
export { half as halve };

/** Builds an executor where it runs. */
export const sumOfDoubles = task(
  import.meta,
  async function sumOfDoubles(...numbers: number[]) {
    await using inner = new WorkerPoolExecutor({ maxWorkers: 1 });
    const doubles: number[] = await inner.map(double, numbers);
    return doubles.reduce((a, b) => a + b, 0);
  },
);

/** A task as this package never made it: not exported where it says. */
export const astray = task(import.meta, "nowhere", () => "never entered");

/** Exported under this name is something else. */
export const LOOKALIKE = "no function";
export const lookalike = task(import.meta, "LOOKALIKE", () => "never entered");

/** Exported under this name is a function that no task() has named. */
export function unmarked(): string {
  return "never entered";
}
export const wrapped = task(import.meta, "unmarked", () => "never entered");

/** Uses a name that nobody has declared. */
export const usesUnknownName = task(
  import.meta,
  function usesUnknownName() {
    // @ts-expect-error It is not there, which is the point.
    return unknown;
  },
);

/** Changes its argument. */
export const appendTo = task(import.meta, function appendTo(list: number[]) {
  return list.push(0);
});

const tally = { count: 0 };

/** Returns the same object each time, changed. */
export const countInto = task(import.meta, function countInto(count: number) {
  tally.count = count;
  return tally;
});

/** Returns what would reach every object, if it were assigned. */
export const pollute = task(import.meta, function pollute() {
  return JSON.parse('{"__proto__": {"polluted": 1}}');
});

let moved = new Uint8Array();

/** Moves its result away. */
export const moveBuffer = task(
  import.meta,
  function moveBuffer(length: number) {
    moved = new Uint8Array(length).fill(1);
    return transfer(moved, [moved.buffer]);
  },
);

/** The same, as an async function. */
export const moveBufferLater = task(
  import.meta,
  async function moveBufferLater(length: number) {
    await Promise.resolve();
    return moveBuffer(length);
  },
);

/** How much is left of what was moved away. */
export const lengthLeft = task(import.meta, function lengthLeft() {
  return moved.length;
});

/** Wants to move the same buffer twice. */
export const moveTwice = task(import.meta, function moveTwice() {
  const { buffer } = new Uint8Array(1);
  return transfer(buffer, [buffer, buffer]);
});

/** Wants to move a function. */
export const moveUncloneable = task(import.meta, function moveUncloneable() {
  return transfer(() => {}, []);
});

let present = 0;

/** How many calls of it are in its worker at most while it is there. */
export const meetInWorker = task(
  import.meta,
  async function meetInWorker(ms: number) {
    let most = ++present;
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      most = Math.max(most, present);
    }
    present--;
    return most;
  },
);

/** Waits at a gate without ever yielding, and returns `value`. */
export const spinAtGate = task(
  import.meta,
  function spinAtGate(cells: Cells, value: number) {
    while (load(cells, 0) === 0);
    return value;
  },
);

/** Waits at a gate, and returns the name of the worker. */
export const nameAtGate = task(
  import.meta,
  async function nameAtGate(cells: Cells) {
    await passGate(cells, 0);
    return self.name;
  },
);

/** Returns `value`, at once unless there is a gate to wait at. */
export const passAnyGate = task(
  import.meta,
  function passAnyGate(value: number, cells: Cells | undefined) {
    return cells === undefined ? value : passGate(cells, value);
  },
);

/** In whose contexts the calls of a promise pool are made, which a task made in another. */
export const contextsOfPool = task(
  import.meta,
  async function contextsOfPool() {
    const storage = new AsyncLocalStorage<string>();
    const pool = storage.run("maker", () => new PromisePoolExecutor());
    const submit = () => pool.submit(() => storage.getStore() ?? "none");
    const futures = [
      storage.run("first", submit),
      submit(),
      storage.run("second", submit),
    ];
    await pool.shutdown();
    return await Promise.all(futures);
  },
);

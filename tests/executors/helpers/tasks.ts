/**
 * Tasks for the behaviours: what they use from around them makes them need
 * `task()`.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { currentTask, task } from "../../../mod.ts";
import { add, type Cells, load, makeCells, store } from "./cells.ts";

/** Resolves with its first argument after `ms` milliseconds. */
export const echoAfter = task(
  import.meta,
  async function echoAfter<T>(value: T, ms: number) {
    await delay(ms);
    return value;
  },
);

/** Where tasks wait until the test lets them go on. */
export class Gate {
  /** For the tasks: whether it is open, and how many have come to it. */
  readonly cells: Cells = makeCells();

  /** How many tasks have come to it. */
  get reached(): number {
    return load(this.cells, 1);
  }

  /** What told {@linkcode noteStop} to stop; empty as long as nothing has. */
  get stoppedBy(): string | undefined {
    return STOPPED_BY[load(this.cells, 0)];
  }

  /** The same gate for as many items of a `map()` as the other input has. */
  *again(): Generator<Cells> {
    while (true) yield this.cells;
  }

  /** Lets everyone pass, for ever. */
  open(): void {
    store(this.cells, 0, 1);
  }
}

/** Waits at a gate, whatever it is told, and returns `value`. */
export const passGate = task(
  import.meta,
  async function passGate(cells: Cells, value: number) {
    add(cells, 1, 1);
    while (load(cells, 0) === 0) await delay(1);
    return value;
  },
);

/** Waits at a gate, but for 1, which fails once another waits there. */
export const failOrPass = task(
  import.meta,
  async function failOrPass(cells: Cells, value: number) {
    if (value !== 1) return await passGate(cells, value);
    while (load(cells, 1) === 0) await delay(1);
    throw new RangeError("1 is odd");
  },
);

/** Counts its calls. */
export const count = task(
  import.meta,
  function count(cells: Cells, _: unknown) {
    add(cells, 0, 1);
  },
);

/** What {@linkcode noteStop} found as the reason to stop. */
export const STOPPED_BY = ["", "CancelledError", "TimeoutError"] as const;

/** Comes to a gate, goes on until it is told to stop, and opens the gate with the reason. */
export const noteStop = task(
  import.meta,
  async function noteStop(cells: Cells) {
    const { signal } = currentTask()!;
    add(cells, 1, 1);
    while (!signal.aborted) await delay(1);
    store(cells, 0, STOPPED_BY.indexOf(signal.reason.name));
  },
);

/** The running task, as it sees itself. */
function description() {
  const task = currentTask()!;
  let threw = false;
  try {
    task.throwIfCancelled();
  } catch {
    threw = true;
  }
  return {
    cancelled: task.cancelled,
    aborted: task.signal.aborted,
    isSignal: task.signal instanceof AbortSignal,
    threw,
  };
}

/** Describes its task at once. */
export const describeTask = task(
  import.meta,
  function describeTask() {
    return description();
  },
);

/** Waits at a gate, then describes its task. */
export const describeTaskLater = task(
  import.meta,
  async function describeTaskLater(cells: Cells) {
    await passGate(cells, 0);
    return description();
  },
);

/** Which attempt its task is, before and after it has waited. */
export const seenAttempt = task(
  import.meta,
  async function seenAttempt(_?: unknown) {
    const { attempt } = currentTask()!;
    await delay(1);
    return [attempt, currentTask()!.attempt];
  },
);

/** Leaves something behind that opens the gate if it finds no task any more. */
export const noteOutliving = task(
  import.meta,
  function noteOutliving(cells: Cells) {
    setTimeout(() => {
      if (currentTask() === undefined) store(cells, 0, 1);
      add(cells, 1, 1);
    }, 5);
  },
);

/** As {@linkcode noteStop}, by what `throwIfCancelled()` throws. */
export const noteThrow = task(
  import.meta,
  async function noteThrow(cells: Cells) {
    add(cells, 1, 1);
    try {
      while (true) {
        currentTask()!.throwIfCancelled();
        await delay(1);
      }
    } catch (error) {
      store(cells, 0, STOPPED_BY.indexOf((error as Error).name as ""));
    }
  },
);

/** As {@linkcode noteStop}, without ever yielding. */
export const noteLoopStop = task(
  import.meta,
  function noteLoopStop(cells: Cells) {
    const task = currentTask()!;
    add(cells, 1, 1);
    while (!task.cancelled);
    store(cells, 0, STOPPED_BY.indexOf(task.signal.reason.name));
  },
);

/** Waits at a gate, but fails at once if `n` is 0. */
export const passUnlessZero = task(
  import.meta,
  async function passUnlessZero(cells: Cells, n: number) {
    if (n > 0) return await passGate(cells, n);
    add(cells, 1, 1);
    throw new RangeError("Zero");
  },
);

/** Waits at a gate if `n` is 1, and opens it if it is 3. */
export const passBackwards = task(
  import.meta,
  async function passBackwards(cells: Cells, n: number) {
    if (n === 3) store(cells, 0, 1);
    return n === 1 ? await passGate(cells, n) : n;
  },
);

/** Counts its call in a cell; returns how many were before. */
export const countIn = task(
  import.meta,
  function countIn(cells: Cells, index: number, _?: unknown) {
    return add(cells, index, 1);
  },
);

/** What {@linkcode perform} does. */
export const PERFORMANCES = ["return", "throw", "later", "never"] as const;

/** Counts that it was entered, then does what it is told. */
export const perform = task(
  import.meta,
  function perform(
    entered: Cells,
    place: number,
    kind: typeof PERFORMANCES[number],
  ): number | Promise<number> {
    add(entered, place, 1);
    if (kind === "throw") throw new RangeError(`${place}`);
    if (kind === "return") return place;
    // Until it is stopped, but not for ever.
    return echoAfter(place, kind === "later" ? place % 3 : 20);
  },
);

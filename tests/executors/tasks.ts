/**
 * Tasks for the behaviours: what they use from around them makes them need
 * `task()`.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { currentTask, task } from "../../mod.ts";

/** Resolves with its first argument after `ms` milliseconds. */
export const echoAfter = task(
  import.meta,
  async function echoAfter<T>(value: T, ms: number) {
    await delay(ms);
    return value;
  },
);

/** Where tasks wait until the test lets them go on; in shared memory, so that it works in workers too. */
export class Gate {
  /** For the tasks: whether it is open, and how many have come to it. */
  readonly cells = new Int32Array(new SharedArrayBuffer(8));

  /** How many tasks have come to it. */
  get reached(): number {
    return Atomics.load(this.cells, 1);
  }

  /** What told {@linkcode noteStop} to stop; empty as long as nothing has. */
  get stoppedBy(): string | undefined {
    return STOPPED_BY[Atomics.load(this.cells, 0)];
  }

  /** The same gate for as many items of a `map()` as the other input has. */
  *again(): Generator<Int32Array> {
    while (true) yield this.cells;
  }

  /** Lets everyone pass, for ever. */
  open(): void {
    Atomics.store(this.cells, 0, 1);
  }
}

/** Waits at a gate, whatever it is told, and returns `value`. */
export const passGate = task(
  import.meta,
  async function passGate(cells: Int32Array, value: number) {
    Atomics.add(cells, 1, 1);
    while (Atomics.load(cells, 0) === 0) await delay(1);
    return value;
  },
);

/** What {@linkcode noteStop} found as the reason to stop. */
export const STOPPED_BY = ["", "CancelledError", "TimeoutError"] as const;

/** Comes to a gate, goes on until it is told to stop, and opens the gate with the reason. */
export const noteStop = task(
  import.meta,
  async function noteStop(cells: Int32Array) {
    const { signal } = currentTask()!;
    Atomics.add(cells, 1, 1);
    while (!signal.aborted) await delay(1);
    Atomics.store(cells, 0, STOPPED_BY.indexOf(signal.reason.name));
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
  async function describeTaskLater(cells: Int32Array) {
    await passGate(cells, 0);
    return description();
  },
);

/** Leaves something behind that opens the gate if it finds no task any more. */
export const noteOutliving = task(
  import.meta,
  function noteOutliving(cells: Int32Array) {
    setTimeout(() => {
      if (currentTask() === undefined) Atomics.store(cells, 0, 1);
      Atomics.add(cells, 1, 1);
    }, 5);
  },
);

/** As {@linkcode noteStop}, by what `throwIfCancelled()` throws. */
export const noteThrow = task(
  import.meta,
  async function noteThrow(cells: Int32Array) {
    Atomics.add(cells, 1, 1);
    try {
      while (true) {
        currentTask()!.throwIfCancelled();
        await delay(1);
      }
    } catch (error) {
      Atomics.store(cells, 0, STOPPED_BY.indexOf((error as Error).name as ""));
    }
  },
);

/** As {@linkcode noteStop}, without ever yielding. */
export const noteLoopStop = task(
  import.meta,
  function noteLoopStop(cells: Int32Array) {
    const task = currentTask()!;
    Atomics.add(cells, 1, 1);
    while (!task.cancelled);
    Atomics.store(cells, 0, STOPPED_BY.indexOf(task.signal.reason.name));
  },
);

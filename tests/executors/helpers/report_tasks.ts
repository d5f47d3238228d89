/**
 * Tasks that report, for the behaviours of that.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { currentTask, task, transfer } from "../../../mod.ts";
import { add, type Cells, load, store } from "./cells.ts";

/** Reports each value, then returns how many there were. */
export const reportAll = task(
  import.meta,
  function reportAll(values: readonly unknown[]) {
    for (const value of values) currentTask()!.report(value);
    return values.length;
  },
);

/** Reports each value, after a while, then returns how many there were. */
export const reportSlowly = task(
  import.meta,
  async function reportSlowly(values: readonly unknown[]) {
    for (const value of values) {
      await delay(1);
      currentTask()!.report(value);
    }
    return values.length;
  },
);

/** Reports a value, then fails with it. */
export const reportAndThrow = task(
  import.meta,
  function reportAndThrow(value: unknown) {
    currentTask()!.report(value);
    throw value;
  },
);

/** Reports its value, and again that and one more, up to a number. */
export const reportUpTo = task(
  import.meta,
  function reportUpTo(from: number, to: number) {
    for (let n = from; n < to; n++) currentTask()!.report(n);
    return from;
  },
);

/** Reports that it has begun, and never yields until somebody opens the gate. */
export const reportAndSpin = task(
  import.meta,
  function reportAndSpin(cells: Cells) {
    currentTask()!.report("begun");
    while (load(cells, 0) === 0);
    return "ended";
  },
);

/** Reports an object, changes it, and reports it again. */
export const reportChanging = task(
  import.meta,
  function reportChanging(isPlain: boolean) {
    const inner = isPlain ? [0] : new Map([[0, 0]]);
    const value = { step: 1, inner };
    currentTask()!.report(value);
    value.step = 2;
    if (Array.isArray(inner)) inner.push(1);
    else inner.set(1, 1);
    currentTask()!.report(value);
  },
);

/** What reporting something throws that cannot be cloned; in between, it reports how far it is. */
export const reportUncloneable = task(
  import.meta,
  function reportUncloneable(kind: "function" | "object" | "getter") {
    const culprit = {
      function: () => {},
      object: { a: new WeakMap() },
      getter: {
        get a() {
          throw new RangeError("No value");
        },
      },
    }[kind];
    const errors: unknown[] = [];
    for (let n = 0; n < 2; n++) {
      currentTask()!.report(n);
      try {
        currentTask()!.report(culprit);
      } catch (error) {
        const { name, message, cause } = error as DOMException;
        errors.push([name, message, (cause as Error).name]);
      }
    }
    return errors;
  },
);

/** Moves a buffer as it reports; returns how many bytes are left. */
export const reportMoving = task(
  import.meta,
  function reportMoving(length: number) {
    const bytes = new Uint8Array(length).fill(7);
    currentTask()!.report(transfer({ bytes }, [bytes.buffer]));
    return bytes.length;
  },
);

/** Reports once, waits until it is told to stop, reports again, and opens the gate. */
export const reportWhenStopped = task(
  import.meta,
  async function reportWhenStopped(cells: Cells) {
    const task = currentTask()!;
    task.report("before");
    while (!task.cancelled) await delay(1);
    task.report("after");
    store(cells, 0, 1);
  },
);

/** Reports as it begins; waits at the gate, reports again, and says at the gate that it has. */
export const reportBeyond = task(
  import.meta,
  async function reportBeyond(cells: Cells, n: number) {
    currentTask()!.report(n);
    while (load(cells, 0) === 0) await delay(1);
    currentTask()!.report(-n);
    add(cells, 1, 1);
    return n;
  },
);

/** Tasks that have ended, of this isolate. */
const kept: ReturnType<typeof currentTask>[] = [];

/** Keeps its task, and what reports later. */
export const keepTask = task(import.meta, function keepTask() {
  kept.push(currentTask());
});

/** Reports something by each task that was kept here; returns how many there are. */
export const reportByKept = task(import.meta, function reportByKept() {
  for (const task of kept) task!.report("too late");
  currentTask()!.report("in time");
  return kept.length;
});

/** Reports, and ends its worker. */
export const reportAndDie = task(
  import.meta,
  async function reportAndDie(value: unknown) {
    currentTask()!.report(value);
    self.close();
    return await new Promise<never>(() => {});
  },
);

/** Reports lists of so many elements, those that it can, and returns how many that were. */
export const reportDeep = task(
  import.meta,
  function reportDeep(depths: readonly number[]) {
    let reported = 0;
    for (const depth of depths) {
      const text = '{"next":'.repeat(depth) + "null" + "}".repeat(depth);
      try {
        currentTask()!.report([depth, JSON.parse(text)]);
        reported++;
      } catch (error) {
        if ((error as Error).name !== "DataCloneError") throw error;
      }
    }
    return reported;
  },
);

/** Reports something that reports as it is read: first the inner, then the outer. */
export const reportNested = task(import.meta, function reportNested() {
  const outer = {
    map: new Map(),
    get inner() {
      currentTask()!.report("inner");
      currentTask()!.report(new Map([["inner", 1]]));
      return 1;
    },
  };
  currentTask()!.report(outer);
});

/** Reports as much as it can, until it is told to stop; nothing without a value. */
export const reportForever = task(
  import.meta,
  async function reportForever(value?: string) {
    const task = currentTask()!;
    if (value === undefined) return "nothing to report";
    while (!task.cancelled) {
      task.report(value);
      await delay(0);
    }
  },
);

/** Reports texts of lengths of which one is too large for a message, and what only a thread can have; returns what that throws. */
export const reportUnsendable = task(
  import.meta,
  function reportUnsendable(...lengths: number[]) {
    const errors: string[] = [];
    const values: unknown[] = lengths.map((length) => "x".repeat(length));
    const { port1, port2 } = new MessageChannel();
    values.push(new SharedArrayBuffer(8));
    values.push(transfer({ port1 }, [port1]));
    values.push("moved");
    for (const value of values) {
      try {
        currentTask()!.report(value);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    port1.close();
    port2.close();
    return errors;
  },
);

/**
 * A task that does anything a task may do, and what has to come of it.
 *
 * @module
 */

import {
  currentTask,
  PromisePoolExecutor,
  task,
  transfer,
} from "../../../mod.ts";
import { add, type Cells } from "../helpers/cells.ts";
import { type Death, DEATHS, die } from "../fixtures/dying.ts";

/** Ends by itself, so that nothing is left of a thread that Deno cannot stop. */
const STUBBORN_MS = 200;

/** What the task may be told to do, and how its future ends then: with a value, or an error of this name. */
export const DEEDS = {
  "return": (place: number) => place,
  "return later": (place: number) => place,
  "compute": (place: number) => place,
  "ask for the current task": (place: number) => place,
  "report": (place: number) => place,
  "read the standard input": (place: number) => place,
  "move": (place: number) => place,
  "throw": () => "RangeError",
  "throw nothing": () => undefined,
  "reject": () => "TypeError",
  "return a function": () => "DataCloneError",
  "return what is too deep": () => "DataCloneError",
  "return a URL": () => "DataCloneError",
  ...Object.fromEntries(
    Object.keys(DEATHS).map((death) => [death, () => "WorkerCrashedError"]),
  ) as Record<Death, () => string>,
  // These never end by themselves, or nobody waits for it.
  "obey": () => "TimeoutError",
  "obey in a loop": () => "TimeoutError",
  "ignore": () => "TimeoutError",
  "ignore in a loop": () => "TimeoutError",
} satisfies Record<string, (place: number) => unknown>;

/** Something the task may be told to do. */
export type Deed = keyof typeof DEEDS;

/** Counts that it was entered, then does what it is told. */
export const perform = task(
  import.meta,
  function perform(
    entries: Cells,
    place: number,
    deed: Deed,
    argument?: unknown,
  ): unknown {
    add(entries, place, 1);
    switch (deed) {
      case "return":
        return place;
      case "return later":
        return wait(place % 20).then(() => place);
      case "compute":
        spin(place % 5);
        return place;
      case "ask for the current task":
        return ask(place);
      case "report":
        return report(place);
      case "read the standard input":
        return readInput(argument as number).then(() => place);
      case "move": {
        const { buffer } = argument as Uint8Array<ArrayBuffer>;
        return transfer(buffer, [buffer]);
      }
      case "throw":
        throw new RangeError(`${place}`);
      case "throw nothing":
        throw undefined;
      case "reject":
        return wait(place % 3).then(() => {
          throw new TypeError(`${place}`);
        });
      case "return a function":
        return () => place;
      case "return what is too deep":
        return makeDeep();
      case "return a URL":
        return { url: new URL("https://example.com/") };
      case "obey":
        return obey();
      case "obey in a loop":
        return obeyInLoop();
      case "ignore":
        return new Promise(() => {});
      case "ignore in a loop":
        return spin(STUBBORN_MS);
      default:
        return die(deed);
    }
  },
);

/** The same for the items of a map(). */
export const performItem = task(
  import.meta,
  function performItem(entries: Cells, place: number, deed: Deed) {
    return perform(entries, place, deed);
  },
);

/** A value that can be written, but not read. */
export function makeDeep(): unknown {
  return JSON.parse('{"next":'.repeat(3000) + "null" + "}".repeat(3000));
}

/** What a task cannot be given. */
export const UNCLONEABLE: readonly (() => unknown)[] = [
  () => () => {},
  makeDeep,
  () => new Set([AbortSignal.abort()]),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
];

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

function obeyInLoop(): void {
  const task = currentTask()!;
  while (!task.cancelled);
}

async function obey(): Promise<void> {
  const task = currentTask()!;
  while (!task.cancelled) await wait(1);
}

/** In a pool inside the task, each task is its own, and afterwards the outer one is there again. */
async function ask(place: number): Promise<number | string> {
  const outer = currentTask();
  await using pool = new PromisePoolExecutor({ maxWorkers: 2 });
  const inner = await pool.map(async () => {
    const own = currentTask();
    await wait(1);
    return own !== undefined && own !== outer && currentTask() === own;
  }, [1, 2, 3]);
  return outer !== undefined && currentTask() === outer && inner.every(Boolean)
    ? place
    : "not its own task";
}

/** How many times {@linkcode report} reports. */
export const REPORTS = 4;

/** Reports its place, in turn as what travels with others and as what travels alone, and waits in between. */
async function report(place: number): Promise<number> {
  const task = currentTask()!;
  for (let n = 0; n < REPORTS; n++) {
    task.report(n % 2 === 0 ? [place, n] : new Set([place, n + 0.5]));
    if (place % 3 === n) await wait(place % 5);
  }
  return place;
}

/**
 * Has a program read all of its standard input, which is that of the worker: of
 * a process, the end. That of a thread is the host's, and never ends.
 */
async function readInput(hostPid: number): Promise<void> {
  const stdin = Deno.pid === hostPid ? "null" : "inherit";
  const cat = new Deno.Command("cat", { stdin, stdout: "null" });
  await cat.spawn().status;
}

/** Tasks whose module ends its worker while it is loaded. */
export const LETHAL: readonly (typeof perform)[] = [
  "Deno.exit();",
  'import process from "node:process"; process.exit();',
  "self.close(); await new Promise(() => {});",
  "await new Promise((resolve) => setTimeout(resolve, 1)); Deno.exit();",
].map((text) =>
  task(
    { url: `data:text/javascript,${encodeURIComponent(text)}` },
    "lethal",
    () => "never entered",
  )
);

const NAMELESS = Symbol("a name that is no text");

/** A method that only a symbol names. It travels as text, so nothing counts its entries. */
export const method: typeof perform = {
  [NAMELESS](_: Cells, place: number): number {
    return place;
  },
}[NAMELESS];

/** A task that its module does not export. */
export const astray: typeof perform = task(
  import.meta,
  "astrayed",
  () => "never entered",
);

/**
 * A task that does what it is told on a node, and what has to come of it.
 *
 * @module
 */

import { currentTask, task } from "../../../../mod.ts";

/** How large what travels in parts is: a message takes 1 MiB. */
export const LARGE_BYTES = 1_300_000;

/** What a task may be told, and how its future ends then: with a value, or an error of this name. */
export const DEEDS = {
  "return": (place: number) => place,
  "return later": (place: number) => place,
  "return much later": (place: number) => place,
  "compute": (place: number) => place,
  "return what is large": (place: number) => `${LARGE_BYTES} × ${place % 256}`,
  "return what it got": (place: number) => `${LARGE_BYTES} × ${place % 256}`,
  // It travels as a bundle: only such a one can ask for its task.
  "report": (place: number) => place,
  "throw": () => "RangeError",
  "throw nothing": () => undefined,
  "return a function": () => "DataCloneError",
  "end its worker": () => "WorkerCrashedError",
  "kill its node": () => "WorkerCrashedError",
  // It never ends by itself.
  "hang": () => "TimeoutError",
} satisfies Record<string, (place: number) => unknown>;

/** How often a task reports that is told to. */
export const REPORTS = 20;

/** Something a task may be told to do. */
export type Deed = keyof typeof DEEDS;

/**
 * Notes in a folder that it was entered, then does what it is told. It travels
 * by its source, so it uses nothing from around it.
 */
export function perform(
  folder: string,
  place: number,
  deed: string,
  bytes?: Uint8Array,
): unknown {
  Deno.writeTextFileSync(`${folder}/${place}`, "+", { append: true });
  const wait = (ms: number) =>
    new Promise((resolve) => setTimeout(resolve, ms)).then(() => place);
  switch (deed) {
    case "return":
    case "report":
      return place;
    case "return later":
      return wait(place % 20);
    case "return much later":
      return wait(500 + place % 1000);
    case "compute":
      for (const end = Date.now() + place % 10; Date.now() < end;);
      return place;
    case "return what is large":
      return new Uint8Array(1_300_000).fill(place);
    case "return what it got":
      return bytes;
    case "throw":
      throw new RangeError(`${place}`);
    case "throw nothing":
      throw undefined;
    case "return a function":
      return () => place;
    case "end its worker":
      return Deno.exit();
    case "kill its node":
      Deno.kill(Deno.pid, "SIGKILL");
      return wait(60_000);
    default:
      return new Promise(() => {});
  }
}

/** The same, which travels as a bundle of its module. */
export const performBundled: typeof perform = task(
  import.meta,
  async function performBundled(folder, place, deed, bytes) {
    const value = perform(folder, place, deed, bytes);
    if (deed !== "report") return await value;
    for (let n = 0; n < REPORTS; n++) {
      currentTask()!.report([place, n]);
      if (n % 5 === place % 5) {
        await new Promise((resolve) => setTimeout(resolve, place % 100));
      }
    }
    return place;
  },
);

/** How often a task was entered, on all nodes. */
export function entriesOf(folder: string, place: number): number {
  try {
    return Deno.statSync(`${folder}/${place}`).size;
  } catch {
    return 0;
  }
}

/**
 * Where the entry modules of workers are. In a bundle, which has all modules in
 * one file, there is none: a task that makes a pool starts workers by those of
 * the copy of this package that runs the task.
 *
 * @module
 */

import { shared } from "../runtime/shared.ts";

/** The addresses of the entry modules. */
export const entries: {
  /** Of a thread of the program, of a process, and of the thread in a process. */
  readonly thread: string;
  readonly process: string;
  readonly processThread: string;
} = shared("entries/1", () => ({
  thread: import.meta.resolve("./thread/entry.ts"),
  process: import.meta.resolve("./process/entry.ts"),
  processThread: import.meta.resolve("./process/thread_entry.ts"),
}));

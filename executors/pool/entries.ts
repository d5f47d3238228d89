/**
 * Where the entry modules of workers are. In a bundle, which has all modules in
 * one file, there is none: a task that makes a pool starts workers by those of
 * the copy of this package that runs the task.
 *
 * @module
 */

import { shared } from "../runtime/shared.ts";

/** The addresses of the entry modules. */
export const entries: { readonly thread: string; readonly process: string } =
  shared("entries/1", () => ({
    thread: import.meta.resolve("./thread/entry.ts"),
    process: import.meta.resolve("./process/entry.ts"),
  }));

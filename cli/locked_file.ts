/**
 * Files that one run at a time writes. The lock is the system's own, on the
 * file itself: it ends with the process that has it, so what a killed run has
 * left can be taken over.
 *
 * @module
 */

import { CommandError } from "./command.ts";

/**
 * How long Deno before 2.7, which can only wait for a lock, does so. One that
 * nobody has takes a millisecond or two, on a busy machine some more.
 */
const PATIENCE_MS = 2000;

/** Each time, another run has put its file to its place just now. */
const MAX_ATTEMPTS = 100;

/**
 * Opens a file to read and to write, with all that is in it.
 *
 * @param path The file; it is made if there is none.
 * @param mode Who may use it if it is made.
 * @returns The file, which nobody else opens so until it is closed.
 * @throws {CommandError} If another run has it.
 */
export async function openLocked(
  path: string,
  mode?: number,
): Promise<Deno.FsFile> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const file = Deno.openSync(path, {
      read: true,
      write: true,
      create: true,
      ...mode === undefined ? {} : { mode },
    });
    try {
      if (!await lock(file)) break;
      // Between the two, who had it may have moved it to its place: it would
      // be that, whole and in use, that was written to.
      if (isStillAt(file, path)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new CommandError(
    `another run writes ${path}: wait for its end, or name another file`,
  );
}

/**
 * Whether an open file still is what is found by its name.
 *
 * @param file The file.
 * @param path The name by which it was opened.
 * @returns False if it was removed, or something else is there.
 */
export function isStillAt(file: Deno.FsFile, path: string): boolean {
  const opened = file.statSync();
  try {
    const { dev, ino } = Deno.lstatSync(path);
    return dev === opened.dev && ino === opened.ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether nobody else has it locked. */
async function lock(file: Deno.FsFile): Promise<boolean> {
  try {
    if ("tryLock" in file) return await file.tryLock(true);
    return await lockPatiently(file);
  } catch {
    // Some file systems have no locks, and are used without.
    return true;
  }
}

async function lockPatiently(file: Deno.FsFile): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), PATIENCE_MS);
  try {
    return await Promise.race([file.lock(true).then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

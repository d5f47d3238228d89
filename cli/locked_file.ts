/**
 * Opens files that only one run at a time may write. The lock is the system's
 * own, on the file itself: it ends with the process that has it, so a file that
 * a killed run has left can be taken over.
 *
 * @module
 */

import { CommandError } from "./command.ts";

/**
 * How long to wait for a lock, in milliseconds, with Deno before 2.7, which
 * cannot try without waiting. A lock that nobody has takes a millisecond or two,
 * on a busy machine some more.
 */
const PATIENCE_MS = 2000;

/** How often opening is tried, while each time another run has just moved the file to its place. */
const MAX_ATTEMPTS = 100;

/**
 * Opens a file to read and to write, with its text.
 *
 * @param path The path of the file, which is made if there is none.
 * @param mode The mode of a file that is made.
 * @returns The file, which no other run can open like this until it is closed.
 * @throws {CommandError} If another run has the file.
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
      // Between opening and locking, the run that had the file may have moved it
      // to its place: this run would then overwrite a file that is whole.
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
 * Tells whether an open file is still found by its name.
 *
 * @param file The file.
 * @param path The name by which it was opened.
 * @returns False if the file was removed, or another one is there.
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

/** Locks a file; false if another process has it locked. */
async function lock(file: Deno.FsFile): Promise<boolean> {
  try {
    if ("tryLock" in file) return await file.tryLock(true);
    return await lockPatiently(file);
  } catch {
    // Some file systems have no locks, and are used without them.
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

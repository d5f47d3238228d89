/**
 * Tells which of the files that a command names are the same, so that none is
 * overwritten by another.
 *
 * A file has many names: links, hard links, `a/../b`, a folder that is a link,
 * /dev/stdout. What counts is the device and the number of the file on it; of a
 * file that is still to be made, those of its folder, and its name.
 *
 * @module
 */

import { basename, dirname, resolve } from "node:path";
import { CommandError } from "./command.ts";

/** A file, and its name in messages. */
export interface NamedFile {
  readonly name: string;
  readonly path: string;
}

/** The streams, which may be files, by their names in the file system. */
export const STREAMS = {
  stdin: { name: "the standard input", path: "/dev/stdin" },
  stdout: { name: "the standard output", path: "/dev/stdout" },
  stderr: { name: "the standard error stream", path: "/dev/stderr" },
};

/** How many links are followed: systems give up there as well. */
const MAX_LINKS = 40;

/** On these systems, names that differ in case are mostly the same. */
const FOLDS_CASE = Deno.build.os === "windows" || Deno.build.os === "darwin";

/**
 * Refuses to write a file that a command uses in another way too.
 *
 * @param written The files that will be overwritten; no two may be the same.
 * @param others The files that are to stay as they are.
 * @throws {CommandError} If two names lead to the same file.
 */
export function refuseSameFiles(
  written: readonly NamedFile[],
  others: readonly NamedFile[],
): void {
  const known = new Map<string, NamedFile>();
  for (const file of others) {
    const identity = identify(file.path);
    if (identity !== undefined) known.set(identity, file);
  }
  for (const file of written) {
    const identity = identify(file.path);
    if (identity === undefined) continue;
    const other = known.get(identity);
    if (other !== undefined) {
      throw new CommandError(
        `${file.name} and ${other.name} are the same file, which would be lost: name another one`,
      );
    }
    known.set(identity, file);
  }
}

/**
 * Finds where a file is, or will be, with all links followed.
 *
 * @param path A name of the file.
 * @returns The path of the file.
 */
export function followLinks(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    try {
      return Deno.realPathSync(target);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    // A link to a file that is not there yet is still a link.
    const link = readLink(target);
    if (link === undefined) return target;
    target = resolve(dirname(target), link);
  }
  return target;
}

/**
 * A text that is the same for the same file; nothing if the path leads to no
 * file that could be lost.
 */
function identify(path: string): string | undefined {
  try {
    const own = identifyExisting(path);
    if (own !== null) return own;
    const target = followLinks(path);
    const folder = identifyExisting(dirname(target)) ?? dirname(target);
    return `${folder}/${fold(basename(target))}`;
  } catch {
    // Whoever opens the file will say why that is not possible.
    return undefined;
  }
}

/** Identifies a file or a folder; `null` if there is none, `undefined` if it is neither. */
function identifyExisting(path: string): string | undefined | null {
  try {
    const { isFile, isDirectory, dev, ino } = Deno.statSync(path);
    if (!isFile && !isDirectory) return undefined;
    // Some systems do not number their files, and a number that is not exact
    // here may be that of others.
    return ino && Number.isSafeInteger(ino)
      ? `${dev}:${ino}`
      : fold(Deno.realPathSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function readLink(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function fold(name: string): string {
  return FOLDS_CASE ? name.normalize("NFC").toLowerCase() : name;
}

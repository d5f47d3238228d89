/**
 * Finds the function that `MODULE#EXPORT` means.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { CommandError } from "./command.ts";
import { describe } from "./map_block.ts";

/** A function in a module. */
export interface ModuleAddress {
  /** The URL to import. */
  readonly url: string;
  /** The name of the export. */
  readonly name: string;
  /** The module as the user named it. */
  readonly shown: string;
}

/** The scheme of a URL, which is longer than the letter of a drive. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** The files of which a compiled program cannot make JavaScript. */
const NEEDS_TRANSPILER = /\.(ts|mts|cts|tsx|jsx)$/i;

/**
 * Reads the address of a function.
 *
 * @param text A path or a URL, with `#` and the name of an export behind it
 * unless that is the default.
 * @returns The address.
 * @throws {CommandError} If there can be no such module.
 */
export function readAddress(text: string): ModuleAddress {
  // A path may have a # in it, a name has no dot and no slash.
  const [, shown = text, name = "default"] = /^(.+)#([^#./\\]+)$/.exec(text) ??
    [];
  const isUrl = SCHEME.test(shown);
  const url = isUrl ? shown : pathToFileURL(shown).href;
  if (!isAddress(url)) {
    throw new CommandError(`cannot load ${shown}: it is no URL`);
  }
  if (Deno.build.standalone) checkCompiled(shown, url);
  if (!isUrl) checkFile(shown);
  return { url, name, shown };
}

function isAddress(url: string): boolean {
  try {
    // Throws for a file: URL that is no path on this system.
    if (new URL(url).protocol === "file:") fileURLToPath(url);
    return true;
  } catch {
    return false;
  }
}

function checkCompiled(shown: string, url: string): void {
  const refuse = (why: string, what: string) =>
    new CommandError(
      `cannot load ${shown}: a compiled program takes ${why}: ${what}, or run cli.ts with Deno`,
    );
  if (!url.startsWith("file:")) {
    throw refuse("files only", "download it");
  }
  if (NEEDS_TRANSPILER.test(shown)) {
    throw refuse("JavaScript only", `deno bundle ${shown} -o FILE.js`);
  }
}

/** Throws if there is no such file; Deno's own message would name a module of this program. */
function checkFile(path: string): void {
  try {
    if (!Deno.statSync(path).isFile) throw new Error("it is not a file");
  } catch (error) {
    throw new CommandError(
      error instanceof Deno.errors.NotFound
        ? `no such module: ${path}`
        : `cannot load ${path}: ${describe(error).message}`,
    );
  }
}

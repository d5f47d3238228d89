/**
 * Paths of files and folders, as flags of Deno take them.
 *
 * @module
 */

const onWindows = Deno.build.os === "windows";

/** The path of a `file:` URL. `node:url` has the same function, but takes 20 ms to load. */
export function pathOf({ hostname, pathname }: URL): string {
  // A percent sign in a URL may stand for itself.
  const path = decodeURIComponent(
    pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"),
  );
  if (!onWindows) return path;
  const native = path.replaceAll("/", "\\");
  // /C:/folder/, or a folder of another machine.
  return hostname === "" ? native.slice(1) : `\\\\${hostname}${native}`;
}

/**
 * A path that means the same when the working folder is another one. The path
 * itself if that folder cannot be read, or has a comma, at which Deno splits
 * lists.
 */
export function absolutePath(path: string): string {
  if (onWindows ? /^([a-z]:)?[\\/]/i.test(path) : path.startsWith("/")) {
    return path;
  }
  let folder;
  try {
    folder = Deno.cwd();
  } catch {
    // The folder may not be read, or is gone.
    return path;
  }
  if (folder.includes(",")) return path;
  const separator = onWindows ? "\\" : "/";
  return path === "." ? folder : `${folder}${separator}${path}`;
}

/** A folder, or the nearest one around it, that has no comma and so can be in a list. */
export function folderWithoutComma(path: string): string {
  const comma = path.indexOf(",");
  if (comma < 0) return path;
  const name = onWindows ? /[^\\/]*$/ : /[^/]*$/;
  return path.slice(0, path.slice(0, comma).search(name));
}

/**
 * Whether a folder is another one or in it; both are absolute, and the first
 * ends with a separator.
 */
export function isInFolder(folder: string, outer: string): boolean {
  const separator = onWindows ? "\\" : "/";
  return folder.startsWith(
    outer.endsWith(separator) ? outer : outer + separator,
  );
}

/** The error that says that no process can start, if the working folder was removed. */
export function missingFolder(cause?: unknown): Error | undefined {
  try {
    Deno.cwd();
  } catch (error) {
    // Any other error means that the folder is there, but may not be read.
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    return new Deno.errors.NotFound(
      "Worker processes start in the working folder of the program, which is gone: call Deno.chdir() with one that is there",
      { cause: cause ?? error },
    );
  }
}

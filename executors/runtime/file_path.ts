/**
 * Paths of files that are known by their URL.
 *
 * @module
 */

const onWindows = Deno.build.os === "windows";

/** The path of a `file:` URL. `node:url` has the same, and takes 20 ms to load. */
export function pathOf({ hostname, pathname }: URL): string {
  // A URL may have a percent sign that stands for itself.
  const path = decodeURIComponent(
    pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"),
  );
  if (!onWindows) return path;
  const native = path.replaceAll("/", "\\");
  // /C:/folder/, or a folder of another machine
  return hostname === "" ? native.slice(1) : `\\\\${hostname}${native}`;
}

/**
 * A path that means the same when the working folder is another one. As it is,
 * if that folder is not to be read, or has a comma, which no list can have.
 */
export function absolutePath(path: string): string {
  if (onWindows ? /^([a-z]:)?[\\/]/i.test(path) : path.startsWith("/")) {
    return path;
  }
  let folder;
  try {
    folder = Deno.cwd();
  } catch {
    // It may also be gone.
    return path;
  }
  if (folder.includes(",")) return path;
  const separator = onWindows ? "\\" : "/";
  return path === "." ? folder : `${folder}${separator}${path}`;
}

/** The nearest folder around one that a list can name: nearly always itself. */
export function folderWithoutComma(path: string): string {
  const comma = path.indexOf(",");
  if (comma < 0) return path;
  const name = onWindows ? /[^\\/]*$/ : /[^/]*$/;
  return path.slice(0, path.slice(0, comma).search(name));
}

/** Whether a folder, with a separator at its end, is in another one or is that; both absolute. */
export function isInFolder(folder: string, outer: string): boolean {
  const separator = onWindows ? "\\" : "/";
  return folder.startsWith(
    outer.endsWith(separator) ? outer : outer + separator,
  );
}

/** Why no process can be started, if the working folder was removed. */
export function missingFolder(cause?: unknown): Error | undefined {
  try {
    Deno.cwd();
  } catch (error) {
    // It may also not be to be read.
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    return new Deno.errors.NotFound(
      "Worker processes start in the working folder of the program, which is gone: call Deno.chdir() with one that is there",
      { cause: cause ?? error },
    );
  }
}

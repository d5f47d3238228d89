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

/** A path that means the same when the working folder is another one; that has to be readable. */
export function absolutePath(path: string): string {
  if (onWindows ? /^([a-z]:)?[\\/]/i.test(path) : path.startsWith("/")) {
    return path;
  }
  let folder;
  try {
    folder = Deno.cwd();
  } catch {
    // It is gone, or not to be read. Not the path itself: two commas at its start would be taken for one.
    return `./${path}`;
  }
  const separator = onWindows ? "\\" : "/";
  return path === "." ? folder : `${folder}${separator}${path}`;
}

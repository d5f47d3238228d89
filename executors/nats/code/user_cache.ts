/**
 * Where the user of this program has caches.
 *
 * @module
 */

/** The folder for what this package keeps; `undefined` if nothing says where caches are. */
export function userCacheFolder(): string | undefined {
  switch (Deno.build.os) {
    case "windows":
      return within(variable("LOCALAPPDATA"), "concurrent-futures\\code");
    case "darwin":
      return within(variable("HOME"), "Library/Caches/concurrent-futures/code");
    default:
      return within(variable("XDG_CACHE_HOME"), "concurrent-futures/code") ??
        within(variable("HOME"), ".cache/concurrent-futures/code");
  }
}

function within(folder: string | undefined, path: string): string | undefined {
  // Relative ones are to be ignored, says the XDG specification.
  if (folder === undefined || !/^([a-z]:)?[\\/]/i.test(folder)) {
    return undefined;
  }
  return `${folder}${Deno.build.os === "windows" ? "\\" : "/"}${path}`;
}

function variable(name: string): string | undefined {
  // Without the permission, Deno would ask whoever is at the terminal.
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

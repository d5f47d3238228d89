// Installs programs from the npm registry, once, into .cache/: other versions of
// Deno for the tests, and a denort for compiling on networks that let nothing but
// npm through. As a program, this runs a Deno of a given version:
//
//   deno run -A tools/npm.ts deno@2.4.2 test -A tests/executors

import { pathOf } from "../executors/runtime/file_path.ts";

const CACHE = new URL("../.cache/npm/", import.meta.url);

if (import.meta.main) {
  const [deno = "", ...args] = Deno.args;
  if (!deno.startsWith("deno@")) {
    console.error(`Expected deno@VERSION and its arguments, got "${deno}"`);
    Deno.exit(2);
  }
  const program = await installDeno(deno.slice("deno@".length));
  const { code } = await new Deno.Command(program, { args }).spawn().status;
  Deno.exit(code);
}

/**
 * Installs a version of Deno.
 *
 * @param version The version, such as `"2.4.2"`.
 * @returns The path of the program.
 */
export async function installDeno(version: string): Promise<string> {
  const { os, arch } = Deno.build;
  const platform = os === "windows" ? "win32" : os;
  const cpu = arch === "aarch64" ? "arm64" : "x64";
  const libc = os === "linux" ? "-glibc" : "";
  const program = os === "windows" ? "deno.exe" : "deno";
  // The package `deno` would pick one of these by a script of its own.
  return await installFile(
    `@deno/${platform}-${cpu}${libc}`,
    version,
    program,
  );
}

/**
 * Installs a package.
 *
 * @param name The name of the package.
 * @param version Its version.
 * @param path A file in it.
 * @returns The path of that file on this machine.
 */
export async function installFile(
  name: string,
  version: string,
  path: string,
): Promise<string> {
  const folder = new URL(`${name.replace("/", "+")}@${version}/`, CACHE);
  const file = pathOf(new URL(`node_modules/${name}/${path}`, folder));
  if (await exists(file)) return file;

  // Installed elsewhere first: an interrupted installation must not look like a whole one.
  await Deno.mkdir(CACHE, { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: pathOf(CACHE) });
  try {
    await npm(["install", "--prefix", unfinished, `${name}@${version}`]);
    await Deno.rename(unfinished, folder);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true });
    // Another process was faster.
    if (await exists(file)) return file;
    throw error;
  }
  return file;
}

/**
 * Runs npm, quietly, and without scripts of packages.
 *
 * @param args The arguments of npm.
 * @param options The folder in which npm runs.
 * @throws {Error} If npm fails; the message has its output.
 */
export async function npm(
  args: string[],
  options: { cwd?: URL } = {},
): Promise<void> {
  const isWindows = Deno.build.os === "windows";
  const { success, stderr } = await new Deno.Command(
    isWindows ? "cmd" : "npm",
    {
      args: [
        ...(isWindows ? ["/c", "npm"] : []),
        ...args,
        "--ignore-scripts",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
      ],
      stdin: "null",
      ...options,
    },
  ).output();
  if (!success) {
    throw new Error(
      `Cannot run "npm ${args.join(" ")}": ${
        new TextDecoder().decode(stderr).trim()
      }`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

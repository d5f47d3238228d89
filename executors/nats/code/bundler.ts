/**
 * Runs `deno bundle`, in such a way that it leaves no file anywhere, and says what
 * to do if that fails.
 *
 * @module
 */

import { TaskNotFoundError } from "../../errors.ts";
import { missingFolder, pathOf } from "../../runtime/file_path.ts";
import { because } from "../../text.ts";

/** How much of what `deno bundle` says is repeated. */
const MAX_SAID = 2000;

/** The command, and what has it print a bundle, and lock and download nothing in the project. */
const COMMAND = [
  "bundle",
  "--quiet",
  "--no-lock",
  "--vendor=false",
  "--sourcemap=inline",
  // The program has loaded the same modules already, wherever they come from.
  "--allow-import",
] as const;

/**
 * The flag with which esbuild keeps the names of functions: without, `function
 * age` may come out as `age2` (esbuild #1692).
 */
const KEEP_NAMES = "--keep-names";

/** Takes packages from the node_modules that there is, as Deno does in a project for npm; and leaves it as it is. */
const INSTALLED = "--node-modules-dir=manual";

/** Takes packages from Deno's own cache, and makes no node_modules. */
const CACHED = "--node-modules-dir=none";

/** Has messages be text, about the module alone. */
const ENV = {
  NO_COLOR: "1",
  RUST_BACKTRACE: "0",
  DENO_NO_UPDATE_CHECK: "1",
} as const;

/**
 * Bundles a module with all that it imports, as the configuration of its own
 * project says.
 *
 * @param module Its address, a `file:` URL.
 * @returns The text of the bundle, with a map of its source at the end.
 * @throws {TaskNotFoundError} If that cannot be done; the message says why.
 */
export async function runBundler(module: string): Promise<string> {
  if (!await hasInstalled(module)) return await bundleWith(CACHED, module);
  try {
    return await bundleWith(INSTALLED, module);
  } catch (error) {
    // Where Deno makes node_modules itself, it may not have all that is needed.
    return await bundleWith(CACHED, module).catch(() => {
      throw error;
    });
  }
}

async function bundleWith(packages: string, module: string): Promise<string> {
  const command = Deno.execPath();
  const path = pathOf(new URL(module));
  const refuse = (why: string, todo: string, cause?: unknown) =>
    new TaskNotFoundError(
      `Cannot bundle ${module} for nodes: ${why}: ${todo}`,
      { cause },
    );
  // Without the permission, Deno would ask whoever is at the terminal.
  const { state } = await Deno.permissions.query({ name: "run", command });
  if (state !== "granted") {
    throw refuse(
      `this starts ${command}`,
      `give the program --allow-run=${command}`,
    );
  }
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, {
      args: [...COMMAND, packages, ...(keepsNames() ? [KEEP_NAMES] : []), path],
      // Deno takes the configuration of the folder that it runs in, and of
      // those around it: here, the project that the module belongs to.
      cwd: new URL(".", module),
      env: ENV,
      stdin: "null",
    }).output();
  } catch (cause) {
    throw refuse(
      `${command} does not start${because(missingFolder(cause) ?? cause)}`,
      `see whether \`deno bundle ${path}\` does`,
      cause,
    );
  }
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  const why = saidBy(decoder.decode(output.stderr));
  throw refuse(
    why,
    why.includes("@esbuild/")
      ? "`deno bundle` gets esbuild from the npm registry once, which has to be within reach"
      : `see whether \`deno bundle ${path}\` works in its folder, and keep what does not out of what it imports`,
  );
}

/** Whether this Deno has {@linkcode KEEP_NAMES}. */
function keepsNames(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || minor > 6;
}

/** Whether there is a node_modules for a module, as far as this program may see. */
async function hasInstalled(module: string): Promise<boolean> {
  let folder = new URL(".", module);
  while (true) {
    const path = pathOf(new URL("node_modules", folder));
    const { state } = await Deno.permissions.query({ name: "read", path });
    if (state === "granted" && await isFolder(path)) return true;
    const parent = new URL("..", folder);
    if (parent.href === folder.href) return false;
    folder = parent;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // There is none.
    return false;
  }
}

/** What the bundler says, on one line, and without characters that a terminal obeys. */
function saidBy(output: string): string {
  return output
    .replace(/[\s\p{C}]+/gu, " ")
    .replace(/^ ?error: | ?error: bundling failed ?$/g, "")
    .trim()
    .slice(0, MAX_SAID);
}

/**
 * How worker processes are started: which program, with which flags.
 *
 * @module
 */

import type { ProcessSettings } from "./child_process.ts";
import { pathOf } from "./file_path.ts";
import { url, WORKER_ARGUMENT } from "./process_main.ts";
import { permissionFlags, permissionsToGiveUp } from "./process_permissions.ts";

/** What a program asks for. */
export interface ProcessWishes {
  readonly permissions: Deno.PermissionOptions | undefined;
  /** MiB. */
  readonly memoryLimit: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Where V8 looks for flags; unlike one of Deno's own, it also reaches a compiled program. */
const V8_FLAGS = "DENO_V8_FLAGS";

const READ = "--allow-read";

/** The files that say what names mean in imports. */
const CONFIG_FILES = ["deno.json", "deno.jsonc"];

/**
 * Plans it, for all workers of an executor.
 *
 * @throws {Deno.errors.NotCapable} If the program may not run itself, or has
 * not the permissions that its workers are to have.
 * @throws {Deno.errors.NotSupported} If a compiled program is to narrow
 * permissions to a list.
 */
export function planProcess(wishes: ProcessWishes): ProcessSettings {
  const { permissions } = wishes;
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(
      `A ProcessPoolExecutor starts ${command}: give the program --allow-run=${command}`,
    );
  }
  const env = envOf(wishes);
  if (Deno.build.standalone) {
    const revoke = permissionsToGiveUp(permissions);
    return { command, args: [WORKER_ARGUMENT], env, revoke };
  }
  const flags = permissionFlags(permissions);
  const revoke = url.startsWith("file:") ? [...allowOwnFolder(flags)] : [];
  return { command, args: runArguments(flags), env, revoke };
}

/**
 * Deno wants to read the module of a thread that is started from a file, so a
 * process may read the folder of this package, if it may not anyway, and gives
 * that up before the first task.
 */
function* allowOwnFolder(flags: string[]): Iterable<string> {
  const folder = pathOf(new URL("..", url));
  const index = flags.findIndex((flag) =>
    flag === "--allow-all" || flag.startsWith(READ)
  );
  if (index < 0) {
    flags.push(`${READ}=${folder}`);
    yield "read";
    return;
  }
  const [flag, list] = flags[index]!.split("=");
  if (
    list === undefined || list.split(",").some((path) => holds(path, folder))
  ) {
    return;
  }
  flags[index] = `${flag}=${list},${folder}`;
  yield `read=${folder}`;
}

/** Whether a folder surely is in another one. */
function holds(outer: string, folder: string): boolean {
  try {
    const path = outer === "." ? Deno.cwd() : outer;
    const separator = Deno.build.os === "windows" ? "\\" : "/";
    return folder.startsWith(path.replace(/[\\/]?$/, () => separator));
  } catch {
    // The current folder is not to be read.
    return false;
  }
}

function runArguments(permissions: readonly string[]): string[] {
  const config = findConfig();
  return [
    "run",
    "--quiet",
    "--no-prompt",
    // What the program has locked it has also loaded; workers would only compete for the file.
    "--no-lock",
    ...(config === undefined ? [] : ["--config", config]),
    ...permissions,
    url,
  ];
}

/** The configuration of the program, as Deno finds it; a process would look for its own. */
function findConfig(): string | undefined {
  const { mainModule } = Deno;
  if (!mainModule.startsWith("file:")) return undefined;
  let folder = new URL(".", mainModule);
  while (true) {
    for (const name of CONFIG_FILES) {
      const path = pathOf(new URL(name, folder));
      if (isFile(path)) return path;
    }
    const parent = new URL("..", folder);
    if (parent.href === folder.href) return undefined;
    folder = parent;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Not there, or not to be read.
    return false;
  }
}

function envOf({ env, memoryLimit }: ProcessWishes): Record<string, string> {
  if (memoryLimit === Infinity) return { ...env };
  const limit = `--max-old-space-size=${memoryLimit}`;
  const flags = env[V8_FLAGS] ?? ownFlags();
  return {
    ...env,
    [V8_FLAGS]: flags === undefined ? limit : `${flags},${limit}`,
  };
}

function ownFlags(): string | undefined {
  const { state } = Deno.permissions.querySync({
    name: "env",
    variable: V8_FLAGS,
  });
  return state === "granted" ? Deno.env.get(V8_FLAGS) : undefined;
}

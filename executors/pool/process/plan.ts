/**
 * How worker processes are started: which program, with which flags.
 *
 * @module
 */

import type { ProcessSettings } from "./child_process.ts";
import {
  folderWithoutComma,
  isInFolder,
  missingFolder,
  pathOf,
} from "../../runtime/file_path.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { url } from "./entry.ts";
import { WORKER_ARGUMENT } from "./main.ts";
import {
  type Grants,
  grantsFor,
  hasNone,
  importsWished,
  type ImportWish,
  permissionFlags,
  permissionsToGiveUp,
} from "./permissions.ts";

/** What a program asks for. */
export interface ProcessWishes {
  readonly permissions: Deno.PermissionOptions | undefined;
  /** MiB. */
  readonly memoryLimit: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Where V8 looks for flags; unlike one of Deno's own, it also reaches a compiled program. */
const V8_FLAGS = "DENO_V8_FLAGS";

const NO_UPDATE_CHECK = "DENO_NO_UPDATE_CHECK";

/** npm packages are what is in node_modules, and nothing is fetched. */
const MANUAL_MODULES = "--node-modules-dir=manual";

/** The files that say what names mean in imports. */
const CONFIG_FILES = ["deno.json", "deno.jsonc"];

/**
 * Plans it, for all workers of an executor.
 *
 * @throws {Deno.errors.NotCapable} If the program may not run itself, or has
 * not the permissions that its workers are to have.
 * @throws {Deno.errors.NotFound} If the working folder was removed.
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
  const missing = missingFolder();
  if (missing !== undefined) throw missing;
  const main = mainModule();
  if (Deno.build.standalone) {
    const revoke = permissionsToGiveUp(permissions);
    const env = envOf(wishes);
    return { command, args: [WORKER_ARGUMENT], main, env, revoke };
  }
  const grants = grantsFor(permissions);
  const imports = importsWished(permissions);
  const revoke = [...allowStart(grants)];
  if (imports === "nothing" || hasNone(grants.import)) revoke.push("import");
  const args = runArguments(main, imports, permissionFlags(grants));
  const env = envOf(wishes);
  // Else Deno would ask, once a day, whether there is a newer one.
  if (imports !== "as the program") env[NO_UPDATE_CHECK] ??= "1";
  return { command, args, main, env, revoke };
}

/**
 * A worker process gives up before the first task what only its start takes:
 * Deno wants to read the module of a thread that is started from a file, and to
 * import one that is not; messages get a descriptor of their own by a function
 * of the system.
 */
function* allowStart(grants: Grants): Iterable<string> {
  if (url.startsWith("file:")) {
    const folder = folderWithoutComma(pathOf(new URL("../..", url)));
    yield* allow(grants, "read", folder, (path) => isInFolder(folder, path));
  } else if (grants.import !== false) {
    const { hostname, port, protocol } = new URL(url);
    const host = `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
    yield* allow(
      grants,
      "import",
      host,
      (granted) => granted === host || granted === hostname,
    );
  }
  // Of a name on a list Deno makes a path in the working folder, where no such library is.
  if (grants.ffi === false || hasNone(grants.ffi)) {
    grants.ffi = true;
    yield "ffi";
  }
}

function* allow(
  grants: Grants,
  name: "import" | "read",
  entry: string,
  covers: (granted: string) => boolean,
): Iterable<string> {
  const grant = grants[name];
  if (grant === true) return;
  const granted = grant === false ? [] : grant;
  if (granted.some(covers)) return;
  grants[name] = [...granted, entry];
  yield `${name}=${entry}`;
}

function runArguments(
  main: string | undefined,
  imports: ImportWish,
  permissions: readonly string[],
): string[] {
  const flags = [
    ...(main === undefined ? [] : configFlags(main)),
    ...importFlags(imports),
  ];
  return [
    "run",
    "--quiet",
    "--no-prompt",
    // What the program has locked it has also loaded; workers would only compete for the file.
    "--no-lock",
    ...new Set(flags),
    ...permissions,
    url,
  ];
}

/**
 * No permission of Deno's is about npm: any name that a task imports is a
 * request to the registry. Packages that are there already go on working: with
 * no import allowed, those in Deno's cache and in node_modules; with a list of
 * hosts, which takes requests, those in node_modules alone.
 */
function importFlags(imports: ImportWish): string[] {
  switch (imports) {
    case "as the program":
      return [];
    case "hosts":
      return [MANUAL_MODULES];
    case "nothing":
      return ["--cached-only"];
  }
}

/**
 * What names mean in imports, as Deno finds that out for the main module; a
 * process would look beside its own. Deno takes the nearest folder that has a
 * deno.json or a package.json, and the workspace around it; what is in
 * node_modules has a say in nothing.
 */
function configFlags(main: string): string[] {
  if (!main.startsWith("file:")) return [];
  let folder = new URL(".", main.replace(/\/node_modules\/.*$/s, "/"));
  let npmProject = false;
  while (true) {
    const config = CONFIG_FILES
      .map((name) => pathOf(new URL(name, folder)))
      .find(isFile);
    if (config !== undefined && (!npmProject || isWorkspace(config))) {
      return ["--config", config];
    }
    npmProject ||= isFile(pathOf(new URL("package.json", folder)));
    const parent = new URL("..", folder);
    if (parent.href === folder.href) break;
    folder = parent;
  }
  // There is no flag that names a package.json; this is what one changes.
  return npmProject ? [MANUAL_MODULES] : [];
}

function isFile(path: string): boolean {
  // Else Deno would ask whoever is at the terminal.
  const { state } = Deno.permissions.querySync({ name: "read", path });
  if (state !== "granted") return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Not there.
    return false;
  }
}

/** Whether a deno.json has members. */
function isWorkspace(path: string): boolean {
  try {
    return /"workspace"\s*:/.test(Deno.readTextFileSync(path));
  } catch {
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

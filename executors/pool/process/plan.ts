/**
 * Plans how worker processes are started: which program, with which flags, and
 * which permissions they give up before the first call.
 *
 * @module
 */

import {
  folderWithoutComma,
  isInFolder,
  missingFolder,
  pathOf,
} from "../../runtime/file_path.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { entries } from "../entries.ts";
import type { ProcessSettings } from "./child_process.ts";
// This import also puts the entry module of workers into the module graph, so
// that it is cached with the package.
import "./entry.ts";
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

/** What the user of an executor asks for. */
interface ProcessWishes {
  readonly permissions: Deno.PermissionOptions | undefined;
  /** In MiB, `Infinity` for none. */
  readonly memoryLimit: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The variable with flags for V8; unlike a flag of Deno, it also reaches a compiled program. */
const V8_FLAGS = "DENO_V8_FLAGS";

const NO_UPDATE_CHECK = "DENO_NO_UPDATE_CHECK";

/** With this flag, npm packages are those in node_modules, and nothing is fetched. */
const MANUAL_MODULES = "--node-modules-dir=manual";

/** The files that say what names mean in imports. */
const CONFIG_FILES = ["deno.json", "deno.jsonc"];

/**
 * Plans the start of all workers of an executor.
 *
 * @param wishes What the user asks for.
 * @returns How to start each worker.
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
  // Without this, Deno would ask its host, once a day, for a newer version.
  if (imports !== "as the program") env[NO_UPDATE_CHECK] ??= "1";
  return { command, args, main, env, revoke };
}

/**
 * Adds to the grants what only the start of a worker needs, and yields that, to
 * be given up before the first call. To start its thread, Deno has to read the
 * module from a file, or to import it from a host; and a function of the system
 * gives the messages their own descriptor.
 */
function* allowStart(grants: Grants): Iterable<string> {
  const url = entries.process;
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
  // All, as Deno would take the name of a library on a list for a path in the working folder.
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
    // The program has loaded what the file locks; workers would only compete for the file.
    "--no-lock",
    ...new Set(flags),
    ...permissions,
    entries.process,
  ];
}

/**
 * The flags that keep tasks from the npm registry, as no permission of Deno
 * does: any name that a task imports would be a request. Packages that are there
 * already go on working: with no import allowed, those in Deno's cache and in
 * node_modules; with a list of hosts, to which requests go, those in
 * node_modules alone.
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
 * The flags by which names in imports mean what they mean in the main module; a
 * process would look for its configuration beside its own. Deno takes the
 * nearest folder that has a deno.json or a package.json, and the workspace
 * around it, and ignores those in node_modules.
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
  // No flag names a package.json; this one does what a package.json changes.
  return npmProject ? [MANUAL_MODULES] : [];
}

function isFile(path: string): boolean {
  // Without the permission, Deno would ask whoever is at the terminal.
  const { state } = Deno.permissions.querySync({ name: "read", path });
  if (state !== "granted") return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // There is no such file.
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

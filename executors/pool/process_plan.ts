/**
 * How worker processes are started: which program, with which flags, so that
 * they may do what they are to be allowed.
 *
 * @module
 */

import { show } from "../arguments.ts";
import type { ProcessSettings } from "./child_process.ts";
import { checkPermissionsShape } from "./permissions.ts";
import { url, WORKER_ARGUMENT } from "./process_main.ts";

/** What a program asks for. */
export interface ProcessWishes {
  readonly permissions: Deno.PermissionOptions | undefined;
  /** MiB. */
  readonly memoryLimit: number;
  readonly env: Readonly<Record<string, string>>;
}

const NAMES = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
] as const;
type Name = typeof NAMES[number];

/** What one permission comes to: all, nothing, or what a list names. */
type Grant = boolean | readonly string[];

/**
 * Plans it, for all workers of an executor.
 *
 * @throws {Deno.errors.NotCapable} If the program may not run itself.
 * @throws {Deno.errors.NotSupported} If a compiled program is to narrow
 * permissions to a list.
 */
export function planProcess(wishes: ProcessWishes): ProcessSettings {
  checkPermissionsShape(wishes.permissions);
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(
      `A ProcessPoolExecutor starts ${command}: give the program --allow-run=${command}`,
    );
  }
  const env = { ...wishes.env };
  if (wishes.memoryLimit !== Infinity) {
    // Unlike the flag, this also reaches a compiled program.
    env["DENO_V8_FLAGS"] = `--max-old-space-size=${wishes.memoryLimit}`;
  }
  return Deno.build.standalone
    ? { command, args: [WORKER_ARGUMENT], env, revoke: namesToRevoke(wishes) }
    : { command, args: [...runArguments(wishes), url], env, revoke: [] };
}

/** A compiled program has the permissions that were compiled into it; it can only give up some. */
function namesToRevoke({ permissions }: ProcessWishes): Name[] {
  return NAMES.filter((name) => {
    const wish = wishFor(name, permissions);
    if (wish === true || wish === "inherit") return false;
    if (wish === false) return true;
    throw new Deno.errors.NotSupported(
      `A compiled program cannot narrow a permission to a list: received ${name}: ${
        show(wish)
      }`,
    );
  });
}

function runArguments({ permissions }: ProcessWishes): string[] {
  const grants = NAMES.map((name) => {
    const wish = wishFor(name, permissions);
    return [name, wish === "inherit" ? ownGrant(name) : wish] as const;
  });
  const flags = grants.every(([, grant]) => grant === true)
    ? ["--allow-all"]
    : grants.flatMap(([name, grant]) => flagsOf(name, grant));
  // What the program has locked it has also loaded; workers would only compete for the file.
  return ["run", "--quiet", "--no-prompt", "--no-lock", ...flags];
}

function wishFor(
  name: Name,
  permissions: Deno.PermissionOptions | undefined,
): Grant | "inherit" {
  if (permissions === undefined || permissions === "inherit") return "inherit";
  if (permissions === "none") return false;
  const wish = permissions[name] ?? false;
  return typeof wish === "object" ? wish.map(String) : wish;
}

/** What this program may do itself, as far as it can find out. */
function ownGrant(name: Name): Grant {
  if (isGranted({ name })) return true;
  if (name !== "read" && name !== "write") return false;
  return [...ownFolders()].filter((path) => isGranted({ name, path }));
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** Where the modules of tasks most likely are. */
function* ownFolders(): Iterable<string> {
  if (isGranted({ name: "read", path: "." })) yield ".";
  if (!isGranted({ name: "read" }) && Deno.mainModule.startsWith("file:")) {
    yield decodeURIComponent(new URL(".", Deno.mainModule).pathname);
  }
}

function flagsOf(name: Name, grant: Grant): string[] {
  if (grant === true) return [`--allow-${name}`];
  if (grant === false || grant.length === 0) return [];
  return [`--allow-${name}=${grant.join(",")}`];
}

/**
 * What worker processes may do: never more than the program itself.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { pathOf } from "./file_path.ts";
import { checkPermissionsShape } from "./permissions.ts";

/** What there is to be allowed. */
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

/** One of the permissions. */
export type PermissionName = typeof NAMES[number];

/** What an entry of a list is called when Deno is asked about it. */
const DESCRIBED_AS = {
  env: "variable",
  ffi: "path",
  import: "host",
  net: "host",
  read: "path",
  run: "command",
  sys: "kind",
  write: "path",
} as const;

/** What one permission comes to: all, nothing, or what a list names. */
type Grant = boolean | readonly string[];

/**
 * The flags for `deno run`.
 *
 * @throws {Deno.errors.NotCapable} If the program itself has not what is asked
 * for.
 */
export function permissionFlags(
  permissions: Deno.PermissionOptions | undefined,
): string[] {
  const grants = NAMES.map((name) =>
    [name, grantOf(name, wishFor(name, permissions))] as const
  );
  return grants.every(([, grant]) => grant === true)
    ? ["--allow-all"]
    : grants.flatMap(([name, grant]) => flagsOf(name, grant));
}

/**
 * What a compiled program is to give up: it has the permissions that were
 * compiled into it.
 *
 * @throws {Deno.errors.NotSupported} If a permission is to be narrowed to a
 * list.
 */
export function permissionsToGiveUp(
  permissions: Deno.PermissionOptions | undefined,
): PermissionName[] {
  return NAMES.filter((name) => {
    const wish = wishFor(name, permissions);
    if (wish === "inherit") return false;
    if (typeof wish === "boolean") return !grantOf(name, wish);
    throw new Deno.errors.NotSupported(
      `A compiled program cannot narrow a permission to a list: received ${name}: ${
        show(wish)
      }`,
    );
  });
}

function wishFor(
  name: PermissionName,
  permissions: Deno.PermissionOptions | undefined,
): Grant | "inherit" {
  checkPermissionsShape(permissions);
  if (permissions === undefined || permissions === "inherit") return "inherit";
  if (permissions === "none") return false;
  const wish: unknown = permissions[name] ?? false;
  if (typeof wish === "boolean" || wish === "inherit") return wish;
  if (!Array.isArray(wish)) {
    throw new RangeError(
      `'permissions.${name}' must be a boolean, "inherit" or an array: received ${
        show(wish)
      }`,
    );
  }
  return wish.map((entry: string | URL) =>
    entry instanceof URL ? pathOf(entry) : entry
  );
}

function grantOf(name: PermissionName, wish: Grant | "inherit"): Grant {
  if (wish === "inherit") return ownGrant(name);
  const entries = wish === true ? [undefined] : wish === false ? [] : wish;
  for (const entry of entries) {
    if (isGranted(name, entry)) continue;
    throw new Deno.errors.NotCapable(
      `Workers cannot be allowed what the program is not: ${
        entry === undefined ? name : `${name} ${entry}`
      }`,
    );
  }
  return wish;
}

/** What this program may do itself, as far as it can find out. */
function ownGrant(name: PermissionName): Grant {
  if (isGranted(name)) return true;
  if (name !== "read" && name !== "write") return false;
  return ownFolders().filter((path) => isGranted(name, path));
}

/** Where the modules of tasks most likely are, and those of this package. */
function ownFolders(): string[] {
  const folders = [
    new URL(".", Deno.mainModule),
    new URL("../..", import.meta.url),
  ];
  return [
    ".",
    ...folders.filter(({ protocol }) => protocol === "file:").map(pathOf),
  ];
}

function isGranted(name: PermissionName, entry?: string): boolean {
  const { state, partial } = Deno.permissions.querySync(
    {
      name,
      ...(entry !== undefined && { [DESCRIBED_AS[name]]: entry }),
    } as Deno.PermissionDescriptor,
  );
  // Partial: all, except for what --deny-… names.
  return state === "granted" && !partial;
}

function flagsOf(name: PermissionName, grant: Grant): string[] {
  if (grant === true) return [`--allow-${name}`];
  if (grant === false || grant.length === 0) return [];
  const unfit = grant.find((entry) => entry.includes(","));
  if (unfit !== undefined) {
    throw new RangeError(`A permission cannot have a comma: received ${unfit}`);
  }
  return [`--allow-${name}=${grant.join(",")}`];
}

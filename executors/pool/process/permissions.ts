/**
 * Finds the permissions of worker processes: never more than those of the
 * program itself.
 *
 * @module
 */

import {
  absolutePath,
  folderWithoutComma,
  pathOf,
} from "../../runtime/file_path.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { show } from "../../text.ts";
import { entries } from "../entries.ts";
import { checkPermissionsShape } from "../thread/permissions.ts";

/**
 * The hosts from which Deno lets a program import without a flag, in every
 * version; newer ones add raw.esm.sh.
 */
const DEFAULT_HOSTS = [
  "cdn.jsdelivr.net:443",
  "deno.land:443",
  "esm.sh:443",
  "gist.githubusercontent.com:443",
  "jsr.io:443",
  "raw.githubusercontent.com:443",
] as const;

/** All permissions of Deno. */
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
type PermissionName = typeof NAMES[number];

/** The field by which Deno is asked about an entry of a list. */
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

/** The permissions for paths. */
const OF_PATHS: readonly PermissionName[] = ["ffi", "read", "write"];

/** The permissions whose entries Deno also takes as `file:` URLs. */
const OF_URLS: readonly PermissionName[] = [...OF_PATHS, "run"];

/** How much of a permission is granted: all, nothing, or the entries of a list. */
type Grant = boolean | readonly string[];

/** How much of each permission a worker process is to have. */
export type Grants = Record<PermissionName, Grant>;

/**
 * Finds what worker processes get. Paths are absolute: a program may change its
 * working folder before the last worker starts.
 *
 * @param permissions What the user asks for.
 * @returns How much of each permission to grant.
 * @throws {TypeError} If an entry is no string.
 * @throws {RangeError} If Deno would not take an entry as it is.
 * @throws {Deno.errors.NotCapable} If the program itself has not the permission.
 */
export function grantsFor(
  permissions: Deno.PermissionOptions | undefined,
): Grants {
  return Object.fromEntries(
    NAMES.map((name) => [name, grantOf(name, wishFor(name, permissions))]),
  ) as Grants;
}

/** The flags for `deno run`. */
export function permissionFlags(grants: Grants): string[] {
  return NAMES.every((name) => grants[name] === true)
    ? ["--allow-all"]
    : NAMES.flatMap((name) => flagsOf(name, grants[name]));
}

/**
 * From where tasks are to import: from where the program may, from hosts on a
 * list, or from nowhere.
 */
export type ImportWish = "as the program" | "hosts" | "nothing";

/** From where tasks are to import, by the permissions that the user asks for. */
export function importsWished(
  permissions: Deno.PermissionOptions | undefined,
): ImportWish {
  const wish = wishFor("import", permissions);
  if (wish === true || wish === "inherit") return "as the program";
  return wish === false || wish.length === 0 ? "nothing" : "hosts";
}

/** Whether a grant is a list without entries. */
export function hasNone(grant: Grant): boolean {
  return typeof grant === "object" && grant.length === 0;
}

/**
 * Finds the permissions that a worker of a compiled program is to give up, as it
 * has all that were compiled into it.
 *
 * @param permissions What the user asks for.
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
  return Array.from(wish, (entry: unknown) => textOf(name, entry));
}

/** An entry as text that means the same in a flag, and nothing else. */
function textOf(name: PermissionName, entry: unknown): string {
  if (entry instanceof URL && OF_URLS.includes(name)) {
    if (entry.protocol === "file:") return textOf(name, pathOf(entry));
    throw unfit(name, "file: URLs", entry.href);
  }
  if (typeof entry !== "string") {
    throw new TypeError(
      `'permissions.${name}' must be an array of strings: received ${
        show(entry)
      } in it`,
    );
  }
  // An empty entry would make a flag without a value, which allows all.
  if (entry === "" || entry.includes("\0")) {
    throw unfit(name, "entries that are not empty, without NUL", entry);
  }
  // Deno splits lists at commas. For a comma in a path, some versions take two, but not 2.9.6.
  if (entry.includes(",")) {
    throw unfit(name, "entries without a comma", entry);
  }
  const isHost = name === "import" || name === "net";
  // Deno itself would end the worker, and say why on its error stream alone.
  if ((isHost || name === "env") && entry.includes("=")) {
    throw unfit(name, 'entries without "="', entry);
  }
  // From a port alone, Deno makes several hosts.
  if (isHost && /^:|\/\//.test(entry)) {
    throw unfit(name, 'hosts such as "example.com:443"', entry);
  }
  // Deno looks for the name of a program in PATH.
  const isPath = OF_PATHS.includes(name) ||
    name === "run" && /[\\/]/.test(entry);
  return isPath ? absolutePath(entry) : entry;
}

function unfit(name: PermissionName, wanted: string, entry: string) {
  return new RangeError(
    `'permissions.${name}' must have ${wanted}: received ${show(entry)}`,
  );
}

function grantOf(name: PermissionName, wish: Grant | "inherit"): Grant {
  if (wish === "inherit") return ownGrant(name);
  const entries = wish === true ? [undefined] : wish === false ? [] : wish;
  for (const entry of entries) {
    if (isGranted(name, entry) && !isHoled(name, entry)) continue;
    throw new Deno.errors.NotCapable(
      `Workers cannot be allowed what the program is not: ${
        entry === undefined ? name : `${name} ${entry}`
      }`,
    );
  }
  return wish;
}

/**
 * How much of a permission this program has, as far as it can find out. Of
 * imports, `false` means the hosts that Deno allows without a flag.
 */
function ownGrant(name: PermissionName): Grant {
  if (isGranted(name)) return true;
  if (name === "import") {
    const hosts = DEFAULT_HOSTS.filter((host) => isGranted(name, host));
    return hosts.length < DEFAULT_HOSTS.length && hosts;
  }
  if (name !== "read" && name !== "write") return false;
  return ownFolders().filter((path) => isGranted(name, path));
}

/** The folders where the modules of tasks most likely are, and that of this package. */
function ownFolders(): string[] {
  const main = mainModule();
  const folders = [
    ...(main === undefined ? [] : [new URL(".", main)]),
    new URL("../../..", entries.process),
  ];
  return [
    absolutePath("."),
    ...folders.filter(({ protocol }) => protocol === "file:")
      .map((folder) => folderWithoutComma(pathOf(folder))),
  ];
}

function isGranted(name: PermissionName, entry?: string): boolean {
  const { state, partial } = query(name, entry);
  // Partial means all, except for entries of --deny-….
  return state === "granted" && !partial;
}

/**
 * Whether the program may be denied some of what an entry names, which Deno
 * does not tell of patterns, ranges and all ports of a host.
 */
function isHoled(name: PermissionName, entry: string | undefined): boolean {
  if (entry === undefined) return false;
  switch (name) {
    case "env":
      return entry.includes("*") && !isGranted(name);
    case "import":
    case "net":
      if (/[*/]/.test(entry)) return !isGranted(name);
      return !/:\d+$/.test(entry) && query(name).partial === true;
    default:
      return false;
  }
}

function query(
  name: PermissionName,
  entry?: string,
): { state: Deno.PermissionState; partial?: boolean } {
  const named = entry !== undefined && { [DESCRIBED_AS[name]]: entry };
  try {
    return Deno.permissions.querySync(
      { name, ...named } as Deno.PermissionDescriptor,
    );
  } catch (cause) {
    // The entry is no host, or no kind of information about the system.
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    throw new RangeError(
      `'permissions.${name}' cannot have ${show(entry)}${reason}`,
      { cause },
    );
  }
}

function flagsOf(name: PermissionName, grant: Grant): string[] {
  if (grant === true) return [`--allow-${name}`];
  if (grant === false || grant.length === 0) return [];
  return [`--allow-${name}=${grant.join(",")}`];
}

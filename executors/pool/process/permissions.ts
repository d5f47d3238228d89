/**
 * What worker processes may do: never more than the program itself.
 *
 * @module
 */

import { show } from "../../text.ts";
import {
  absolutePath,
  folderWithoutComma,
  pathOf,
} from "../../runtime/file_path.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { checkPermissionsShape } from "../thread/permissions.ts";

/**
 * Where Deno lets a program import from without a flag, in every version; newer
 * ones add raw.esm.sh.
 */
const DEFAULT_HOSTS = [
  "cdn.jsdelivr.net:443",
  "deno.land:443",
  "esm.sh:443",
  "gist.githubusercontent.com:443",
  "jsr.io:443",
  "raw.githubusercontent.com:443",
] as const;

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

/** Those that are for paths. */
const OF_PATHS: readonly PermissionName[] = ["ffi", "read", "write"];

/** Those whose entries Deno also takes as `file:` URLs. */
const OF_URLS: readonly PermissionName[] = [...OF_PATHS, "run"];

/** What one permission comes to: all, nothing, or what a list names. */
export type Grant = boolean | readonly string[];

/** What a worker process is to have of each. */
export type Grants = Record<PermissionName, Grant>;

/**
 * What worker processes get. Paths are absolute: a program may change its
 * working folder before the last worker starts.
 *
 * @throws {TypeError} If an entry is no string.
 * @throws {RangeError} If an entry is one that Deno would not take as it is.
 * @throws {Deno.errors.NotCapable} If the program itself has not what is asked
 * for.
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

/** What tasks are to import: what the program may, or hosts on a list, or nothing. */
export type ImportWish = "as the program" | "hosts" | "nothing";

/** What a program wants of imports. */
export function importsWished(
  permissions: Deno.PermissionOptions | undefined,
): ImportWish {
  const wish = wishFor("import", permissions);
  if (wish === true || wish === "inherit") return "as the program";
  return wish === false || wish.length === 0 ? "nothing" : "hosts";
}

/** Whether a list has nothing on it. */
export function hasNone(grant: Grant): boolean {
  return typeof grant === "object" && grant.length === 0;
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
  return Array.from(wish, (entry: unknown) => textOf(name, entry));
}

/** An entry as a flag can name it, and names nothing else. */
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
  // A flag without a value allows all.
  if (entry === "" || entry.includes("\0")) {
    throw unfit(name, "entries that are not empty, without NUL", entry);
  }
  // Deno splits lists at commas; of paths, some versions take two for one, and 2.9.6 does not.
  if (entry.includes(",")) {
    throw unfit(name, "entries without a comma", entry);
  }
  const isHost = name === "import" || name === "net";
  // Deno itself would end the worker for it, and say why on its error stream alone.
  if ((isHost || name === "env") && entry.includes("=")) {
    throw unfit(name, 'entries without "="', entry);
  }
  // Of a port alone Deno makes several hosts.
  if (isHost && /^:|\/\//.test(entry)) {
    throw unfit(name, 'hosts such as "example.com:443"', entry);
  }
  // The name of a program is looked for in PATH.
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
 * What this program may do itself, as far as it can find out. Imports: `false`
 * is what Deno allows without a flag.
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

/** Where the modules of tasks most likely are, and those of this package. */
function ownFolders(): string[] {
  const main = mainModule();
  const folders = [
    ...(main === undefined ? [] : [new URL(".", main)]),
    new URL("../../..", import.meta.url),
  ];
  return [
    absolutePath("."),
    ...folders.filter(({ protocol }) => protocol === "file:")
      .map((folder) => folderWithoutComma(pathOf(folder))),
  ];
}

function isGranted(name: PermissionName, entry?: string): boolean {
  const { state, partial } = query(name, entry);
  // Partial: all, except for what --deny-… names.
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
    // No host, or no kind of information about the system.
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

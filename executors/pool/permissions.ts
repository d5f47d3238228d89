/**
 * What workers may do, checked before Deno is asked: without a flag it ends the
 * whole program.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { nodeBuiltin } from "./node_builtin.ts";

const FLAG = "--unstable-worker-options";

/** Where no program is: a folder, at which some versions throw at once (2.7.9, 2.7.14), would do no better. */
const NO_PROGRAM = "/@concurrent/futures asks for flags, and starts nothing";

/** What a fork, and the error of one that failed, say of the command line. */
interface SpawnArguments {
  readonly spawnargs?: readonly string[];
}

/** What is used of `node:child_process`. */
interface ChildProcess {
  fork(
    module: string,
    args: readonly string[],
    options: { execPath: string; stdio: "ignore" },
  ): SpawnArguments & { on(event: "error", fn: () => void): void };
}

/** Whether Deno has the flag, once that is known. */
let flagged: boolean | undefined;

/**
 * What to give a Web Worker; `undefined` for what it has anyway.
 *
 * @throws {TypeError} If it has the wrong shape.
 * @throws {RangeError} If it is an unknown word.
 * @throws {Deno.errors.NotSupported} If Deno was started without the flag.
 */
export function checkPermissions(
  permissions: Deno.PermissionOptions | undefined,
): Deno.PermissionOptions | undefined {
  checkPermissionsShape(permissions);
  if (permissions === undefined || permissions === "inherit") return undefined;
  if (hasFlag() === false) {
    throw new Deno.errors.NotSupported(
      `Cannot give workers permissions of their own without the flag ${FLAG}`,
    );
  }
  return permissions;
}

/**
 * Checks what any worker is to be given.
 *
 * @throws {TypeError} If it has the wrong shape.
 * @throws {RangeError} If it is an unknown word.
 */
export function checkPermissionsShape(
  permissions: Deno.PermissionOptions | undefined,
): void {
  const known = permissions === undefined || permissions === "inherit" ||
    permissions === "none" ||
    typeof permissions === "object" && permissions !== null;
  if (known) return;
  const ErrorClass = typeof permissions === "string" ? RangeError : TypeError;
  throw new ErrorClass(
    `'permissions' must be "inherit", "none" or an object: received ${
      show(permissions)
    }`,
  );
}

/**
 * Whether Deno has the flag, from the command line or from deno.json;
 * `undefined` if it does not tell. Nothing does so directly, but a fork gets
 * the flags of its parent.
 */
function hasFlag(): boolean | undefined {
  const mayAsk = (["run", "env"] as const).every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  if (!mayAsk || Deno.build.standalone) return undefined;
  flagged ??= forkArguments()?.includes(FLAG);
  return flagged;
}

function forkArguments(): readonly string[] | undefined {
  try {
    const { fork } = nodeBuiltin<ChildProcess>("node:child_process");
    const child = fork("", [], { execPath: NO_PROGRAM, stdio: "ignore" });
    child.on("error", () => {});
    return child.spawnargs;
  } catch (error) {
    // Whether it is told of at once or later differs between versions.
    return (error as SpawnArguments | undefined)?.spawnargs;
  }
}

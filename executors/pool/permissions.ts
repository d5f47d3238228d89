/**
 * What workers may do, checked before Deno is asked: without a flag it ends the
 * whole program.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { unstableFlags } from "./unstable_flags.ts";

const FLAG = "--unstable-worker-options";

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
  if (unstableFlags()?.includes(FLAG) === false) {
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

/**
 * Checks what workers may do before Deno sees it: without one flag, Deno ends
 * the whole program; without another, it asks whoever is at the terminal.
 *
 * @module
 */

import { nodeBuiltin } from "../../runtime/node_builtin.ts";
import { show } from "../../text.ts";

const FLAG = "--unstable-worker-options";

/**
 * A path where no program is. Not a folder: at one, some versions throw at once
 * (2.7.9, 2.7.14).
 */
const NO_PROGRAM = "/@concurrent/futures asks for flags, and starts nothing";

/** The command line, as a fork, or the error of one that failed, tells it. */
interface SpawnArguments {
  readonly spawnargs?: readonly string[];
}

/** The part of `node:child_process` that is used here. */
interface ChildProcess {
  fork(
    module: string,
    args: readonly string[],
    options: { execPath: string; stdio: "ignore" },
  ): SpawnArguments & { on(event: "error", fn: () => void): void };
}

/** Whether Deno was started with the flag, once that is known. */
let flagged: boolean | undefined;

/** Whether {@linkcode warnOfPrompts} has spoken. */
let warned = false;

/**
 * Checks the permissions for a Web Worker.
 *
 * @param permissions What the user asks for.
 * @returns What to give Deno; `undefined` if the worker is to have what the
 * program has.
 * @throws {TypeError} If `permissions` has the wrong shape.
 * @throws {RangeError} If `permissions` is an unknown word.
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
  warnOfPrompts();
  return permissions;
}

/**
 * Checks the shape of the permissions for any worker.
 *
 * @throws {TypeError} If `permissions` has the wrong shape.
 * @throws {RangeError} If `permissions` is an unknown word.
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
 * Whether Deno was started with the flag, on the command line or in deno.json;
 * `undefined` if that cannot be told. Deno has no way to ask, but gives a fork
 * the flags of its parent.
 */
function hasFlag(): boolean | undefined {
  if (!mayAll("run", "env") || Deno.build.standalone) return undefined;
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
    // Some versions throw here, others tell the listener above.
    return (error as SpawnArguments | undefined)?.spawnargs;
  }
}

/**
 * Says once that whoever is at the terminal decides what tasks may do: Deno asks
 * there about what a thread may not do, and nothing keeps it from asking for one
 * thread alone.
 */
function warnOfPrompts(): void {
  if (warned || !mayPrompt()) return;
  warned = true;
  console.warn(
    "Deno asks on this terminal for what the tasks of a WorkerPoolExecutor with 'permissions' may not do, and \"y\" allows it: start Deno with --no-prompt, or with DENO_NO_PROMPT=1 in the environment",
  );
}

/** Whether Deno may ask at the terminal, as far as that can be told. */
function mayPrompt(): boolean {
  // Deno asks at a terminal only. The user of a compiled program cannot change its flags.
  const terminal = Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  if (!terminal || Deno.build.standalone) return false;
  const variable = "DENO_NO_PROMPT";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  if (state === "granted" && Deno.env.get(variable) === "1") return false;
  const [, command, ...args] = commandLine();
  return command !== "test" && command !== "bench" &&
    !args.includes("--no-prompt");
}

/** The command line of Deno, where the system tells it and Deno permits that; else nothing. */
function commandLine(): string[] {
  // To read from /proc, Deno wants all permissions.
  const all = ["env", "ffi", "net", "read", "run", "sys", "write"] as const;
  if (Deno.build.os !== "linux" || !mayAll(...all)) return [];
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0");
  } catch {
    return [];
  }
}

function mayAll(...names: Deno.PermissionDescriptor["name"][]): boolean {
  return names.every((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state ===
      "granted"
  );
}

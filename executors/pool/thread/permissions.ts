/**
 * What workers may do, checked before Deno is asked: without a flag it ends the
 * whole program, and without another it asks whoever is at the terminal.
 *
 * @module
 */

import { show } from "../../text.ts";
import { nodeBuiltin } from "../../runtime/node_builtin.ts";

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

/** Whether {@linkcode warnOfPrompts} has spoken. */
let warned = false;

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
  warnOfPrompts();
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
    // Whether it is told of at once or later differs between versions.
    return (error as SpawnArguments | undefined)?.spawnargs;
  }
}

/**
 * Says once that whoever is at the terminal decides what tasks may do: Deno asks
 * there for what a thread may not, and has nothing that would keep it from that
 * in one thread alone.
 */
function warnOfPrompts(): void {
  if (warned || !mayPrompt()) return;
  warned = true;
  console.warn(
    "Deno asks on this terminal for what the tasks of a WorkerPoolExecutor with 'permissions' may not do, and \"y\" allows it: start Deno with --no-prompt, or with DENO_NO_PROMPT=1 in the environment",
  );
}

/** Whether Deno may ask, as far as it tells. */
function mayPrompt(): boolean {
  // It asks at a terminal only. What a compiled program does, its user cannot change.
  const terminal = Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  if (!terminal || Deno.build.standalone) return false;
  const variable = "DENO_NO_PROMPT";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  if (state === "granted" && Deno.env.get(variable) === "1") return false;
  const [, command, ...args] = commandLine();
  return command !== "test" && command !== "bench" &&
    !args.includes("--no-prompt");
}

/** What Deno was started with, where the system says so and Deno lets it; else nothing. */
function commandLine(): string[] {
  // Deno wants all permissions for that.
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

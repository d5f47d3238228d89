/**
 * Finds functions inside a worker: by the address of their module, or by their
 * source.
 *
 * @module
 */

import { TaskNotFoundError } from "../../errors.ts";
import { hasOwn } from "../../runtime/builtins.ts";
import { shared } from "../../runtime/shared.ts";
import {
  addressOf,
  type AnyFunction,
  bundledTask,
  type FunctionReference,
} from "../../task.ts";
import { nameOf, printable, show } from "../../text.ts";
import { evaluate } from "./evaluate.ts";

/** See {@linkcode loadingModule}. */
const loading = shared<{ module?: string | undefined }>(
  "loading-module/1",
  () => ({}),
);

/** The module that a worker is loading right now; `undefined` outside workers. */
export function loadingModule(): string | undefined {
  return loading.module;
}

/** Finds a function as `loadFunction()` does, inside a worker: until then, what its module makes is known to be made by it. */
export async function loadTask(
  reference: FunctionReference,
): Promise<AnyFunction> {
  if (reference.kind === "export") loading.module = reference.module;
  try {
    return await loadFunction(reference);
  } finally {
    loading.module = undefined;
  }
}

/**
 * Finds the function that a host has named.
 *
 * @param reference How to find the function; see `referenceOf()`.
 * @returns A promise of the function.
 * @throws {TaskNotFoundError} If its module does not load, or does not export
 * the function; the message says what to write.
 * @throws {SyntaxError} If its source needs names from outside.
 * @throws {TypeError} If its source gives no function.
 */
export async function loadFunction(
  reference: FunctionReference,
): Promise<AnyFunction> {
  const found: unknown = reference.kind === "source"
    ? await evaluate(reference.source, reference.name)
    : await importTask(reference.module, reference.name);
  if (typeof found === "function") return found as AnyFunction;
  // Anything else would be looked for again with each call.
  throw new TypeError(
    `Task ${nameOf(reference)} must be a function: found ${show(found)}`,
  );
}

async function importTask(module: string, name: string): Promise<AnyFunction> {
  const shown = nameOf({ name });
  let exports: Record<string, unknown>;
  try {
    exports = await import(module);
  } catch (cause) {
    throw new TaskNotFoundError(
      `Cannot load ${module}, which is to export task ${shown}: ${
        messageOf(cause)
      }`,
      { cause },
    );
  }
  // Of a module that exports a function `then`, import() gives what that resolves to.
  if (!hasOwn(exports ?? {}, name)) {
    // A bundle exports what one of its modules does, and has tasks of all.
    const task = bundledTask(module, name);
    if (task !== undefined) return task;
    throw missingExport(module, name);
  }
  const found = exports[name];
  if (!isTask(found, module, name)) {
    throw new TaskNotFoundError(
      `${module} exports something else as ${shown}: write ${exportOf(name)}`,
    );
  }
  return found;
}

/** The error for a module that exports nothing under the name of a task. */
export function missingExport(module: string, name: string): TaskNotFoundError {
  return new TaskNotFoundError(
    `${module} has no export ${nameOf({ name })}: write ${exportOf(name)}`,
  );
}

/** How to export a task under a name, which any text can be. */
function exportOf(name: string): string {
  const text = `"${printable(name)}"`;
  if (name === "default") return `export default task(import.meta, ${text}, …)`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `export const ${name} = task(import.meta, ${text}, …)`
    : `const fn = task(import.meta, ${text}, …) and export { fn as ${text} }`;
}

/** The message of what a module threw, which is not always an error. */
function messageOf(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return show(cause);
  }
}

function isTask(
  value: unknown,
  module: string,
  name: string,
): value is AnyFunction {
  if (typeof value !== "function") return false;
  try {
    const address = addressOf(value as AnyFunction);
    return address?.module === module &&
      (address.name === name || isRenamed(address.name, name));
  } catch {
    // It has something else where tasks have their address.
    return false;
  }
}

/**
 * Whether a bundler may have renamed the function that a module exports under a
 * name: where a name is there twice, esbuild adds a number (its #1692), unless it
 * is told to keep names, which Deno 2.4 cannot tell it.
 */
function isRenamed(found: string, name: string): boolean {
  return found.startsWith(name) && /^\d+$/.test(found.slice(name.length));
}

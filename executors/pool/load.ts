/**
 * Finding functions inside a worker.
 *
 * @module
 */

import { TaskNotFoundError } from "../errors.ts";
import { type FunctionReference, referenceOf } from "../task.ts";
import type { AnyFunction } from "../work_item.ts";

/** The module that is being loaded for its tasks. */
let loading: string | undefined;

/** The module that a worker is loading right now; `undefined` outside workers. */
export function loadingModule(): string | undefined {
  return loading;
}

/**
 * The function that a host has named.
 *
 * @throws {TaskNotFoundError} If its module does not load, or does not export
 * it; the message says what to write.
 */
export async function loadFunction(
  reference: FunctionReference,
): Promise<AnyFunction> {
  return reference.kind === "source"
    ? evaluate(reference.source, reference.name)
    : await importTask(reference.module, reference.name);
}

async function importTask(module: string, name: string): Promise<AnyFunction> {
  let exports: Record<string, unknown>;
  loading = module;
  try {
    exports = await import(module);
  } catch (cause) {
    throw new TaskNotFoundError(
      `Cannot load ${module}, which is to export task '${name}': ${
        cause instanceof Error ? cause.message : cause
      }`,
      { cause },
    );
  } finally {
    loading = undefined;
  }
  const write = name === "default"
    ? 'export default task(import.meta, "default", …)'
    : `export const ${name} = task(import.meta, "${name}", …)`;
  if (!Object.hasOwn(exports, name)) {
    throw new TaskNotFoundError(
      `${module} has no export '${name}': write ${write}`,
    );
  }
  const found = exports[name];
  if (!isTask(found, module, name)) {
    throw new TaskNotFoundError(
      `${module} exports something else as '${name}': write ${write}`,
    );
  }
  return found;
}

function isTask(
  value: unknown,
  module: string,
  name: string,
): value is AnyFunction {
  if (typeof value !== "function") return false;
  try {
    const reference = referenceOf(value as AnyFunction);
    return reference.kind === "export" && reference.module === module &&
      reference.name === name;
  } catch {
    // A class, or a function without a source.
    return false;
  }
}

function evaluate(source: string, name: string): AnyFunction {
  // Strict, as it was in the module that it comes from.
  const run = (text: string) =>
    (0, eval)(
      `"use strict"; ${text}\n//# sourceURL=task:${name || "(anonymous)"}`,
    );
  try {
    return run(`(${source})`);
  } catch {
    // The text of a method is not an expression, but the inside of an object.
    return Object.values(run(`({${source}})`))[0] as AnyFunction;
  }
}

/**
 * Finding functions inside a worker.
 *
 * @module
 */

import { TaskNotFoundError } from "../errors.ts";
import { type FunctionReference, referenceOf } from "../task.ts";
import { type AnyFunction, nameOf } from "../work_item.ts";

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
  // In a function, so that `this` is undefined for an arrow function too, as it
  // is in a module; strict, as modules are.
  const run = (text: string) =>
    (0, eval)(
      `(function () { "use strict"; return ${text} })()\n//# sourceURL=task:${
        name || "(anonymous)"
      }`,
    );
  try {
    return run(`(${source})`);
  } catch (cause) {
    try {
      // The text of a method is not an expression, but the inside of an object.
      return Object.values(run(`({${source}})`))[0] as AnyFunction;
    } catch {
      // It uses what only its module or its class has, as `import.meta`.
      throw new SyntaxError(
        `${(cause as Error).message}: ${onlyText(name)}`,
        { cause },
      );
    }
  }
}

/** What there is to say if a function that was sent by its source misses something. */
export function onlyText(name: string): string {
  return `task ${
    nameOf({ name })
  } was sent as text and has only its arguments and globals; ` +
    "export it from a module as task(import.meta, …) to use imports and other names around it";
}

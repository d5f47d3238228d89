/**
 * How a function is named here and found again in a worker, where only text
 * arrives: by its module and export name, or by its source.
 *
 * @module
 */

import { checkFunction } from "./arguments.ts";
import { OwnMap } from "./runtime/builtins.ts";
import { shared } from "./runtime/shared.ts";
import { functionName, nameOf, show } from "./text.ts";

/** Any function; its types were checked where it was submitted. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/** All that a worker needs to find a function. */
export type FunctionReference =
  | { readonly kind: "export"; readonly module: string; readonly name: string }
  | { readonly kind: "source"; readonly source: string; readonly name: string };

/** The address of a function: its module, and the name under which that exports it. */
export type ExportReference = Extract<
  FunctionReference,
  { readonly kind: "export" }
>;

/** The part of `import.meta` that {@linkcode task} needs. */
export interface TaskModule {
  /** The address of the module that exports the task. */
  readonly url: string;
}

/**
 * The key under which a function keeps its address. A registered symbol, so that
 * one version of this package knows a function that another has named.
 */
const ADDRESS = Symbol.for("@concurrent/futures/task");

/** The address of a bundle: there, many modules have one address, and one of them has the exports. */
const BUNDLE = /\/[0-9a-f]{64}\.mjs$/;

/** The tasks of bundles, by address and name; `null` where two are called the same. */
const bundled = shared(
  "bundled-tasks/1",
  () => new OwnMap<string, AnyFunction | null>(),
);

/**
 * References of functions that have no address of their own: those by source, as
 * reading the source takes long and a function is submitted many times, and
 * those of stand-ins.
 */
const references = new WeakMap<AnyFunction, FunctionReference>();

/**
 * Names a function, so that a worker can import its module and call it there.
 * In that module closures, imports and packages all work.
 *
 * The function has to be exported under its name. If the module is the main
 * module too, it guards its program with `if (import.meta.main)`.
 *
 * @typeParam F The type of the function.
 * @param meta The `import.meta` of the module that exports the function.
 * @param fn The function, which has a name of its own.
 * @returns The function itself.
 * @throws {TypeError} If `fn` is not a function, or has no name.
 *
 * @example
 * ```ts
 * import { task } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const YEAR = 2017;
 * export const age = task(import.meta, function age(born: number) {
 *   return YEAR - born;
 * });
 * assertEquals(age(1815), 202);
 * ```
 */
export function task<F extends AnyFunction>(meta: TaskModule, fn: F): F;
/**
 * Names a function that has no name of its own: an arrow function, the default
 * export.
 *
 * @typeParam F The type of the function.
 * @param meta The `import.meta` of the module that exports the function.
 * @param name The name under which the module exports it.
 * @param fn The function.
 * @returns The function itself.
 * @throws {TypeError} If `fn` is not a function, or `name` is not a name.
 */
export function task<F extends AnyFunction>(
  meta: TaskModule,
  name: string,
  fn: F,
): F;
export function task<F extends AnyFunction>(
  meta: TaskModule,
  nameOrFunction: string | F,
  maybeFunction?: F,
): F {
  const named = typeof nameOrFunction === "string";
  const fn = (named ? maybeFunction : nameOrFunction) as F;
  checkFunction("fn", fn);
  if (typeof meta?.url !== "string") {
    throw new TypeError(`'meta' must be import.meta: received ${show(meta)}`);
  }
  const name = named ? nameOrFunction : functionName(fn);
  if (name === "") {
    throw new TypeError(
      'A task without a name cannot be found in its module: write task(import.meta, "name", fn)',
    );
  }
  Object.defineProperty(fn, ADDRESS, {
    value: {
      kind: "export",
      module: meta.url,
      name,
    } satisfies FunctionReference,
    configurable: true,
  });
  if (BUNDLE.test(meta.url)) noteBundled(`${meta.url}#${name}`, fn);
  return fn;
}

function noteBundled(key: string, fn: AnyFunction): void {
  const known = bundled.get(key);
  bundled.set(key, known === undefined || known === fn ? fn : null);
}

/** The task of any module in a bundle; `undefined` if there is none of this name, or two. */
export function bundledTask(
  module: string,
  name: string,
): AnyFunction | undefined {
  return bundled.get(`${module}#${name}`) ?? undefined;
}

/**
 * Makes a reference by which a worker finds a function; see `loadFunction()`.
 *
 * @param fn The function.
 * @returns The address of the function, if `task()` has named it; else its source.
 * @throws {TypeError} If the function has neither an address nor a source that
 * means the same elsewhere.
 */
export function referenceOf(fn: AnyFunction): FunctionReference {
  checkFunction("fn", fn);
  const address = addressOf(fn);
  if (address !== undefined) return checkUnique(address);
  let reference = references.get(fn);
  if (reference === undefined) {
    reference = {
      kind: "source",
      source: sourceOf(fn),
      name: functionName(fn),
    };
    references.set(fn, reference);
  }
  return reference;
}

/**
 * Makes a function that stands for one that is found elsewhere: an executor that
 * it is submitted to sends the reference to its workers, and nothing is loaded or
 * evaluated here. Only where the stand-in itself is called, as in a promise pool,
 * is the function loaded.
 *
 * @param reference The function that it stands for.
 * @param load Loads that function.
 */
export function standIn(
  reference: FunctionReference,
  load: (reference: FunctionReference) => Promise<AnyFunction>,
): AnyFunction {
  let loading: Promise<AnyFunction> | undefined;
  let loaded: AnyFunction | undefined;
  async function loadOnce(): Promise<AnyFunction> {
    try {
      return loaded = await (loading ??= load(reference));
    } finally {
      // If it has failed, the next call tries again.
      loading = undefined;
    }
  }
  function fn(...args: unknown[]): unknown {
    return loaded === undefined
      ? loadOnce().then((found) => found(...args))
      : loaded(...args);
  }
  // Errors and statistics tell it.
  Object.defineProperty(fn, "name", { value: reference.name });
  references.set(fn, reference);
  return fn;
}

/**
 * The address of a function.
 *
 * @returns The address; `undefined` if `task()` has not named the function.
 * @throws {TypeError} If that is no address: anybody can write one, and workers
 * are sent what is in it.
 */
export function addressOf(fn: AnyFunction): ExportReference | undefined {
  const address = (fn as { [ADDRESS]?: FunctionReference })[ADDRESS];
  if (
    address === undefined ||
    address?.kind === "export" && typeof address.module === "string" &&
      typeof address.name === "string"
  ) return address;
  throw new TypeError(
    `A task's address must be made by task(import.meta, …): received ${
      show(address)
    }`,
  );
}

/** Refuses an address by which another function could be found. */
function checkUnique(address: ExportReference): ExportReference {
  // Most programs have no bundle, and this is asked for each call.
  if (bundled.size === 0) return address;
  if (bundled.get(`${address.module}#${address.name}`) !== null) return address;
  throw new TypeError(
    `Two tasks of one bundle are called ${
      nameOf(address)
    }, and neither can be submitted there: give one another name`,
  );
}

function sourceOf(fn: AnyFunction): string {
  const source = Function.prototype.toString.call(fn);
  const refuse = (what: string) =>
    new TypeError(
      `Cannot send ${what} ${
        show(fn)
      } to a worker: export it from its module as task(import.meta, …), or wrap it in a function`,
    );
  if (source.endsWith("{ [native code] }")) {
    throw refuse(functionName(fn).startsWith("bound ") ? "bound" : "native");
  }
  // A method may be called "class" too, but has no prototype.
  if (/^class\b/.test(source) && Object.hasOwn(fn, "prototype")) {
    throw refuse("class");
  }
  return source;
}

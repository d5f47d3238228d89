/**
 * Modules of Node.js that are loaded when they are needed. An import would load
 * them with this package, which takes longer than the rest of it, and as much
 * memory in each worker whose tasks import the package.
 *
 * @module
 */

/** The module of this name, which is one that Deno brings along. */
export function nodeBuiltin<T>(name: `node:${string}`): T {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): T };
  };
  return process.getBuiltinModule(name);
}

/**
 * Loads modules of Node.js when they are needed. An import would load them with
 * this package, which takes longer than to load the rest, and costs each worker
 * whose tasks import the package as much memory.
 *
 * @module
 */

/** The module of this name, which is a part of Deno. */
export function nodeBuiltin<T>(name: `node:${string}`): T {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): T };
  };
  return process.getBuiltinModule(name);
}

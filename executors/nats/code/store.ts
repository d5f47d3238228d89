/**
 * Finds the functions that clients describe, on the side of the node. None is
 * loaded here: what is found stands for the function, and the workers of
 * whichever executor it is submitted to load it.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { TaskNotFoundError } from "../../errors.ts";
import { loadFunction } from "../../pool/worker/load.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { addressOf, type AnyFunction, standIn } from "../../task.ts";
import { because, nameOf, show } from "../../text.ts";
import type { Code } from "../messages.ts";
import type { LargeValue } from "../parts.ts";
import { CodeCache } from "./cache.ts";
import { isImportable } from "./describe.ts";
import { moduleAt } from "./named.ts";
import { loadSource } from "./source.ts";

/** Options of {@linkcode CodeStore}. */
export interface CodeStoreOptions {
  /** The folder in which bundles are kept. */
  readonly cache?: string;
  /** The address or path of a module that exports tasks of compiled clients. */
  readonly preload?: string;
}

/** The functions that one node has been sent. */
export class CodeStore implements Disposable {
  readonly #cache: CodeCache;
  readonly #preloadedFrom: string | undefined;
  #preloading: Promise<Record<string, unknown>> | undefined;

  /** Makes a store; nothing is loaded, read or written yet. */
  constructor({ cache, preload }: CodeStoreOptions) {
    this.#cache = new CodeCache(cache);
    this.#preloadedFrom = preload;
  }

  /**
   * Loads what is to be preloaded.
   *
   * @throws {TaskNotFoundError} If that does not load.
   */
  async preload(): Promise<void> {
    await this.#preloaded();
  }

  /**
   * Finds a function.
   *
   * @param code What the client says of it.
   * @param read Reads the bytes of a bundle.
   * @returns A function that any executor of this program can be given.
   * @throws {TaskNotFoundError} If it is not here, and is not to be fetched.
   */
  async find(
    code: Code,
    read: (large: LargeValue) => Promise<Uint8Array>,
  ): Promise<AnyFunction> {
    switch (code.kind) {
      case "source": {
        const { kind, source, name } = code;
        const reference = { kind, source, name };
        return standIn(reference, () => loadSource(reference));
      }
      case "address":
        return exported(checkAddress(code), code.name);
      case "bundle":
        return exported(
          await this.#cache.get(code.hash, () => read(code.large)),
          code.name,
        );
      case "named":
        return await this.#findNamed(code.module, code.name);
    }
  }

  /** Nothing is found any more. */
  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
  }

  async #findNamed(place: string, name: string): Promise<AnyFunction> {
    const preloaded = await this.#preloaded();
    if (Object.hasOwn(preloaded, name)) {
      const found = preloaded[name];
      if (isTask(found)) return found;
    }
    const module = moduleAt(place, mainModule());
    if (module !== undefined && await isThere(module)) {
      return exported(module, name);
    }
    const preload = this.#preloadedFrom;
    throw new TaskNotFoundError(
      `Task ${
        nameOf({ name })
      } of a compiled program is neither in the program of this node nor in ${
        preload === undefined ? "what it has preloaded" : preload
      }: start the node with --preload FILE, which exports it as task(import.meta, …)`,
    );
  }

  #preloaded(): Promise<Record<string, unknown>> {
    return this.#preloading ??= preload(this.#preloadedFrom);
  }
}

async function preload(
  module: string | undefined,
): Promise<Record<string, unknown>> {
  if (module === undefined) return {};
  try {
    // The scheme of a URL is longer than the letter of a drive.
    return await import(
      /^[a-z][a-z0-9+.-]+:/i.test(module) ? module : pathToFileURL(module).href
    );
  } catch (cause) {
    throw new TaskNotFoundError(
      `Cannot preload ${module}${because(cause)}`,
      { cause },
    );
  }
}

function isTask(value: unknown): value is AnyFunction {
  if (typeof value !== "function") return false;
  try {
    return addressOf(value as AnyFunction) !== undefined;
  } catch {
    // It has something else where tasks have their address.
    return false;
  }
}

/** Whether there is a module in a file, as far as can be told without loading it. */
async function isThere(module: string): Promise<boolean> {
  try {
    return (await Deno.stat(new URL(module))).isFile;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function exported(module: string, name: string): AnyFunction {
  return standIn({ kind: "export", module, name }, loadFunction);
}

function checkAddress({ module, name }: CodeOf<"address">): string {
  const url = URL.parse(module);
  if (url !== null && isImportable(url)) return module;
  throw new TaskNotFoundError(
    `Cannot import ${show(module)}, which is to export task ${
      nameOf({ name })
    }: nodes import https: addresses`,
  );
}

type CodeOf<Kind extends Code["kind"]> = Extract<Code, { kind: Kind }>;

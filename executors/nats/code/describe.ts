/**
 * Describes a function for nodes, on the side of the client.
 *
 * | function | travels |
 * |---|---|
 * | plain | as its source |
 * | `task()` at an address that nodes can import | as that address |
 * | `task()` in a compiled program | by its place in the program |
 * | `task()` in a file | in a bundle with all that it imports |
 *
 * @module
 */

import { TaskNotFoundError } from "../../errors.ts";
import { missingExport } from "../../pool/worker/load.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { type AnyFunction, referenceOf } from "../../task.ts";
import { nameOf, show } from "../../text.ts";
import { isLoopback } from "../loopback.ts";
import type { Code } from "../messages.ts";
import { bundleOf } from "./bundle.ts";
import { placeOf } from "./named.ts";

/** What a client tells nodes of a function; the bytes of a bundle are put where they can read them first. */
export type Described =
  | { readonly code: Exclude<Code, { kind: "bundle" }> }
  | {
    /** Its SHA-256, in hexadecimal digits. */
    readonly hash: string;
    /** The name under which the bundle exports the function. */
    readonly name: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  };

/** Describes the functions that are submitted to one executor. */
export class CodeSource {
  readonly #described = new WeakMap<
    AnyFunction,
    Described | Promise<Described>
  >();

  /**
   * Describes a function; a module is bundled once.
   *
   * @param fn The function.
   * @returns The description, or a promise of it while its module is bundled.
   * It rejects with `TaskNotFoundError` if nodes cannot be given its module.
   * @throws {TypeError} If the function has neither an address nor a source
   * that means the same elsewhere.
   */
  describe(fn: AnyFunction): Described | Promise<Described> {
    let described = this.#described.get(fn);
    if (described === undefined) {
      described = describe(fn);
      this.#described.set(fn, described);
      // Another time it may be possible.
      if (described instanceof Promise) {
        described.catch(() => this.#described.delete(fn));
      }
    }
    return described;
  }
}

function describe(fn: AnyFunction): Described | Promise<Described> {
  const reference = referenceOf(fn);
  if (reference.kind === "source") return { code: reference };
  const { module, name } = reference;
  const url = URL.parse(module);
  if (url !== null && isImportable(url)) {
    return { code: { kind: "address", module, name } };
  }
  if (url?.protocol === "file:" && Deno.build.standalone) {
    const place = placeOf(module, mainModule());
    return { code: { kind: "named", module: place, name } };
  }
  if (url?.protocol === "file:") {
    return describeBundle(module, name);
  }
  return Promise.reject(
    new TaskNotFoundError(
      `Cannot send task ${nameOf({ name })} to nodes, as they cannot import ${
        show(module)
      }: export it from a module in a file, or at an https: address`,
    ),
  );
}

async function describeBundle(
  module: string,
  name: string,
): Promise<Described> {
  const { hash, bytes, exports } = await bundleOf(module);
  // A node would name its own file.
  if (exports?.has(name) === false) throw missingExport(module, name);
  return { hash, name, bytes };
}

/** Whether a node imports a module from where it is; what comes in the clear might be anybody's. */
export function isImportable({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || protocol === "data:" ||
    protocol === "http:" && isLoopback(hostname);
}

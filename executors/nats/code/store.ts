/**
 * Finds the functions that clients describe, on the side of the node. None is
 * loaded here: what is found stands for the function, and the workers of
 * whichever executor it is submitted to load it.
 *
 * @module
 */

import { TaskNotFoundError } from "../../errors.ts";
import { loadFunction } from "../../pool/worker/load.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { type AnyFunction, standIn } from "../../task.ts";
import { nameOf, show } from "../../text.ts";
import type { Code } from "../messages.ts";
import type { LargeValue } from "../parts.ts";
import { isImportable } from "./describe.ts";
import { moduleAt } from "./named.ts";

/** Options of {@linkcode CodeStore}. */
export interface CodeStoreOptions {
  /** The folder in which bundles are kept. */
  readonly cache?: string;
  /** The address or path of a module that exports tasks of compiled clients. */
  readonly preload?: string;
}

/** The functions that one node has been sent. */
export class CodeStore implements Disposable {
  /** Makes a store; nothing is read or written yet. */
  constructor(_options: CodeStoreOptions) {
  }

  /**
   * Finds a function.
   *
   * @param code What the client says of it.
   * @param read Reads the bytes of a bundle.
   * @returns A function that any executor of this program can be given.
   * @throws {TaskNotFoundError} If it is not here, and is not to be fetched.
   */
  // deno-lint-ignore require-await
  async find(
    code: Code,
    _read: (large: LargeValue) => Promise<Uint8Array>,
  ): Promise<AnyFunction> {
    switch (code.kind) {
      case "source": {
        const { kind, source, name } = code;
        return standIn({ kind, source, name }, loadFunction);
      }
      case "address":
        return imported(code.module, code.name);
      case "named": {
        const module = moduleAt(code.module, mainModule());
        if (module === undefined) throw notHere(code.name);
        return standIn(
          { kind: "export", module, name: code.name },
          loadFunction,
        );
      }
      case "bundle":
        throw notHere(code.name);
    }
  }

  /** Nothing is found any more. */
  [Symbol.dispose](): void {
  }
}

function imported(module: string, name: string): AnyFunction {
  const url = URL.parse(module);
  if (url === null || !isImportable(url)) {
    throw new TaskNotFoundError(
      `Cannot import ${show(module)}, which is to export task ${
        nameOf({ name })
      }: nodes import https: addresses`,
    );
  }
  return standIn({ kind: "export", module, name }, loadFunction);
}

function notHere(name: string): TaskNotFoundError {
  return new TaskNotFoundError(
    `Task ${
      nameOf({ name })
    } of a compiled program is not in the program of this node: start the node with --preload FILE, which exports it as task(import.meta, …)`,
  );
}

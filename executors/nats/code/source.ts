/**
 * Loads functions that came as source where they are called in this isolate: on a
 * node with a promise pool. Workers do the same in their own way.
 *
 * @module
 */

import { decodeError, encodeError } from "../../pool/wire/codec.ts";
import { explain } from "../../pool/worker/evaluate.ts";
import { loadFunction } from "../../pool/worker/load.ts";
import { isThenable } from "../../runtime/thenable.ts";
import type { AnyFunction, FunctionReference } from "../../task.ts";

/** A reference by source. */
export type SourceReference = Extract<FunctionReference, { kind: "source" }>;

/**
 * Loads a function, the errors of which say so if it missed something that was
 * around it where it came from.
 *
 * @param reference Its source.
 * @throws {SyntaxError} If the source needs names from outside.
 * @throws {TypeError} If the source gives no function.
 */
export async function loadSource(
  reference: SourceReference,
): Promise<AnyFunction> {
  const fn = await loadFunction(reference);
  const fail = (error: unknown) => {
    throw explained(error, reference);
  };
  return (...args) => {
    try {
      const result = fn(...args);
      return isThenable(result) ? Promise.resolve(result).catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  };
}

function explained(error: unknown, reference: SourceReference): unknown {
  const encoded = encodeError(error);
  const explanation = explain(encoded, reference);
  return explanation === encoded ? error : decodeError(explanation);
}

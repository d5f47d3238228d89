/**
 * Classes of objects, as structured clone sees them: those of the language, of
 * which it knows how to read each, those of the platform, of which it knows a
 * few, and all others, which are read as plain objects.
 *
 * @module
 */

import { isProxy } from "node:util/types";
import {
  getOwnPropertyDescriptor,
  getPrototypeOf,
  OBJECT_PROTOTYPE,
  OwnMap,
  OwnSet,
  OwnWeakMap,
  structuredClone,
} from "../../runtime/builtins.ts";
import { Transfer } from "../../transfer.ts";

/** How structured clone reads an object. */
export type Kind =
  /** Its own enumerable fields. */
  | "fields"
  | "map"
  | "set"
  /** Its cause, and no other field. */
  | "error"
  | "exception"
  /** No field. */
  | "leaf"
  | "transfer";

const KINDS = new OwnMap<unknown, Kind>([
  [null, "fields"],
  [Object.prototype, "fields"],
  [Array.prototype, "fields"],
  [Map.prototype, "map"],
  [Set.prototype, "set"],
  [Error.prototype, "error"],
  [DOMException.prototype, "exception"],
  [Transfer.prototype, "transfer"],
  ...[
    Boolean,
    Number,
    String,
    BigInt,
    Date,
    RegExp,
    ArrayBuffer,
    SharedArrayBuffer,
    DataView,
    Object.getPrototypeOf(Uint8Array) as { readonly prototype: unknown },
  ].map(({ prototype }) => [prototype, "leaf"] as const),
]);

/** What is known of a prototype: how its objects are read, and the class of the platform, if they are of one. */
export interface Known {
  readonly kind: Kind;
  readonly platform: string | undefined;
}

const DENO = Deno as unknown as Record<string, unknown>;

const known = new OwnWeakMap<object, Known>();

/** What of the platform only travels as something that is moved. */
export const MOVABLE: ReadonlySet<string> = new OwnSet([
  "MessagePort",
  "ReadableStream",
  "WritableStream",
  "TransformStream",
]);

/** Whether structured clone makes one of the same class: of a copied `CryptoKey`, say, it does not. */
export function isKept(object: object): boolean {
  try {
    const copy = structuredClone(object);
    return getPrototypeOf(copy) !== OBJECT_PROTOTYPE;
  } catch {
    return false;
  }
}

/** See {@linkcode Known}. */
export function knownOf(prototype: object | null): Known {
  if (prototype === null) {
    return { kind: "fields", platform: undefined };
  }
  let about = known.get(prototype);
  if (about === undefined) {
    let platform: string | undefined;
    let ancestor: object | null = prototype;
    // A proxy may say that it has endless ancestors.
    while (!KINDS.has(ancestor) && !isProxy(ancestor)) {
      platform ??= platformName(ancestor!);
      ancestor = getPrototypeOf(ancestor);
    }
    const kind = KINDS.get(ancestor) ?? "fields";
    // Classes that V8 knows are read as it does, whoever has derived one of them.
    if (kind !== "fields") platform = undefined;
    known.set(prototype, about = { kind, platform });
  }
  return about;
}

/** The name of the class with this prototype, if it is a global one that the program has not put there. */
function platformName(prototype: object): string | undefined {
  const type = getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof type !== "function") return undefined;
  const name = getOwnPropertyDescriptor(type, "name")?.value;
  if (typeof name !== "string") return undefined;
  const global = getOwnPropertyDescriptor(globalThis, name);
  // What a program assigns is enumerable.
  const found = global !== undefined && !global.enumerable
    ? (globalThis as Record<string, unknown>)[name]
    : DENO[name];
  return found === type ? name : undefined;
}

/**
 * Tells how structured clone reads an object, by its class. Structured clone
 * knows all classes of the language and a few of the platform, and reads objects
 * of other classes as plain ones.
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
type Kind =
  /** By its own enumerable fields. */
  | "fields"
  | "map"
  | "set"
  /** By its cause, and no other field. */
  | "error"
  | "exception"
  /** By no field. */
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

/**
 * What is known of a prototype: how its objects are read, and the name of their
 * class if that is one of the platform.
 */
export interface Known {
  readonly kind: Kind;
  readonly platform: string | undefined;
}

const DENO = Deno as unknown as Record<string, unknown>;

const known = new OwnWeakMap<object, Known>();

/** Classes of the platform whose objects can be moved, but not copied. */
export const MOVABLE: ReadonlySet<string> = new OwnSet([
  "MessagePort",
  "ReadableStream",
  "WritableStream",
  "TransformStream",
]);

/**
 * Whether structured clone makes an object of the same class: of a copied
 * `CryptoKey`, say, it does not.
 */
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
    // A proxy may claim endless ancestors.
    while (!KINDS.has(ancestor) && !isProxy(ancestor)) {
      platform ??= platformName(ancestor!);
      ancestor = getPrototypeOf(ancestor);
    }
    const kind = KINDS.get(ancestor) ?? "fields";
    // V8 reads its own classes by itself, whoever has derived from them.
    if (kind !== "fields") platform = undefined;
    known.set(prototype, about = { kind, platform });
  }
  return about;
}

/**
 * The name of the class with this prototype, if that is a global which the
 * program has not put there.
 */
function platformName(prototype: object): string | undefined {
  const type = getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof type !== "function") return undefined;
  const name = getOwnPropertyDescriptor(type, "name")?.value;
  if (typeof name !== "string") return undefined;
  const global = getOwnPropertyDescriptor(globalThis, name);
  // A global that a program assigns is enumerable.
  const found = global !== undefined && !global.enumerable
    ? (globalThis as Record<string, unknown>)[name]
    : DENO[name];
  return found === type ? name : undefined;
}

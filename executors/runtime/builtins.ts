/**
 * Built-in functions and classes as they were when this package was loaded; see
 * clock.ts. A worker does its work between tasks that may patch all of them. A
 * patch must neither mislead the worker nor get hold of its objects. Syntax,
 * such as adding to an array by its length, cannot be patched, and is used where
 * there is one.
 *
 * @module
 */

type Method = (this: never, ...args: never[]) => unknown;

/** A method as a function that takes its object first. */
// deno-lint-ignore no-explicit-any
function unbound<M extends Method>(method: M): (...args: any[]) => any {
  return Function.prototype.call.bind(method as () => void);
}

export const {
  keys: objectKeys,
  entries: objectEntries,
  getPrototypeOf,
  getOwnPropertyDescriptor,
  getOwnPropertyDescriptors,
  defineProperty,
  hasOwn,
} = Object;

/** The prototypes of plain objects and arrays. */
export const OBJECT_PROTOTYPE: object = Object.prototype;
export const ARRAY_PROTOTYPE: readonly unknown[] = Array.prototype;

/** Names with "Own" tell them from the globals, which tasks may replace. */
export const OwnArray: ArrayConstructor = Array;
export const OwnError: ErrorConstructor = Error;
export const OwnPromise: PromiseConstructor = Promise;
export const { isArray } = Array;
export const { isView } = ArrayBuffer;
export const { apply } = Reflect;
export const { min } = Math;
export const textOf: (value: unknown) => string = String;
export const structuredClone: typeof globalThis.structuredClone =
  globalThis.structuredClone;

/** Methods as functions that take their object first. */
export const includes: (array: readonly unknown[], value: unknown) => boolean =
  unbound(Array.prototype.includes);
export const classTextOf: (value: unknown) => string = unbound(
  Object.prototype.toString,
);
export const eachOfMap: (
  map: ReadonlyMap<unknown, unknown>,
  see: (value: unknown, key: unknown) => void,
) => void = unbound(Map.prototype.forEach);
export const eachOfSet: (
  set: ReadonlySet<unknown>,
  see: (value: unknown) => void,
) => void = unbound(Set.prototype.forEach);
export const setBytes: (
  target: Uint8Array,
  source: Uint8Array,
  offset?: number,
) => void = unbound(Uint8Array.prototype.set);
export const partOfBytes: (
  bytes: Uint8Array,
  from: number,
  to?: number,
) => Uint8Array = unbound(Uint8Array.prototype.subarray);
export const setUint32: (
  view: DataView,
  offset: number,
  value: number,
) => void = unbound(DataView.prototype.setUint32);
export const setFloat64: (
  view: DataView,
  offset: number,
  value: number,
) => void = unbound(DataView.prototype.setFloat64);
export const sliceText: (text: string, from: number, to: number) => string =
  unbound(String.prototype.slice);
export const replaceText: (
  text: string,
  pattern: RegExp,
  by: string,
) => string = unbound(String.prototype.replace);

/** Gives a class the methods that its base class has now, and freezes them. */
function keepMethods(type: { readonly prototype: object }): void {
  const { prototype } = type;
  const inherited = Object.getOwnPropertyDescriptors(
    Object.getPrototypeOf(prototype),
  );
  const { constructor: _, ...methods } = inherited as PropertyDescriptorMap;
  Object.defineProperties(prototype, methods);
  Object.setPrototypeOf(prototype, null);
  Object.freeze(prototype);
}

/** A `Map` that tasks cannot patch. */
export class OwnMap<K, V> extends Map<K, V> {
  static {
    keepMethods(this);
  }
}

/** A `Set` that tasks cannot patch. */
export class OwnSet<T> extends Set<T> {
  static {
    keepMethods(this);
  }
}

/** A `WeakMap` that tasks cannot patch. */
export class OwnWeakMap<K extends WeakKey, V> extends WeakMap<K, V> {
  static {
    keepMethods(this);
  }
}

/**
 * Finds what structured clone would lose without a word. Structured clone
 * refuses functions, promises and the like by itself, but makes `{}` of many
 * objects of the platform, an `AbortSignal` for one; of which, differs between
 * versions of Deno. V8's own serializer, which writes the messages to and from
 * processes, makes `{}` of all.
 *
 * Plain values need no such look: see plain.ts.
 *
 * @module
 */

import { isProxy } from "node:util/types";
import {
  eachOfMap,
  eachOfSet,
  getPrototypeOf,
  hasOwn,
  isArray,
  isView,
  OBJECT_PROTOTYPE,
  objectKeys,
  OwnSet,
  structuredClone,
} from "../../runtime/builtins.ts";
import { isKept, type Known, knownOf, MOVABLE } from "./classes.ts";

/** Where a value is to be sent. */
export type Destination = "thread" | "process";

/** No stack that Deno has is enough for deeper values; getters may make a value endlessly deep. */
const MAX_DEPTH = 20_000;

/** From so many fields on, remembering an object costs less than looking at it twice. */
const MANY_FIELDS = 16;

/** One of so many objects in a chain is remembered: enough for a circle to end. */
const KNOWN_EVERY = 32;

/** An array with more holes is read by its keys: its length may be in the billions. */
const MAX_HOLES = 1000;

/**
 * Checks everything in a value that is not plain. Runs getters, as cloning does.
 *
 * @param value What is to be sent.
 * @param destination Where the value is to be sent.
 * @param moved Parts of the value that are moved, which need no check.
 * @param maxDepth How deep objects may be nested.
 * @returns The `DOMException`s in the value: V8 alone takes them for other
 * errors.
 * @throws {DOMException} If a part of the value would arrive as something else.
 */
export function checkSendable(
  value: unknown,
  destination: Destination,
  moved: readonly unknown[] = [],
  maxDepth: number = MAX_DEPTH,
): DOMException[] {
  const walk = new Walk(destination, moved, maxDepth);
  walk.visitAll(value);
  return walk.exceptions;
}

/** Whether a value can be sent to another thread, and read there. */
export function canClone(value: unknown): boolean {
  try {
    checkSendable(value, "thread");
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Looks at everything in a value once; without recursion, as the value may be
 * deeper than the stack.
 */
class Walk {
  readonly exceptions: DOMException[] = [];
  readonly #destination: Destination;
  readonly #maxDepth: number;
  /** Objects that are still to be looked at, and how deep each is. */
  readonly #objects: object[] = [];
  readonly #depths: number[] = [];
  readonly #seen = new OwnSet<unknown>();
  /** How deep the present object is. */
  #depth = 0;
  /** The last prototype that was looked up, as many objects have the same. */
  #prototype: object | null = null;
  #known: Known = { kind: "fields", platform: undefined };

  constructor(
    destination: Destination,
    moved: readonly unknown[],
    maxDepth: number,
  ) {
    this.#destination = destination;
    this.#maxDepth = maxDepth;
    for (let i = 0; i < moved.length; i++) this.#seen.add(moved[i]);
  }

  visitAll(value: unknown): void {
    if (typeof value === "object" && value !== null) this.#add(value);
    while (this.#objects.length > 0) {
      const last = this.#objects.length - 1;
      const object = this.#objects[last]!;
      this.#depth = this.#depths[last]!;
      this.#objects.length = this.#depths.length = last;
      if (this.#seen.size > 0 && this.#seen.has(object)) continue;
      const before = this.#objects.length;
      const fields = this.#visit(object);
      const parts = this.#objects.length - before;
      // To remember each object would take longer than all the rest.
      if (
        parts > 1 || fields > MANY_FIELDS ||
        parts > 0 && this.#depth % KNOWN_EVERY === KNOWN_EVERY - 1
      ) this.#seen.add(object);
    }
  }

  #add(object: object): void {
    this.#objects[this.#objects.length] = object;
    this.#depths[this.#depths.length] = this.#depth + 1;
  }

  /** Returns how many fields the object has. */
  #visit(object: object): number {
    if (isProxy(object)) throw refusal("a Proxy cannot be cloned");
    if (this.#depth > this.#maxDepth) throw refusal("it is nested too deeply");
    if (isArray(object)) return this.#visitArray(object);
    const prototype = getPrototypeOf(object);
    if (prototype === OBJECT_PROTOTYPE) return this.#visitFields(object);
    if (prototype !== this.#prototype) {
      this.#prototype = prototype;
      this.#known = knownOf(prototype);
    }
    const about = this.#known;
    if (about.platform !== undefined) {
      this.#checkPlatform(object, about.platform);
    }
    switch (about.kind) {
      case "fields":
        return this.#visitFields(object);
      case "map":
        return this.#visitMap(object as Map<unknown, unknown>);
      case "set":
        return this.#visitSet(object as Set<unknown>);
      case "error":
        return this.#visitKeys(
          object,
          hasOwn(object, "cause") ? ["cause"] : [],
        );
      case "exception":
        this.exceptions[this.exceptions.length] = object as DOMException;
        // As if with many fields: remembered, and so found once.
        return Infinity;
      case "transfer":
        throw refusal(
          "transfer() marks a whole argument or result, not a part of one: write transfer(value, [buffer]) around all of it",
        );
      case "leaf":
        return 0;
    }
  }

  /**
   * Fields of an array that are no elements are not looked at: to find them
   * takes as long as to send the array.
   */
  #visitArray(array: readonly unknown[]): number {
    const { length } = array;
    const before = this.#objects.length;
    let holes = 0;
    for (let i = 0; i < length; i++) {
      const value = array[i];
      if (typeof value === "object" && value !== null) this.#add(value);
      else if (value === undefined && !(i in array) && ++holes > MAX_HOLES) {
        this.#objects.length = this.#depths.length = before;
        return this.#visitKeys(array, objectKeys(array));
      }
    }
    return length;
  }

  /** Not by the iterator of the map, which a program may have replaced. */
  #visitMap(map: Map<unknown, unknown>): number {
    let entries = 0;
    eachOfMap(map, (value, key) => {
      entries++;
      if (typeof key === "object" && key !== null) this.#add(key);
      if (typeof value === "object" && value !== null) this.#add(value);
    });
    return entries;
  }

  #visitSet(set: Set<unknown>): number {
    let members = 0;
    eachOfSet(set, (value) => {
      members++;
      if (typeof value === "object" && value !== null) this.#add(value);
    });
    return members;
  }

  #visitFields(object: object): number {
    // A typed array that lies about its prototype has no fields to look at.
    if (isView(object)) return 0;
    let fields = 0;
    // Unlike Object.keys(), this allocates nothing, but also finds inherited fields.
    for (const key in object) {
      if (!hasOwn(object, key)) continue;
      fields++;
      const value = (object as Record<string, unknown>)[key];
      if (typeof value === "object" && value !== null) this.#add(value);
    }
    return fields;
  }

  #visitKeys(object: object, keys: readonly string[]): number {
    for (let i = 0; i < keys.length; i++) {
      const value = (object as Record<string, unknown>)[keys[i]!];
      if (typeof value === "object" && value !== null) this.#add(value);
    }
    return keys.length;
  }

  #checkPlatform(object: object, platform: string): void {
    if (this.#destination === "process" || !isKept(object)) {
      throw refusal(
        this.#destination === "thread" && MOVABLE.has(platform)
          ? `${platform} objects are moved, not copied: write transfer(value, [object])`
          : `${platform} objects cannot be sent to another ${this.#destination}: send the data in them instead`,
      );
    }
  }
}

function refusal(message: string): DOMException {
  return new DOMException(message, "DataCloneError");
}

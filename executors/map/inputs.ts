/**
 * The inputs of a `map()`, zipped: one list of arguments at a time.
 *
 * @module
 */

import { isProxy } from "node:util/types";
import { show } from "../text.ts";

/**
 * As they were when this was loaded: an array that is iterated in another way
 * cannot be read by index.
 */
const arrayIterator = Array.prototype[Symbol.iterator];
const ArrayIterator = Object.getPrototypeOf([][Symbol.iterator]());
const { next: nextOfArray } = ArrayIterator;

/**
 * An input of `map()` or `forEach()`, which call their function with each item; an
 * item that is a promise is awaited first.
 */
export type Input<T> =
  | Iterable<T | PromiseLike<T>>
  | AsyncIterable<T | PromiseLike<T>>;

/** An input, and the method that gives its iterator. */
export interface Source {
  readonly input: unknown;
  readonly open: () => unknown;
  readonly async: boolean;
}

/**
 * Finds how to ask a value for its iterator, as `for await` does.
 *
 * @param input Any value. Strings are iterables, as in Python and in `for…of`.
 * @returns The source; `undefined` if the value is not iterable.
 * @throws {TypeError} If the method that gives an iterator is no function.
 * @throws {unknown} What a getter of the value throws.
 */
export function sourceOf(input: unknown): Source | undefined {
  if (input === undefined || input === null) return undefined;
  for (const symbol of [Symbol.asyncIterator, Symbol.iterator]) {
    const open = (input as Record<symbol, unknown>)[symbol];
    if (open === undefined || open === null) continue;
    if (typeof open !== "function") {
      throw new TypeError(
        `An input's ${symbol.description} must be a function: received ${
          show(open)
        }`,
      );
    }
    const async = symbol === Symbol.asyncIterator;
    return { input, open: open as () => unknown, async };
  }
  return undefined;
}

/**
 * Finds what to write instead of a value that looks like an input and is none.
 *
 * @param value A value that is not iterable.
 * @returns Half a sentence; `undefined` if the value does not look like an input.
 */
export function howToIterate(value: unknown): string | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const { then, next, length } = value as Record<string, unknown>;
  if (typeof then === "function") return "await it first";
  if (typeof next === "function") {
    return "pass { [Symbol.iterator]: () => iterator }, or with Symbol.asyncIterator if it is async";
  }
  if (Number.isSafeInteger(length) && (length as number) >= 0) {
    return "pass Array.from(…) of it";
  }
  return undefined;
}

/** How many calls inputs side by side make; `undefined` if one does not say, or is a string. */
export function totalOf(inputs: readonly Source[]): number | undefined {
  let total = inputs.length === 0 ? 0 : Infinity;
  for (const { input } of inputs) {
    const size = sizeOf(input);
    if (size === undefined) return undefined;
    total = Math.min(total, size);
  }
  return total;
}

function sizeOf(input: unknown): number | undefined {
  // The length of a string counts other units than its iterator gives.
  if (typeof input === "string" || input instanceof String) return undefined;
  try {
    const { length, size } = input as Record<string, unknown>;
    return [length, size].find((count): count is number =>
      Number.isSafeInteger(count) && count as number >= 0
    );
  } catch {
    // A getter of a user has thrown: then the input does not say.
  }
}

/** Inputs side by side, like Python's `zip`: the shortest ends all. */
export class Inputs {
  /** Whether {@linkcode Inputs.pullAsync} has to be awaited. */
  readonly async: boolean;
  readonly #method: string;
  readonly #iterators: (Iterator<unknown> | AsyncIterator<unknown>)[] = [];
  /** The only input, if it is an array that an index goes over as its iterator would. */
  readonly #array: readonly unknown[] | undefined;
  #index = 0;
  /**
   * An error of a getter of the array, to be thrown when the elements before it
   * have been pulled.
   */
  #thrown: { readonly error: unknown } | undefined;
  #closed = false;
  /** See {@linkcode Inputs.hold}. */
  #held = false;
  /** Whether the inputs are to be closed when they are released. */
  #closeDue = false;

  /**
   * Asks every input for its iterator; throws what they throw.
   *
   * @param sources The inputs.
   * @param method Whose inputs they are, for who reads an error.
   */
  constructor(sources: readonly Source[], method: "map" | "forEach") {
    this.#method = method;
    this.async = sources.some(({ async }) => async);
    this.#array = sources.length === 1 ? arrayOf(sources[0]!) : undefined;
    try {
      for (const { input, open } of sources) {
        const iterator = open.call(input);
        if (!isObject(iterator)) {
          throw new TypeError(
            `Input ${
              this.#iterators.length + 1
            } of ${this.#method}() must give an iterator: received ${
              show(iterator)
            }`,
          );
        }
        const { next } = iterator as Iterator<unknown>;
        if (typeof next !== "function") {
          throw new TypeError(
            `Input ${
              this.#iterators.length + 1
            } of ${this.#method}() must give an iterator with a next(): received ${
              show(next)
            }`,
          );
        }
        this.#iterators.push(iterator as Iterator<unknown>);
      }
    } catch (error) {
      // Iterators of the inputs before may hold a lock, or an open file.
      this.#end();
      throw error;
    }
    this.#closed = sources.length === 0;
  }

  /** Whether none is asked any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many inputs there are, which is how many arguments a call has. */
  get arity(): number {
    return this.#iterators.length;
  }

  /**
   * Until `release()`, inputs are being asked and must not be closed: a
   * generator that runs cannot be.
   */
  hold(): void {
    this.#held = true;
  }

  /** Inputs can be closed from now on, and are if that was asked for meanwhile. */
  release(): void {
    this.#held = false;
    if (this.#closeDue) this.#end();
  }

  /**
   * Adds arguments of the next calls to a list; only for sync inputs, while they
   * are held. Those of one call, as an iterator may run code that ends the map;
   * those of up to `most` from an array, but none after an object, which may have
   * to travel alone.
   *
   * @param args The list.
   * @param most How many calls there is room for, at least 1.
   * @returns How many calls were added; 0 after the last.
   * @throws {unknown} What an input throws.
   */
  pull(args: unknown[], most: number): number {
    if (this.#closed) return 0;
    if (this.#array !== undefined) return this.#cut(this.#array, args, most);
    const before = args.length;
    let i = 0;
    try {
      for (; i < this.#iterators.length; i++) {
        const result = (this.#iterators[i] as Iterator<unknown>).next();
        this.#checkResult(result, i);
        if (result.done) {
          args.length = before;
          this.#end(i);
          return 0;
        }
        args.push(result.value);
      }
      return 1;
    } catch (error) {
      args.length = before;
      this.#end(i);
      throw error;
    }
  }

  #cut(array: readonly unknown[], args: unknown[], most: number): number {
    let count = 0;
    try {
      // The array may grow or shrink meanwhile, as an iterator would see.
      while (
        this.#thrown === undefined && count < most &&
        this.#index < array.length
      ) {
        const value = array[this.#index++];
        args.push(value);
        count++;
        if (isObject(value)) break;
      }
    } catch (error) {
      this.#thrown = { error };
    }
    if (count > 0) return count;
    this.#end(0);
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return 0;
  }

  /** The arguments of the next call, or `undefined` after the last, of any kind of inputs. */
  async pullAsync(): Promise<unknown[] | undefined> {
    if (this.#closed) return undefined;
    const args: unknown[] = [];
    for (const [i, iterator] of this.#iterators.entries()) {
      try {
        const result = await this.#ask(iterator);
        this.#checkResult(result, i);
        if (result.done) return this.#end(i);
        args.push(result.value);
      } catch (error) {
        this.#end(i);
        throw error;
      }
      // The inputs were closed meanwhile, and none may be asked after its end.
      if (this.#closed) return undefined;
    }
    return args;
  }

  /**
   * Tells the inputs that no more is wanted, as `for…of` does. Does not wait for
   * them: an input whose `next()` never settles would never answer.
   */
  close(): void {
    if (this.#held) this.#closeDue = true;
    else this.#end();
  }

  #ask(iterator: Iterator<unknown> | AsyncIterator<unknown>) {
    this.hold();
    try {
      return iterator.next();
    } finally {
      this.release();
    }
  }

  #checkResult(result: unknown, i: number): void {
    if (isObject(result)) return;
    throw new TypeError(
      `Input ${
        i + 1
      } of ${this.#method}() must give { done, value }: received ${
        show(result)
      }`,
    );
  }

  /** Ends all inputs, but for the one with the number `except`, which has ended by itself. */
  #end(except?: number): undefined {
    if (this.#closed) return;
    this.#closed = true;
    for (const [i, iterator] of this.#iterators.entries()) {
      if (i === except) continue;
      try {
        // Nobody is left to hear of an error here, as the results are over.
        Promise.resolve(iterator.return?.()).catch(() => {});
      } catch {
        // An error that is thrown at once is ignored as well.
      }
    }
  }
}

/** The input, if it is an array that can be read by index. */
function arrayOf({ input, open }: Source): readonly unknown[] | undefined {
  return Array.isArray(input) && !isProxy(input) && open === arrayIterator &&
      ArrayIterator.next === nextOfArray
    ? input
    : undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

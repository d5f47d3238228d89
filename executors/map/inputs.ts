/**
 * The inputs of a `map()`, zipped: one list of arguments at a time.
 *
 * @module
 */

import { isProxy } from "node:util/types";
import { show } from "../text.ts";

/** As they were: only an array that is iterated by these is an array to everybody. */
const arrayIterator = Array.prototype[Symbol.iterator];
const ArrayIterator = Object.getPrototypeOf([][Symbol.iterator]());
const { next: nextOfArray } = ArrayIterator;

/** What `map()` takes its items from. */
export type Input<T> = Iterable<T> | AsyncIterable<T>;

/** An input, and how to ask for its iterator. */
export interface Source {
  readonly input: unknown;
  readonly open: () => unknown;
  readonly async: boolean;
}

/**
 * How to ask a value for its iterator, found as `for await` finds it.
 *
 * @param input Any value. Strings are iterables, as in Python and in `for…of`.
 * @returns `undefined` if it is not iterable. What its getters throw is thrown.
 * @throws {TypeError} If it has something that is no function in that place.
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
 * What to write instead of a value that looks like an input and is none.
 *
 * @param value What is not iterable.
 * @returns Half a sentence; `undefined` if it looks like anything else.
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

/** Side by side like Python's `zip`: the shortest input ends all. */
export class Inputs {
  /** Whether {@linkcode Inputs.pullAsync} has to be awaited. */
  readonly async: boolean;
  readonly #iterators: (Iterator<unknown> | AsyncIterator<unknown>)[] = [];
  /** The only input, if nobody can tell whether an iterator or an index goes over it. */
  readonly #array: readonly unknown[] | undefined;
  #index = 0;
  /** What a getter of that has thrown, when what came before has been pulled. */
  #thrown: { readonly error: unknown } | undefined;
  #closed = false;
  /** See {@linkcode Inputs.hold}. */
  #held = false;
  #closeDue = false;

  /** Asks every input for its iterator; what that throws is thrown. */
  constructor(sources: readonly Source[]) {
    this.async = sources.some(({ async }) => async);
    this.#array = sources.length === 1 ? arrayOf(sources[0]!) : undefined;
    try {
      for (const { input, open } of sources) {
        const iterator = open.call(input);
        if (!isObject(iterator)) {
          throw new TypeError(
            `Input ${
              this.#iterators.length + 1
            } of map() must give an iterator: received ${show(iterator)}`,
          );
        }
        const { next } = iterator as Iterator<unknown>;
        if (typeof next !== "function") {
          throw new TypeError(
            `Input ${
              this.#iterators.length + 1
            } of map() must give an iterator with a next(): received ${
              show(next)
            }`,
          );
        }
        this.#iterators.push(iterator as Iterator<unknown>);
      }
    } catch (error) {
      // Those before it are locked, or have a file open.
      this.#end();
      throw error;
    }
    this.#closed = sources.length === 0;
  }

  /** How many inputs there are, which is how many arguments a call has. */
  get arity(): number {
    return this.#iterators.length;
  }

  /** Inputs are being asked right now, and a generator that runs cannot be closed. */
  hold(): void {
    this.#held = true;
  }

  /** They can be closed from now on, and are if that was to be done meanwhile. */
  release(): void {
    this.#held = false;
    if (this.#closeDue) this.#end();
  }

  /**
   * Adds the arguments of the next calls to `args`; only without async inputs,
   * held. One call at a time, as more may run code of the program; of an array
   * up to `most`, until one is an object, which may be more than a value.
   *
   * @returns How many calls those are; 0 after the last.
   */
  pull(args: unknown[], most: number): number {
    if (this.#closed) return 0;
    if (this.#array !== undefined) return this.#cut(this.#array, args, most);
    const before = args.length;
    let i = 0;
    try {
      for (; i < this.#iterators.length; i++) {
        const result = (this.#iterators[i] as Iterator<unknown>).next();
        checkResult(result, i);
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
      // It may grow meanwhile, or shrink, as under an iterator.
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

  /** The next arguments, or `undefined` after the last, with any kind of inputs. */
  async pullAsync(): Promise<unknown[] | undefined> {
    if (this.#closed) return undefined;
    const args: unknown[] = [];
    for (const [i, iterator] of this.#iterators.entries()) {
      try {
        const result = await this.#ask(iterator);
        checkResult(result, i);
        if (result.done) return this.#end(i);
        args.push(result.value);
      } catch (error) {
        this.#end(i);
        throw error;
      }
      // Another input would be asked after its end.
      if (this.#closed) return undefined;
    }
    return args;
  }

  /**
   * Tells the inputs that no more is wanted, as `for…of` does. Does not wait:
   * an input whose `next()` never settles would never answer.
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

  /** `except` has ended by itself. */
  #end(except?: number): undefined {
    if (this.#closed) return;
    this.#closed = true;
    for (const [i, iterator] of this.#iterators.entries()) {
      if (i === except) continue;
      try {
        // An error on the way out has nobody to go to, as results are over.
        Promise.resolve(iterator.return?.()).catch(() => {});
      } catch {
        // The same, thrown at once.
      }
    }
  }
}

/** The array that an input is, if it is one that can be read by its index. */
function arrayOf({ input, open }: Source): readonly unknown[] | undefined {
  return Array.isArray(input) && !isProxy(input) && open === arrayIterator &&
      ArrayIterator.next === nextOfArray
    ? input
    : undefined;
}

function checkResult(result: unknown, i: number): void {
  if (isObject(result)) return;
  throw new TypeError(
    `Input ${i + 1} of map() must give { done, value }: received ${
      show(result)
    }`,
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

/**
 * The inputs of a `map()`, zipped: one list of arguments at a time.
 *
 * @module
 */

/** What `map()` takes its items from. */
export type Input<T> = Iterable<T> | AsyncIterable<T>;

/** Side by side like Python's `zip`: the shortest input ends all. */
export class Inputs {
  /** Whether {@linkcode Inputs.pullAsync} has to be awaited. */
  readonly async: boolean;
  readonly #iterators: (Iterator<unknown> | AsyncIterator<unknown>)[];
  #closed = false;

  /** Asks every input for its iterator; what that throws is thrown. */
  constructor(inputs: readonly Input<unknown>[]) {
    this.async = inputs.some(isAsync);
    this.#iterators = inputs.map((input) =>
      isAsync(input) ? input[Symbol.asyncIterator]() : input[Symbol.iterator]()
    );
    this.#closed = inputs.length === 0;
  }

  /** How many inputs there are, which is how many arguments a call has. */
  get arity(): number {
    return this.#iterators.length;
  }

  /** Adds the next arguments to `args`; false after the last. Only without async inputs. */
  pull(args: unknown[]): boolean {
    if (this.#closed) return false;
    const before = args.length;
    for (let i = 0; i < this.#iterators.length; i++) {
      let result: IteratorResult<unknown>;
      try {
        result = (this.#iterators[i] as Iterator<unknown>).next();
      } catch (error) {
        args.length = before;
        this.close(i);
        throw error;
      }
      if (result.done) {
        args.length = before;
        this.close(i);
        return false;
      }
      args.push(result.value);
    }
    return true;
  }

  /** The next arguments, or `undefined` after the last, with any kind of inputs. */
  async pullAsync(): Promise<unknown[] | undefined> {
    if (this.#closed) return undefined;
    const args: unknown[] = [];
    for (const [i, iterator] of this.#iterators.entries()) {
      let result: IteratorResult<unknown>;
      try {
        result = await iterator.next();
      } catch (error) {
        this.close(i);
        throw error;
      }
      if (result.done) return this.close(i);
      args.push(result.value);
    }
    return args;
  }

  /**
   * Tells the inputs that no more is wanted, as `for…of` does. Does not wait:
   * an input whose `next()` never settles would never answer. `except` has
   * ended by itself.
   */
  close(except?: number): undefined {
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

function isAsync(input: Input<unknown>): input is AsyncIterable<unknown> {
  return Symbol.asyncIterator in Object(input);
}

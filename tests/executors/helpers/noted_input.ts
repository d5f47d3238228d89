/**
 * Inputs of `map()` that note what is asked of them.
 *
 * @module
 */

/** Numbers from 0, endless unless they are told otherwise. */
export class NotedInput implements Iterable<number> {
  /** How often an iterator was asked for. */
  opened = 0;
  /** How many numbers were asked for; the question that got none counts. */
  pulled = 0;
  /** How often `return()` was called. */
  returned = 0;
  readonly #length: number;
  readonly #failAt: number | undefined;

  /** Ends after `length` numbers, or throws `inputError` in the place of `failAt`. */
  constructor(length = Infinity, failAt?: number) {
    this.#length = length;
    this.#failAt = failAt;
  }

  [Symbol.iterator](): Iterator<number> {
    this.opened++;
    return {
      next: () => {
        const value = this.pulled++;
        if (value >= this.#length) return { done: true, value: undefined };
        if (value === this.#failAt) throw inputError;
        return { done: false, value };
      },
      return: () => {
        this.returned++;
        return { done: true, value: undefined };
      },
    };
  }
}

/** The same, one event loop turn later each. */
export class NotedAsyncInput implements AsyncIterable<number> {
  /** What notes. */
  readonly sync: NotedInput;
  /** How many questions were open at the same time. */
  concurrent = 0;
  #open = 0;

  constructor(length?: number, failAt?: number) {
    this.sync = new NotedInput(length, failAt);
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    const iterator = this.sync[Symbol.iterator]();
    return {
      next: async () => {
        this.concurrent = Math.max(this.concurrent, ++this.#open);
        await new Promise((resolve) => setTimeout(resolve, 0));
        this.#open--;
        return iterator.next();
      },
      return: () => Promise.resolve(iterator.return!()),
    };
  }
}

/** What inputs throw that are made to. */
export const inputError = new RangeError("No such input");

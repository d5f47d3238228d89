/**
 * What a worker reports, on its way to the items that it is about.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { cloneError, unreadable } from "../wire/clone_error.ts";
import { decodeError, type EncodedError } from "../wire/codec.ts";
import type { ToHost } from "../wire/protocol.ts";

/** A report of a worker. */
export type Report = Extract<ToHost, readonly ["done", ...unknown[]]>;

/** The outcomes of one report, in the order in which the calls ended. */
export class Outcomes {
  readonly #worker: string;
  readonly #carries: (value: unknown) => boolean;
  readonly #values: unknown[];
  readonly #failures: (number | EncodedError)[];
  readonly #times: readonly number[] | undefined;
  /** The index of the next outcome, and of the next failure. */
  #next = 0;
  #failure = 0;

  /** `carries` says which arguments the worker could have read. */
  constructor(
    [, , , values, failures, times]: Report,
    worker: string,
    carries: (value: unknown) => boolean,
  ) {
    this.#worker = worker;
    this.#carries = carries;
    this.#values = values as unknown[];
    this.#failures = (failures ?? []) as (number | EncodedError)[];
    this.#times = times;
  }

  /** How many have not been given. */
  get left(): number {
    return this.#values.length - this.#next;
  }

  /** All have been given: Deno 2.4 keeps the last message of a port, whose values these are. */
  forget(): void {
    this.#values.length = this.#failures.length = 0;
  }

  /** Gives the next `count` to an item, the first of them to this call. */
  give(item: Job, call: number, count: number): void {
    const first = this.#next;
    const end = first + count;
    while (this.#next < end) {
      const from = this.#next;
      const at = call + from - first;
      const failed = this.#failures[this.#failure] as number | undefined;
      let to = Math.min(end, failed ?? end);
      if (this.#times !== undefined) {
        const [started, ended] = this.#times.slice(2 * from, 2 * from + 2);
        item.timing = {
          worker: this.#worker,
          started: started!,
          ended: ended!,
        };
        to = Math.min(to, from + 1);
      }
      this.#next = Math.max(to, from + 1);
      if (failed === from) {
        const error = this.#failures[this.#failure + 1] as EncodedError;
        this.#failure += 2;
        item.reject(this.#decode(error, item), at);
      } else {
        item.resolveAll(this.#values, from, to, at);
      }
    }
  }

  /** Never throws, as others wait: a task may have forged what its worker says. */
  #decode(error: EncodedError | null, item: Job): unknown {
    return error?.kind === "unread"
      ? cloneError(item, unreadable(), this.#carries)
      : decodeError(error!);
  }
}

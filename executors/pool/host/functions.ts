/**
 * What a host knows of the functions that were submitted: a number to send
 * instead of a name, and how long a call takes.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import {
  type AnyFunction,
  type FunctionReference,
  referenceOf,
} from "../../task.ts";

/**
 * How much work, in milliseconds, is sent ahead to a worker. More hides the
 * time that messages take; less keeps work where an idle worker finds it, and
 * results close to when they were ready.
 */
export const AHEAD_MS = 1;

/**
 * How many names of functions with one source are told apart. Each name makes a
 * definition of its own, which is sent to every worker, evaluated there, and
 * kept as long as the executor: that is what stack traces cost which tell the
 * name. A program with more names numbers its functions.
 */
const MAX_NAMES = 16;

/** The least that a call is expected to take, in milliseconds: one that takes no measurable time still counts. */
const MIN_COST_MS = 1e-6;

/** The most that a call is expected to take, in milliseconds: an hour that a worker claims is forgotten after as many good reports as a minute. */
const MAX_COST_MS = 60_000;

/** A function as one scheduler knows it. */
export class PoolFunction {
  readonly id: number;
  readonly reference: FunctionReference;
  /**
   * How long a call is expected to take, in milliseconds. Nothing is known of a
   * new function, so its calls begin to travel alone.
   */
  cost: number = AHEAD_MS;

  constructor(id: number, reference: FunctionReference) {
    this.id = id;
    this.reference = reference;
  }

  /**
   * Learns from a report of `ms` per call: a longer time is believed at once, a
   * shorter one by halves, so the number of calls that travel together doubles
   * with each good report. One slow call among fast ones thus costs a few
   * messages; believing one fast call among slow ones would pile work up behind
   * the slow ones.
   */
  learn(ms: number): void {
    this.cost = Math.min(Math.max(ms, this.cost / 2), MAX_COST_MS);
  }
}

/** How long each call of a job is expected to take, in milliseconds. */
export function costOf(
  { options: { chunkSize } }: Job,
  { cost }: PoolFunction,
): number {
  return Math.max(chunkSize > 0 ? AHEAD_MS / chunkSize : cost, MIN_COST_MS);
}

/** All functions that were submitted to one scheduler. */
export class FunctionTable {
  readonly #byFunction = new WeakMap<AnyFunction, PoolFunction>();
  /**
   * Functions by source, or module, and then by name, which messages and stack
   * traces tell: `submit(() => …)` in a loop makes a new function each time,
   * with the same source. One key of source and name would have to be made for
   * each of these functions. Workers know functions of one source with further
   * names as one function without a name.
   */
  readonly #byReference = new Map<string, Map<string, PoolFunction>>();
  #count = 0;
  /** The last function asked for: most calls that are dealt out together are of one function. */
  #last: AnyFunction | undefined;
  #lastFound: PoolFunction | undefined;

  /** The entry of `fn`. */
  of(fn: AnyFunction): PoolFunction {
    if (fn === this.#last) return this.#lastFound!;
    let found = this.#byFunction.get(fn);
    if (found === undefined) {
      found = this.#find(referenceOf(fn));
      this.#byFunction.set(fn, found);
    }
    this.#last = fn;
    this.#lastFound = found;
    return found;
  }

  /**
   * Calls have been dealt out: the last function is not kept, as variables are
   * kept with it that other functions of its scope use.
   */
  forgetLast(): void {
    this.#last = this.#lastFound = undefined;
  }

  #find(reference: FunctionReference): PoolFunction {
    const text = reference.kind === "export"
      ? reference.module
      : reference.source;
    let named = this.#byReference.get(text);
    if (named === undefined) this.#byReference.set(text, named = new Map());
    const found = named.get(reference.name);
    if (found !== undefined) return found;
    // Exports of one module are different functions, however many there are.
    return reference.kind === "source" && named.size >= MAX_NAMES
      ? this.#add(named, { ...reference, name: "" })
      : this.#add(named, reference);
  }

  #add(
    named: Map<string, PoolFunction>,
    reference: FunctionReference,
  ): PoolFunction {
    let found = named.get(reference.name);
    if (found === undefined) {
      found = new PoolFunction(this.#count++, reference);
      named.set(reference.name, found);
    }
    return found;
  }
}

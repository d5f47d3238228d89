/**
 * Tells the user of a `map()`, now and then, how many of its calls have ended.
 *
 * @module
 */

import { MapSpan } from "../job/trace.ts";
import {
  type AsyncContext,
  currentContext,
  runIn,
} from "../runtime/async_context.ts";
import { queueMicrotask } from "../runtime/clock.ts";
import { isThenable } from "../runtime/thenable.ts";
import { startTimer } from "../runtime/timer.ts";
import type { MapProgress } from "./options.ts";
import { type Source, totalOf } from "./inputs.ts";

/** So often the user is told at most, in milliseconds. */
const INTERVAL_MS = 100;

/**
 * What was told last of each map: a bar leaves its line then, also where a map has
 * no total, or was left. The mark is none of the fields, which are for users.
 */
const last = new WeakSet<MapProgress>();

/** Whether a map is over that has told this. */
export function isLast(progress: MapProgress): boolean {
  return last.has(progress);
}

/** How many calls have ended; those that were cancelled do not count. */
export interface Counts {
  /** All that have returned a value or failed. */
  done: number;
  /** Those that failed. */
  failed: number;
}

/** The progress of one map. */
export class Progress {
  readonly counts: Counts = { done: 0, failed: 0 };
  readonly #total: number | undefined;
  readonly #onProgress: ((progress: MapProgress) => unknown) | undefined;
  /** The async context of who asked for it. */
  readonly #asker = currentContext();
  readonly #span: MapSpan | undefined;
  /** Runs while there is something to tell that is not to be told yet. */
  #stopTimer: (() => void) | undefined;
  #over = false;

  /**
   * Begins to count.
   *
   * @param inputs Say how many calls there will be, if somebody wants to know.
   * @param onProgress Is told, if the user wants to be.
   * @param name What the map is called in a trace.
   */
  constructor(
    inputs: readonly Source[],
    onProgress: ((progress: MapProgress) => unknown) | undefined,
    name: string,
  ) {
    this.#onProgress = onProgress;
    this.#total = onProgress && totalOf(inputs);
    this.#span = MapSpan.begin(name);
  }

  /** The async context of the calls. */
  get context(): AsyncContext {
    return this.#span === undefined ? this.#asker : this.#span.context;
  }

  /** Whether the user wants to be told. */
  get isTold(): boolean {
    return this.#onProgress !== undefined;
  }

  /** The counts have changed. */
  changed(): void {
    if (this.#over) return;
    this.#stopTimer ??= startTimer(INTERVAL_MS, () => {
      this.#stopTimer = undefined;
      this.#tell(false);
    });
  }

  /** The map is over: its user is told for the last time, before anybody else that it is. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#span?.end();
    this.#stopTimer?.();
    if (this.isTold) queueMicrotask(() => this.#tell(true));
  }

  #tell(isOver: boolean): void {
    const { done, failed } = this.counts;
    const total = this.#total;
    const log = (error: unknown) => console.error("onProgress failed:", error);
    const progress = { done, failed, total };
    if (isOver) last.add(progress);
    try {
      const returned = runIn(this.#asker, () => this.#onProgress!(progress));
      if (isThenable(returned)) Promise.resolve(returned).catch(log);
    } catch (error) {
      log(error);
    }
  }
}

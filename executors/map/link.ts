/**
 * Tells a `map()` of its signal and of the end of its executor, without keeping
 * it alive.
 *
 * @module
 */

import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import type { MapSettings, MapTarget, OpenMap } from "./options.ts";

/** A map that can be told of both. */
export interface LinkedMap extends OpenMap {
  /** The signal was aborted. */
  abort(): void;
}

/** Ends the link of a map that was left half-way and is no longer in memory. */
const leftAlone = new FinalizationRegistry<MapLink>((link) => link.end());

/**
 * Stands for a map with its signal and its executor. Both may live long, and
 * must keep a map alive only while somebody waits for it, who has to be told.
 */
export class MapLink implements AbortWaiter, OpenMap {
  readonly #run: WeakRef<LinkedMap>;
  /**
   * Weak, as `leftAlone` keeps the link: the signal may have a listener that
   * knows the map, which would never be out of memory then.
   */
  readonly #signal: WeakRef<AbortSignal> | undefined;
  readonly #openMaps: Set<OpenMap>;
  /** The map, while somebody waits for it, to keep it alive. */
  waited: LinkedMap | undefined = undefined;

  /**
   * Links a map.
   *
   * @param run The map.
   * @param settings Have the signal, if there is one.
   * @param target The executor.
   */
  constructor(
    run: LinkedMap,
    { signal }: MapSettings,
    { openMaps }: MapTarget,
  ) {
    this.#run = new WeakRef(run);
    this.#signal = signal && new WeakRef(signal);
    this.#openMaps = openMaps;
    if (signal !== undefined) onAbort(signal, this);
    openMaps.add(this);
    leftAlone.register(run, this, this);
  }

  signalAborted(): void {
    this.#run.deref()?.abort();
  }

  executorClosed(): void {
    const run = this.#run.deref();
    if (run === undefined) this.inputEnded();
    else run.executorClosed();
  }

  /** The input has ended: the map has no more calls for the executor to refuse. */
  inputEnded(): void {
    this.#openMaps.delete(this);
  }

  /** The map has ended. */
  end(): void {
    this.inputEnded();
    this.waited = undefined;
    leftAlone.unregister(this);
    const signal = this.#signal?.deref();
    if (signal !== undefined) offAbort(signal, this);
  }
}

/**
 * What a `map()` hears of its signal and its executor.
 *
 * @module
 */

import { type AbortWaiter, offAbort, onAbort } from "../runtime/abort.ts";
import type { MapSettings, MapTarget, OpenMap } from "./options.ts";

/** A map that is told. */
export interface LinkedMap extends OpenMap {
  /** The signal was aborted. */
  abort(): void;
}

/** Maps that were left half-way take their links with them. */
const leftAlone = new FinalizationRegistry<MapLink>((link) => link.end());

/**
 * Stands for a map with its signal and its executor. Either may live long, and
 * keeps a map alive only while somebody waits for it, who has to be told.
 */
export class MapLink implements AbortWaiter, OpenMap {
  readonly #run: WeakRef<LinkedMap>;
  readonly #signal: AbortSignal | undefined;
  readonly #openMaps: Set<OpenMap>;
  /** The map, while somebody waits for it. */
  waited: LinkedMap | undefined = undefined;

  /** Has `run` told of what ends its signal, and of the end of its executor. */
  constructor(
    run: LinkedMap,
    { signal }: MapSettings,
    { openMaps }: MapTarget,
  ) {
    this.#run = new WeakRef(run);
    this.#signal = signal;
    this.#openMaps = openMaps;
    if (signal !== undefined) onAbort(signal, this);
    openMaps.add(this);
    leftAlone.register(run, this, this);
  }

  signalAborted(): void {
    this.#run.deref()?.abort();
  }

  executorClosed(): void {
    this.#run.deref()?.executorClosed();
  }

  /** The input has ended, so that the executor is of no interest any more. */
  inputEnded(): void {
    this.#openMaps.delete(this);
  }

  /** The map has ended. */
  end(): void {
    this.inputEnded();
    this.waited = undefined;
    leftAlone.unregister(this);
    if (this.#signal !== undefined) offAbort(this.#signal, this);
  }
}

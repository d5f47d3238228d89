/**
 * Obeys Ctrl-C: once to finish what runs, twice to leave it.
 *
 * @module
 */

import { leave, say } from "./command.ts";

/** The exit status after Ctrl-C, as shells have it. */
export const INTERRUPTED_STATUS = 130;

/** Waits for signals. */
export class Interrupt implements Disposable {
  /** Whether there was one. */
  happened = false;
  readonly #signals: readonly Deno.Signal[];
  readonly #listener: () => void;

  /**
   * Listens from now on.
   *
   * @param stop Begins to finish what runs.
   * @param signals The signals that mean that.
   */
  constructor(stop: () => void, signals: readonly Deno.Signal[] = ["SIGINT"]) {
    this.#signals = signals;
    this.#listener = () => {
      if (this.happened) leave(INTERRUPTED_STATUS);
      this.happened = true;
      stop();
      say("finishing what runs; Ctrl-C once more leaves it");
    };
    for (const signal of signals) {
      Deno.addSignalListener(signal, this.#listener);
    }
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) {
      Deno.removeSignalListener(signal, this.#listener);
    }
  }
}

/**
 * Work that brings more jobs to its executor, also after the executor was shut
 * down, which then waits for it: a `forEach()` whose input has not ended, or a
 * `map()` that waits for an input which is a promise.
 *
 * @module
 */

/** Some such work. */
export interface UpcomingWork {
  /** What has not started is cancelled: no more jobs are to come. */
  giveUp(): void;
}

/** All such work of one executor. */
export class Upcoming {
  readonly #works = new Set<UpcomingWork>();
  #none: PromiseWithResolvers<void> | undefined;

  /** Whether no more jobs come but those that are submitted. */
  get isEmpty(): boolean {
    return this.#works.size === 0;
  }

  /** From now on, this work may bring jobs. */
  begin(work: UpcomingWork): void {
    this.#works.add(work);
  }

  /** This work brings no more jobs. */
  end(work: UpcomingWork): void {
    if (!this.#works.delete(work) || !this.isEmpty) return;
    this.#none?.resolve();
    this.#none = undefined;
  }

  /** Ends all work. */
  giveUp(): void {
    for (const work of [...this.#works]) {
      this.end(work);
      work.giveUp();
    }
  }

  /** Resolves when all work has ended. */
  async ended(): Promise<void> {
    while (!this.isEmpty) {
      this.#none ??= Promise.withResolvers();
      await this.#none.promise;
    }
  }
}

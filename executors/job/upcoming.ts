/**
 * Work that brings more jobs to its executor, also after the executor was shut
 * down, which then waits for it: calls that may be tried again, a `forEach()` whose
 * input has not ended, a `map()` that waits for an input which is a promise.
 *
 * @module
 */

/** Some such work. */
export interface UpcomingWork {
  /**
   * No more jobs are to come: what waits for that ends now.
   *
   * @param error Makes the error by which it ends; without, it has one of its own.
   */
  giveUp(error: (() => Error) | undefined): void;
}

/** All such work of one executor. */
export class Upcoming {
  readonly #works = new Set<UpcomingWork>();
  readonly #whenNone: (() => void)[] = [];
  #isGivenUp = false;

  /** Whether no more jobs come but those that are submitted. */
  get isEmpty(): boolean {
    return this.#works.size === 0;
  }

  /** Whether no work may bring jobs any more. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** From now on, this work may bring jobs. */
  begin(work: UpcomingWork): void {
    this.#works.add(work);
  }

  /** This work brings no more jobs. */
  end(work: UpcomingWork): void {
    if (!this.#works.delete(work) || !this.isEmpty) return;
    for (const tell of this.#whenNone.splice(0)) tell();
  }

  /** Has a function called once all work has ended, of which there is some now. */
  whenNone(tell: () => void): void {
    this.#whenNone.push(tell);
  }

  /** Ends all work, each by such an error. */
  giveUp(error?: () => Error): void {
    this.#isGivenUp = true;
    for (const work of [...this.#works]) {
      this.end(work);
      work.giveUp(error);
    }
  }
}

/**
 * Work that will bring more jobs, though its executor takes none from outside any
 * more: calls that may be tried again, and inputs that are still read. A shutdown
 * waits for it.
 *
 * @module
 */

/** Something that will bring more jobs. */
export interface MoreJobs {
  /**
   * It is to bring no more: what waits for that ends now.
   *
   * @param error Makes the error by which it ends; without, it has one of its own.
   */
  giveUp(error: (() => Error) | undefined): void;
}

/** All such work of one executor. */
export class Upcoming {
  readonly #all = new Set<MoreJobs>();
  readonly #whenNone: (() => void)[] = [];
  #givenUp = false;

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Whether nobody may bring more jobs. */
  get isGivenUp(): boolean {
    return this.#givenUp;
  }

  /** Work begins that will bring more jobs. */
  begin(work: MoreJobs): void {
    this.#all.add(work);
  }

  /** Work has ended, or brings nothing more. */
  end(work: MoreJobs): void {
    if (!this.#all.delete(work) || this.#all.size > 0) return;
    for (const tell of this.#whenNone.splice(0)) tell();
  }

  /** Calls a function once there is none, later at the earliest. */
  whenNone(tell: () => void): void {
    this.#whenNone.push(tell);
  }

  /** No more jobs, from now on. */
  giveUp(error?: () => Error): void {
    this.#givenUp = true;
    for (const work of [...this.#all]) work.giveUp(error);
  }
}

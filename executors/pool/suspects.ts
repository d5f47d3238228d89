/**
 * Calls that were with a worker as it died with nothing to do: one of them may
 * be the reason, as a value that cannot be read there. From then on each of them
 * goes to a worker that is ready and free, and travels alone, so that it fails
 * alone if it is the reason, and the others run.
 *
 * @module
 */

import type { WorkItem } from "../work_item.ts";

/** A call that so many workers have died with would most likely end more of them. */
const MAX_DEATHS = 3;

/** The suspects of one pool; costs nothing as long as there are none. */
export class Suspects {
  /** How many workers have died with an item. */
  readonly #deaths = new WeakMap<WorkItem, number>();
  /** Whether there has ever been one. */
  #any = false;

  /** Whether an item is one. */
  has(item: WorkItem): boolean {
    return this.#any && this.#deaths.has(item);
  }

  /** One more worker has died with it; true if it is not to be sent again. */
  accuse(item: WorkItem): boolean {
    const deaths = (this.#deaths.get(item) ?? 0) + 1;
    this.#deaths.set(item, deaths);
    this.#any = true;
    return deaths >= MAX_DEATHS;
  }

  /** What is split off from a suspect is one as well. */
  share(item: WorkItem, rest: WorkItem): void {
    this.#deaths.set(rest, this.#deaths.get(item)!);
  }
}

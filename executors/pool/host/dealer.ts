/**
 * Which worker gets which job.
 *
 * A worker is sent as many calls as take it about `AHEAD_MS`, judged by how
 * long calls of the same function took before: long calls go one at a time,
 * tiny ones by the hundred. Tiny calls of a `map()` stay with one worker, which
 * then never falls asleep: waking another thread takes longer than the calls
 * do.
 *
 * @module
 */

import type { JobQueue } from "../../job/queue.ts";
import type { Crew } from "./crew.ts";
import type { FunctionTable } from "./functions.ts";
import { WORTHWHILE_MS } from "./room.ts";
import type { Suspects } from "./suspects.ts";
import type { PoolWorker } from "./worker.ts";

/** Deals the jobs of one queue out to workers. */
export class Dealer {
  readonly #queue: JobQueue;
  readonly #crew: Crew;
  readonly #functions: FunctionTable;
  readonly #suspects: Suspects;

  constructor(
    queue: JobQueue,
    crew: Crew,
    functions: FunctionTable,
    suspects: Suspects,
  ) {
    this.#queue = queue;
    this.#crew = crew;
    this.#functions = functions;
    this.#suspects = suspects;
  }

  /** Sends each worker the calls that it has room for. */
  deal(): void {
    this.#dealSuspects();
    this.#dealOut();
  }

  /** Sends a worker the calls that it has room for, `share` at most. */
  fill(worker: PoolWorker, share: number): void {
    let left = share;
    for (
      let job = this.#queue.peek();
      job !== undefined && left > 0;
      job = this.#queue.peek()
    ) {
      const alone = this.#suspects.has(job);
      if (alone && !worker.room.free) break;
      const { count } = this.#queue.shift()!;
      const rest = worker.offer(job, alone ? 1 : left);
      if (rest !== undefined) this.#queue.unshift([rest]);
      if (rest === job) break;
      if (rest !== undefined && alone) this.#suspects.share(job, rest);
      this.#suspects.sent(worker, alone);
      left -= count - (rest?.count ?? 0);
      if (alone) break;
    }
    worker.flush();
  }

  /** A call that came back from a dead worker travels alone, so that no other call is lost with it. */
  #dealSuspects(): void {
    // Each worker is asked once: a free worker may still have no place for a call.
    for (const worker of this.#crew) {
      const next = this.#queue.peek();
      if (next === undefined || !this.#suspects.has(next)) return;
      if (worker.room.free) this.fill(worker, 1);
    }
  }

  /**
   * Divides the queue between the workers that want more now: a part left for a
   * worker that is still busy would only make the messages smaller.
   */
  #dealOut(): void {
    const next = this.#queue.peek();
    if (next === undefined) return;
    const { fn, count } = next;
    const known = this.#functions.of(fn);
    let wanting = [...this.#crew].filter((worker) =>
      worker.room.wants(this.#queue.available, known) &&
      !this.#suspects.areWith(worker)
    );
    if (count > 1 && this.#queue.available * known.cost < WORTHWHILE_MS) {
      // If the brisk worker is slower than it seems, it stalls, and the next worker has its turn.
      const brisk = [...this.#crew].find((worker) => worker.room.brisk);
      wanting = wanting.filter((worker, i) =>
        brisk === undefined ? i === 0 : worker === brisk
      );
    }
    for (const [i, worker] of wanting.entries()) {
      this.fill(
        worker,
        Math.ceil(this.#queue.available / (wanting.length - i)),
      );
    }
  }
}

/**
 * How much one worker is to be sent, and when.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { MESSAGE_CALLS } from "../wire/protocol.ts";
import { SLOT_COUNT } from "../wire/slots.ts";
import { AHEAD_MS, type PoolFunction } from "./functions.ts";
import type { Ledger } from "./ledger.ts";
import type { Life } from "./life.ts";
import type { Silence } from "./silence.ts";

/**
 * A message to a worker that still has something to do holds at least so much
 * work, in milliseconds: several times what a message costs.
 */
export const WORTHWHILE_MS = 0.1;

/** The room of one worker. */
export class Room {
  readonly #life: Life;
  readonly #ledger: Ledger;
  readonly #silence: Silence;

  constructor(life: Life, ledger: Ledger, silence: Silence) {
    this.#life = life;
    this.#ledger = ledger;
    this.#silence = silence;
  }

  /** Whether the worker waits for a call, and will enter it at once. */
  get free(): boolean {
    return this.#life.isReady && this.#ledger.count === 0 &&
      this.#ledger.quota > 0 && !this.#silence.long;
  }

  /** Whether the worker is at work, and about to be done with its calls. */
  get brisk(): boolean {
    return this.#life.isReady && !this.#life.isStalled &&
      this.#ledger.count > 0 && this.#ledger.load <= AHEAD_MS / 2;
  }

  /** Whether to send the worker so many calls of `fn` now, rather than to wait until there are more. */
  wants(calls: number, fn: PoolFunction): boolean {
    if (this.#ledger.count === 0) {
      return !this.#life.isLeaving && !this.#silence.long;
    }
    return this.brisk &&
      (calls >= MESSAGE_CALLS / 2 || calls * fn.cost >= WORTHWHILE_MS);
  }

  /** How many calls of a job the worker can be sent now, besides `underway` ones, if each takes `cost`; a result that is no number means none. */
  callsOf({ transfers }: Job, cost: number, underway: number): number {
    const { count, load, places, quota } = this.#ledger;
    if (this.#life.isLeaving || this.#silence.long) return 0;
    const idle = count === 0;
    // Each call may need a slot, and a revoked call keeps its own until the worker is past it.
    const most = Math.min(SLOT_COUNT - places - underway, quota);
    if (this.#life.isStarting) {
      return idle && !transfers ? Math.min(1, most) : 0;
    }
    if (idle) return Math.min(Math.max(1, Math.floor(AHEAD_MS / cost)), most);
    // A call that moves something cannot be sent again, so it is never sent ahead.
    if (transfers || this.#life.isStalled) return 0;
    return Math.min(Math.floor((AHEAD_MS - load) / cost), most);
  }
}

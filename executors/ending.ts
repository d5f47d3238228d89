/**
 * The end of an executor: what it waits for, and for how long.
 *
 * ```text
 * shutDown() ──► nothing brings more jobs ──► the strategy closes ──► maps that nobody has read are told of
 *     └── time is up ──► the strategy abandons what is left
 * ```
 *
 * @module
 */

import { Upcoming } from "./job/upcoming.ts";
import type { OpenMap } from "./map/options.ts";
import { type UnreadMap, warnOfUnread } from "./map/unread_maps.ts";
import { monotonicTime } from "./runtime/clock.ts";
import { startTimer } from "./runtime/timer.ts";

/** How a strategy ends. */
export interface Closable {
  /** Resolves when all work has ended. */
  close(cancelFutures: boolean): Promise<void>;
  /** Ends what is left. */
  abandon(): Promise<void>;
}

/** The end of one executor. */
export class Ending {
  readonly upcoming = new Upcoming();
  /**
   * The maps to tell when the executor takes no more jobs: one whose input
   * never answers will not ask.
   */
  readonly openMaps: Set<OpenMap> = new Set();
  /** The maps that nobody has read, and that have input left. */
  readonly unreadMaps: Set<UnreadMap> = new Set();
  readonly #strategy: Closable;
  #stopDeadline = () => {};
  #deadline = Infinity;
  /** Resolves once the time of a shutdown was up, and all was ended. */
  readonly #timeIsUp = Promise.withResolvers<void>();

  /** Makes an end that has not begun. */
  constructor(strategy: Closable) {
    this.#strategy = strategy;
  }

  /**
   * The executor takes no more work.
   *
   * @param cancels Whether what has not started is cancelled.
   * @param ms How long the rest may take, in milliseconds.
   * @returns A promise that resolves when all has ended, or was abandoned.
   */
  shutDown(cancels: boolean, ms: number): Promise<void> {
    if (cancels) this.giveUp();
    // Inputs that are awaited count before maps hear that no more are pulled.
    const closed = this.#close(cancels);
    this.closeMaps();
    this.#endWithin(ms, closed);
    const ended = Promise.race([closed, this.#timeIsUp.promise]);
    // Whoever waits hears of an error, and nobody else is to.
    ended.catch(() => {});
    return ended;
  }

  /** Whatever would bring more jobs ends, each by such an error, or by one of its own. */
  giveUp(error?: () => Error): void {
    this.unreadMaps.clear();
    this.upcoming.giveUp(error);
  }

  /** Ends the inputs of all maps. */
  closeMaps(): void {
    for (const map of [...this.openMaps]) map.executorClosed();
  }

  #close(cancels: boolean): Promise<void> {
    let closed: Promise<void>;
    if (this.upcoming.isEmpty) closed = this.#strategy.close(cancels);
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.upcoming.whenNone(() => resolve(this.#strategy.close(cancels)));
      closed = promise;
    }
    if (this.unreadMaps.size === 0) return closed;
    return closed.then(() => {
      warnOfUnread(this.unreadMaps);
      this.unreadMaps.clear();
    });
  }

  /** Ends what is left after some time, unless all has ended by itself. */
  #endWithin(ms: number, closed: Promise<void>): void {
    closed.then(() => this.#stopDeadline(), () => this.#stopDeadline());
    const deadline = monotonicTime() + ms;
    if (!(deadline < this.#deadline)) return;
    this.#stopDeadline();
    this.#deadline = deadline;
    const end = () => {
      // First the strategy, which knows by what error its work ends.
      const abandoned = this.#strategy.abandon();
      this.giveUp();
      this.#timeIsUp.resolve(abandoned);
    };
    if (ms === 0) end();
    else this.#stopDeadline = startTimer(ms, end);
  }
}

/**
 * What the calls of a batch report, on the way to the client. One message is on
 * its way at a time, and what is reported meanwhile waits for the next: so
 * reports arrive in order, each once, however often a message is said, and never
 * faster than the client hears them.
 *
 * ```text
 * add() ──► waiting ──as many as fit──► `report` ──► client
 *              ▲                                        │
 *              └────────── the next ◄────── yes ────────┘
 * ```
 *
 * @module
 */

import type { Report } from "../messages.ts";

/** So many bytes wait at most: a call that reports more than its client hears must not fill the memory. */
const MAX_WAITING_BYTES = 2 ** 24;

/** What the head of a message says of a report takes so many bytes, about. */
const ABOUT_BYTES = 64;

/** Says reports to the client until it has heard them, or wants nothing of the batch any more. */
type Say = (
  head: Pick<Report, "before" | "reports">,
  blocks: readonly Uint8Array[],
) => Promise<void>;

/** A report that the client has not heard. */
interface Waiting {
  readonly call: number;
  readonly block: Uint8Array;
}

/** The reports of one batch. */
export class Reports {
  readonly #say: Say;
  readonly #room: () => number;
  #waiting: Waiting[] = [];
  #bytes = 0;
  /** How many the client has heard. */
  #heard = 0;
  #saying = false;
  /** Those who wait until the client has heard so many. */
  #flushes: { readonly heard: number; readonly resolve: () => void }[] = [];

  /**
   * Makes a queue.
   *
   * @param say Says reports.
   * @param room How many bytes of values a message may have.
   */
  constructor(say: Say, room: () => number) {
    this.#say = say;
    this.#room = room;
  }

  /** A call has reported something; false, and nothing happens, if too much waits. */
  add(call: number, block: Uint8Array): boolean {
    const bytes = block.length + ABOUT_BYTES;
    if (this.#bytes + bytes > MAX_WAITING_BYTES) return false;
    this.#bytes += bytes;
    this.#waiting.push({ call, block });
    if (!this.#saying) this.#sayAll();
    return true;
  }

  /** Resolves when the client has heard all that was reported until now; nothing if it has. */
  flushed(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    const heard = this.#heard + this.#waiting.length;
    return new Promise((resolve) => this.#flushes.push({ heard, resolve }));
  }

  /** The batch is over: nobody waits for anything. */
  end(): void {
    this.#waiting = [];
    this.#bytes = 0;
    for (const { resolve } of this.#flushes.splice(0)) resolve();
  }

  async #sayAll(): Promise<void> {
    this.#saying = true;
    while (this.#waiting.length > 0) {
      const next = this.#next();
      const reports = next.map(({ call, block }) => ({
        call,
        bytes: block.length,
      }));
      const head = { before: this.#heard, reports };
      await this.#say(head, next.map(({ block }) => block));
      this.#heardBy(next.length);
    }
    this.#saying = false;
  }

  /** The first that fit into one message; they stay until the client has heard them. */
  #next(): Waiting[] {
    const room = this.#room();
    let bytes = 0;
    let count = 0;
    for (const { block } of this.#waiting) {
      bytes += block.length + ABOUT_BYTES;
      if (bytes > room && count > 0) break;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  /** The client has heard the first ones. */
  #heardBy(count: number): void {
    for (const { block } of this.#waiting.splice(0, count)) {
      this.#bytes -= block.length + ABOUT_BYTES;
    }
    this.#heard += count;
    while (this.#flushes.length > 0 && this.#flushes[0]!.heard <= this.#heard) {
      this.#flushes.shift()!.resolve();
    }
  }
}

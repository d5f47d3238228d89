/**
 * Whether there is a stream of tasks, and whether it is the one that was there
 * before. After the server has lost its data, or somebody has deleted the stream,
 * a message of the new one has the number of another in the old one.
 *
 * ```text
 *        find(), after a client has made it
 * GONE ─────────────────────────────────────► THERE
 *   ◄────────────────────────────────────────
 *     the connection is lost, or the consumer
 * ```
 *
 * @module
 */

import type { JetStreamManager } from "@nats-io/jetstream";
import type { Streams } from "../streams.ts";
import type { Subjects } from "../subjects.ts";

/** See above. */
export class TaskStream {
  readonly #streams: Streams;
  readonly #manager: JetStreamManager;
  readonly #name: string;
  /** When it was made, while it and the consumer of all nodes are known to be there. */
  #present: string | undefined;
  /** When the last one was made that was there. */
  #last: string | undefined;
  #losses = 0;

  constructor(
    streams: Streams,
    manager: JetStreamManager,
    { tasks }: Subjects,
  ) {
    this.#streams = streams;
    this.#manager = manager;
    this.#name = tasks;
  }

  /** Whether messages can be pulled, as far as is known. */
  get isThere(): boolean {
    return this.#present !== undefined;
  }

  /**
   * Makes sure of the consumer that all nodes share, if a client has made the
   * stream.
   *
   * @returns Whether the stream is new, or the one that was there before;
   * `undefined` if it is not there, or nothing has changed.
   */
  async find(): Promise<"new" | "back" | undefined> {
    const losses = this.#losses;
    if (!await this.#streams.ensureNodes()) return undefined;
    // Not of the consumer: what nats-server 2.9.10 tells of that is another time
    // after its first restart.
    const { created } = await this.#manager.streams.info(this.#name);
    if (losses !== this.#losses || created === this.#present) return undefined;
    const found = created === this.#last ? "back" : "new";
    this.#present = this.#last = created;
    return found;
  }

  /** The connection is lost, or there is nothing to pull from. */
  lose(): void {
    this.#losses++;
    this.#present = undefined;
  }
}

/**
 * What waits on a NATS server for the nodes of a pool.
 *
 * @module
 */

import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { Connection } from "../executors/nats/connection.ts";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "../executors/nats/connection_options.ts";
import { NODES, Subjects } from "../executors/nats/subjects.ts";

/** What the server says of a stream or consumer that there is not. */
const NOT_FOUND = 404;

/** How much waits, in messages, each of which has one task or more. */
export interface QueueLength {
  /** Messages that no node has taken. */
  readonly pending: number;
  /** Messages that a node has, and that another had before. */
  readonly redelivered: number;
}

/** The queue of a pool. */
export class TaskQueue implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #stream: string;

  /**
   * Connects to nothing yet.
   *
   * @param options Where the server is, and who connects.
   */
  constructor(options: NatsConnectionOptions) {
    const settings = checkConnectionOptions(options, "futures");
    const subjects = new Subjects(settings.pool);
    this.#stream = subjects.tasks;
    // Of the two connections of this program, the other one says it.
    const listener = { lost() {}, back() {} };
    this.#connection = new Connection(
      settings,
      subjects.inbox("client"),
      listener,
    );
  }

  /** Asks the server. */
  async length(): Promise<QueueLength> {
    using held = await this.#connection.hold();
    const manager = await jetstreamManager(held.nats, { checkAPI: false });
    try {
      const { num_pending, num_redelivered } = await manager.consumers
        .info(this.#stream, NODES);
      return { pending: num_pending, redelivered: num_redelivered };
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.status === NOT_FOUND)) {
        throw error;
      }
      // Without a stream nothing was ever sent, and without a consumer no node was there.
      return { pending: 0, redelivered: 0 };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

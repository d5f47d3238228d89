/**
 * The line to one worker, whatever the worker is. The scheduler knows no more
 * than this.
 *
 * @module
 */

import type { ToHost, ToWorker } from "./protocol.ts";
import type { Slots } from "./slots.ts";

/** What a channel tells its owner. */
export interface ChannelListener {
  /** The worker says something. */
  received(message: ToHost): void;
  /** The worker is gone; nothing follows. Not called after `close()`. */
  died(cause: unknown): void;
}

/** A worker's line, from its start to its end. */
export interface Channel {
  /** The states of what was sent. */
  readonly slots: Slots;
  /**
   * Sends a message; what comes before the worker is ready is kept for it.
   * Throws, and sends nothing, if the message cannot be cloned.
   */
  send(message: ToWorker, transferables?: Transferable[]): void;
  /** Ends the worker, whatever it does; resolves when it is gone or cannot be stopped. */
  close(): Promise<void>;
}

/** Starts a worker. */
export type OpenChannel = (name: string, listener: ChannelListener) => Channel;

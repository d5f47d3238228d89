/**
 * The line to one worker, whatever the worker is. The scheduler knows no more
 * than this.
 *
 * @module
 */

import type { ToHost, ToWorker } from "./wire/protocol.ts";
import type { StopKind } from "./wire/slots.ts";

/** What a channel tells its owner. */
export interface ChannelListener {
  /** The worker says something, or something says that it is the worker: nothing of it has been checked. */
  received(message: unknown): void;
  /**
   * The worker is gone; nothing follows. Not called after `close()`. It was
   * `interrupted` if a signal ended it that a terminal sends to all its
   * processes, as Ctrl-C does: that says nothing about the worker.
   */
  died(cause: unknown, interrupted?: boolean): void;
}

/** The states of what was sent, as the host can know them; positions count items. */
export interface HostSlots {
  /** An item is about to be sent; if it is `announced`, the worker says when it enters it. */
  send(position: number, announced: boolean): void;
  /** How many of its calls have, or may have, been entered. */
  entered(position: number): number;
  /** How many of its calls are known to have been entered. */
  heard(position: number): number;
  /** Whether nothing can take its first call back any more. */
  surelyEntered(position: number): boolean;
  /** Takes back the calls that surely have not been entered; returns how many are left. */
  revoke(position: number): number;
  /**
   * Asks for what `revoke()` cannot take back of the items at these positions;
   * it comes back later, by a "revoked" message. Returns whether there will be
   * one: there is nothing to ask for where memory is shared.
   */
  recall(from: number, to: number): boolean;
  /** Asks the running call to stop. */
  stop(position: number, kind: StopKind): void;
  /** Whether a worker that has entered so many calls of an item is to say so. */
  mayTell(position: number, calls: number): boolean;
  /** The positions, up to the second, of which the worker has been asked first what is to come back, and has not said. */
  readonly question: readonly [from: number, to: number] | undefined;
  /** The worker has said something, which has been checked. */
  hear(message: ToHost): void;
}

/** A worker's line, from its start to its end. */
export interface Channel {
  /** The process of the worker, if that is one of its own. */
  readonly pid?: number;
  /** How much the worker has taken of large messages, where they do not leave at once: it reacts as long as that grows. */
  readonly written?: number;
  /** Whether the worker has been asked for something and has not answered, where it has to be asked. */
  readonly unanswered?: boolean;
  readonly slots: HostSlots;
  /**
   * Sends a message; what comes before the worker is ready is kept for it.
   * Throws, and sends nothing, if the message cannot be cloned. Values that are
   * not plain come with a list of what is to be moved, which may be empty.
   */
  send(message: ToWorker, transferables?: Transferable[]): void;
  /** Whether a value can be sent, as a copy, and read. */
  carries(value: unknown): boolean;
  /** Looks whether the worker is there, where that may not be noticed otherwise; the listener hears if it is not. */
  check?(): void;
  /** Ends the worker, whatever it does; the listener hears that it died of this. */
  kill(cause: unknown): void;
  /**
   * Ends the worker, whatever it does; resolves when it is gone or cannot be
   * stopped. An `idle` worker has ended all that was sent to it, so it can be
   * stopped, and gets the time that this takes.
   */
  close(idle: boolean): Promise<void>;
}

/** Starts a worker. */
export type OpenChannel = (name: string, listener: ChannelListener) => Channel;

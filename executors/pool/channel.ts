/**
 * The line to one worker, whatever the worker is: a thread, or a process. The
 * host knows no more of a transport than this.
 *
 * ```text
 *              send() ─────── messages ───────► worker
 * host         slots  ◄────── how far it is ──► worker
 *   received(), died() ◄───── messages ─────── worker
 * ```
 *
 * What a channel promises:
 *
 * 1. **Order.** The worker gets messages in the order in which they were sent,
 *    and the host hears them in the order in which they were said. A process
 *    has two threads that speak: an answer of the one, "revoked", is heard
 *    before whatever the other says once it is past what was revoked.
 * 2. **Exactly once.** No message is heard twice. A message that could not be
 *    cloned has not been sent at all: `send()` has thrown.
 * 3. **Nothing in between.** `send()` calls back neither `received()` nor
 *    `died()`; cloning runs getters of users, which may do anything to an
 *    executor.
 * 4. **Death comes last.** After `died()` nothing is received, and after
 *    `close()` neither is called. What the worker had said before its death is
 *    heard before it, unless it was lost with the worker. `kill()` may call
 *    `died()` before it returns.
 * 5. **A call is entered, or revoked, never both.** See {@linkcode HostSlots}.
 *
 * What may be late:
 *
 * - Outcomes: the call has ended by then, and perhaps others after it.
 * - "entered": the call may have ended by then; its outcome comes after it.
 * - "stop": the call that it is meant for may have ended; the worker leaves it.
 * - "revoked": until a process has answered, nobody knows what it has entered.
 * - Death: a thread in a loop that never yields has been told to end, and goes on.
 *
 * @module
 */

import type { ToHost, ToWorker } from "./wire/protocol.ts";
import type { Entered, StopKind } from "./wire/slots.ts";

/** What a channel tells its owner. */
export interface ChannelListener {
  /** The worker says something, or a task says that it is the worker: nothing of the message has been checked. */
  received(message: unknown): void;
  /**
   * The worker is gone. It was `interrupted` if a signal ended it that a
   * terminal sends to all its processes, as Ctrl-C does: that says nothing
   * about the worker.
   */
  died(cause: unknown, interrupted?: boolean): void;
}

/**
 * How far the worker has come with what it was sent; positions count jobs, from
 * 0. Where memory is shared, each answer is exact. Elsewhere the host knows
 * what the worker has said, and has to ask it for the rest.
 */
export interface HostSlots {
  /** A job is about to be sent; if it is `announced`, the worker says when it enters it. */
  send(position: number, announced: boolean): void;
  /** Whether a call of a job, counted from 0, has been entered: `"maybe"` if only the worker knows. */
  entered(position: number, call: number): Entered;
  /**
   * Revokes the calls that have not been entered; returns how many the worker
   * keeps. `undefined`, and nothing is revoked, if only the worker knows: see
   * {@linkcode HostSlots.askToRevoke}.
   */
  revoke(position: number): number | undefined;
  /**
   * Has the worker revoke what it has not entered of the jobs at these
   * positions; it says later, by a "revoked" message, how many calls it keeps.
   * Returns whether it will: there is nothing to ask where memory is shared.
   */
  askToRevoke(from: number, to: number): boolean;
  /** The positions, up to the second, of which the worker has been asked first and has not answered. */
  readonly question: readonly [from: number, to: number] | undefined;
  /** Asks the running call to stop. */
  stop(position: number, kind: StopKind): void;
  /** Whether a worker that has entered so many calls of a job is to say so. */
  mayTell(position: number, calls: number): boolean;
  /** The worker has said something, which has been checked. */
  hear(message: ToHost): void;
}

/** A worker's line, from its start to its end. */
export interface Channel {
  /** The process of the worker, if that is one of its own. */
  readonly pid?: number;
  /** How much the worker has taken of large messages, where they do not leave at once: it reacts as long as that grows. */
  readonly written?: number;
  /** Whether the worker has been asked to revoke something and has not answered, where it has to be asked. */
  readonly unanswered?: boolean;
  readonly slots: HostSlots;
  /**
   * Sends a message; what comes before the worker is ready is kept for it, what
   * comes after `close()` is dropped. Throws, and sends nothing, if the message
   * cannot be cloned. Values that are not plain come with a list of what is to
   * be moved, which may be empty.
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

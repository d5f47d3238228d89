/**
 * How many calls travel in one message: about 10 ms of them, so that a message,
 * which costs a node and the server about a tenth of that, is worth it, and a
 * call does not wait for long behind others while workers have nothing to do.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { FunctionTable } from "../../pool/host/functions.ts";
import { MAX_CALLS } from "../messages.ts";
import { MAX_VALUE_BYTES } from "../values.ts";

/** How long the calls of a message are to take together, in milliseconds. */
const MESSAGE_MS = 10;

/** A call that takes no measurable time still counts. */
const MIN_MS = 1e-3;

/**
 * So many messages are out for each worker: one that it is at, and one that waits
 * for it. If calls are so tiny that a full message is over before the next can
 * come, there are more of them.
 */
const MESSAGES_PER_WORKER = 2;
const MOST_MESSAGES_PER_WORKER = 8;

/** What is known of the calls of one function. */
class Size {
  /** How long one takes. Nothing is known at first, so they begin to travel alone. */
  ms = MESSAGE_MS;
  /** How many bytes its arguments have. */
  bytes = 0;
}

/** What is known of all functions that were submitted. */
export class Sizing {
  readonly #functions = new FunctionTable();
  readonly #sizes: Size[] = [];

  /** The number of a function; functions of one address, or one source, have the same. */
  idOf(job: Job): number {
    return this.#functions.of(job.fn).id;
  }

  /**
   * How many calls, the first of which is in `job`, to send in one message.
   *
   * @param job The first job that waits.
   * @param waiting How many calls wait in all.
   * @param messages How many messages may be sent now.
   */
  callsOf(job: Job, waiting: number, messages: number): number {
    const { chunkSize } = job.options;
    const { ms, bytes } = this.#sizeOf(this.idOf(job));
    const fitting = Math.min(
      chunkSize > 0 ? chunkSize : MESSAGE_MS / ms,
      bytes > 0 ? MAX_VALUE_BYTES / bytes : MAX_CALLS,
      MAX_CALLS,
      // No worker is to go without while another has two.
      chunkSize > 0 ? MAX_CALLS : Math.ceil(waiting / messages),
    );
    return Math.max(1, Math.floor(fitting));
  }

  /** How many messages may be with the server and nodes that have so many workers, with calls of one function. */
  messagesFor(workers: number, id: number): number {
    const { ms, bytes } = this.#sizeOf(id);
    const isSmall = MAX_CALLS * bytes < MAX_VALUE_BYTES;
    const full = MESSAGE_MS / (MAX_CALLS * ms);
    const each = isSmall
      ? Math.min(
        Math.max(1, full) * MESSAGES_PER_WORKER,
        MOST_MESSAGES_PER_WORKER,
      )
      : MESSAGES_PER_WORKER;
    return Math.ceil(workers * each);
  }

  /** How many bytes calls had: that is believed at once. */
  sent(id: number, calls: number, bytes: number): void {
    this.#sizeOf(id).bytes = bytes / calls;
  }

  /**
   * How long each of some calls took: slower is believed at once, faster by
   * quarters. One slow call among fast ones thus costs a few messages; believing
   * one fast call among slow ones would pile work up behind them.
   */
  took(id: number, ms: number): void {
    const size = this.#sizeOf(id);
    size.ms = Math.max(ms, size.ms / 4, MIN_MS);
  }

  /** Nothing more is sent for now; see {@linkcode FunctionTable.forgetLast}. */
  forgetLast(): void {
    this.#functions.forgetLast();
  }

  #sizeOf(id: number): Size {
    return this.#sizes[id] ??= new Size();
  }
}

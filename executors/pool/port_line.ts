/**
 * A message port that outlives a message which cannot be read: one that is
 * nested deeper than the reader's stack allows, say, though not the writer's.
 *
 * @module
 */

import { UNREADABLE } from "./protocol.ts";
import {
  describeExceptions,
  exceptionsAreKept,
  type LostException,
  reviveExceptions,
} from "./revive.ts";
import { checkSendable } from "./sendable.ts";

/** A message, which is an array, and what structured clone loses of it. */
interface Repairable<Message> {
  readonly message: Message;
  readonly lost: readonly LostException[];
}

/** One end of a line between two threads. */
export class PortLine<Incoming, Outgoing> {
  #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** From now on, hears what arrives; {@linkcode UNREADABLE} takes the place of what cannot be read. */
  listen(received: (message: Incoming | typeof UNREADABLE) => void): void {
    const port = this.#port;
    port.onmessage = ({ data }) =>
      received(Array.isArray(data) ? data as Incoming : repaired(data));
    port.onmessageerror = () => {
      // Deno reads nothing more from such a port, but from its heir what follows.
      this.#port = structuredClone(port, { transfer: [port] });
      this.listen(received);
      received(UNREADABLE);
    };
  }

  /**
   * Sends a message. Values that are not plain come with a list of what is to be
   * moved, which may be empty. Throws, and sends nothing, if the message cannot
   * be cloned.
   */
  send(message: Outgoing, transferables?: Transferable[]): void {
    if (transferables === undefined) return this.#port.postMessage(message);
    const exceptions = checkSendable(message, "thread", transferables);
    const repairable = exceptions.length > 0 && !exceptionsAreKept();
    this.#port.postMessage(
      repairable ? { message, lost: describeExceptions(exceptions) } : message,
      transferables,
    );
  }

  close(): void {
    this.#port.close();
  }
}

/** The message; what is none is for the listener to judge. */
function repaired<Message>(data: unknown): Message {
  if (exceptionsAreKept()) return data as Message;
  try {
    const { message, lost } = data as Repairable<Message>;
    reviveExceptions(message, lost);
    return message;
  } catch {
    return data as Message;
  }
}

/**
 * A message port that outlives a message which cannot be read: one that is
 * nested deeper than the reader's stack allows, say, though not the writer's.
 *
 * @module
 */

import {
  apply,
  defineProperty,
  getOwnPropertyDescriptor,
  isArray,
  structuredClone,
} from "../../runtime/builtins.ts";
import { UNREADABLE } from "../wire/protocol.ts";
import {
  describeExceptions,
  exceptionsAreKept,
  type LostException,
  reviveExceptions,
} from "../wire/revive.ts";
import { checkSendable } from "../wire/sendable.ts";

/** As they were: what a task puts in their place neither sees a port nor says anything for its worker. */
const { postMessage } = MessagePort.prototype;
const { dispatchEvent } = EventTarget.prototype;
const setListener = setterOf("onmessage");
const setErrorListener = setterOf("onmessageerror");

function setterOf(name: keyof MessagePort): (listener: unknown) => void {
  const { set } = getOwnPropertyDescriptor(MessagePort.prototype, name)!;
  return set!;
}

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
    // Deno looks it up in the port when something arrives.
    defineProperty(port, "dispatchEvent", {
      value: (event: Event) => apply(dispatchEvent, port, [event]),
    });
    apply(setListener, port, [
      ({ data }: MessageEvent) =>
        received(isArray(data) ? data as Incoming : repaired(data)),
    ]);
    apply(setErrorListener, port, [() => {
      // Deno reads nothing more from such a port, but from its heir what follows.
      this.#port = structuredClone(port, { transfer: [port] });
      this.listen(received);
      received(UNREADABLE);
    }]);
  }

  /**
   * Sends a message. Values that are not plain come with a list of what is to be
   * moved, which may be empty. Throws, and sends nothing, if the message cannot
   * be cloned.
   */
  send(message: Outgoing, transferables?: Transferable[]): void {
    const port = this.#port;
    if (transferables === undefined) return apply(postMessage, port, [message]);
    const exceptions = checkSendable(message, "thread", transferables);
    const repairable = exceptions.length > 0 && !exceptionsAreKept();
    const said = repairable
      ? { message, lost: describeExceptions(exceptions) }
      : message;
    apply(postMessage, port, [said, transferables]);
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

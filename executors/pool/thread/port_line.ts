/**
 * A message port that outlives a message which cannot be read: one that is
 * nested too deeply for the reader's stack, say, but not for the writer's.
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

/**
 * As they were when this was loaded: what a task puts in their place must
 * neither get a port nor speak for its worker.
 */
const { postMessage } = MessagePort.prototype;
const { dispatchEvent } = EventTarget.prototype;
const setListener = setterOf("onmessage");
const setErrorListener = setterOf("onmessageerror");

function setterOf(name: keyof MessagePort): (listener: unknown) => void {
  const { set } = getOwnPropertyDescriptor(MessagePort.prototype, name)!;
  return set!;
}

/**
 * A message with the exceptions that structured clone loses; an object, as a
 * message alone is an array.
 */
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

  /**
   * Hands on what arrives from now on; {@linkcode UNREADABLE} in the place of a
   * message that cannot be read.
   */
  listen(received: (message: Incoming | typeof UNREADABLE) => void): void {
    const port = this.#port;
    // Deno calls this method of the port when a message arrives: not one that a
    // task has put there.
    defineProperty(port, "dispatchEvent", {
      value: (event: Event) => apply(dispatchEvent, port, [event]),
    });
    apply(setListener, port, [
      ({ data }: MessageEvent) =>
        received(isArray(data) ? data as Incoming : repaired(data)),
    ]);
    apply(setErrorListener, port, [() => {
      // Deno reads nothing more from such a port; once the port is moved, it
      // reads on from the new one.
      this.#port = structuredClone(port, { transfer: [port] });
      this.listen(received);
      received(UNREADABLE);
    }]);
  }

  /**
   * Sends a message.
   *
   * @param message The message.
   * @param transferables What is to be moved, perhaps nothing; left out if all
   * values are plain.
   * @throws {unknown} What cloning throws; then nothing has been sent.
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

/** The message with its exceptions; other data as it is, for the listener to judge. */
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

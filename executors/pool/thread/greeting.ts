/**
 * The first message to a Web Worker: all that it has to know to talk to its
 * host.
 *
 * @module
 */

/** What a worker has to know if it has a process of its own. */
export interface OwnProcess {
  /** The mark of the packets that the worker writes; see packets.ts. */
  readonly mark: string;
  /** Whether the standard input of the process carries no messages any more. */
  readonly inputMoved: boolean;
}

/** The first message, which brings the port for all others. */
export interface Greeting {
  /** The name of the worker. */
  readonly name: string;
  /** The worker's end of the line. */
  readonly port: MessagePort;
  /** The memory of the slots and of the pulse. */
  readonly slots: SharedArrayBuffer;
  /** The lock that the worker holds while it lives. */
  readonly lock: string;
  /** The main module of the program. */
  readonly main: string | undefined;
  readonly process: OwnProcess | undefined;
}

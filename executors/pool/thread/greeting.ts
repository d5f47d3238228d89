/**
 * The first message to a Web Worker: what both ends of its line agree on.
 *
 * @module
 */

/** What a worker knows that has a process of its own. */
export interface OwnProcess {
  /** The mark of the packets that it writes. */
  readonly mark: string;
  /** Whether the standard input of the process carries no messages any more. */
  readonly inputMoved: boolean;
}

/** The first message, which brings the rest of the line. */
export interface Greeting {
  readonly name: string;
  readonly port: MessagePort;
  readonly slots: SharedArrayBuffer;
  /** The lock that the worker holds while it lives. */
  readonly lock: string;
  /** The main module of the program. */
  readonly main: string | undefined;
  readonly process: OwnProcess | undefined;
}

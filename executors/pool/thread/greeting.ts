/**
 * The first message to a Web Worker: all that it has to know to talk to its
 * host.
 *
 * @module
 */

/** The first message, which brings the port for all others. */
export interface Greeting<Extra = unknown> {
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
  /** What the entry module wants to know beside. */
  readonly extra: Extra;
}

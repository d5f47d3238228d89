/**
 * What the transport needs of TCP, TLS and WebSockets.
 *
 * @module
 */

/** A way for bytes, both ways. */
export interface Line {
  /** Puts what comes next into the buffer; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Takes some of the bytes, or all; says how many. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

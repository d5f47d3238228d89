/**
 * A WebSocket as a line of bytes: for servers behind what lets only HTTPS
 * through.
 *
 * @module
 */

import type { Line } from "./line.ts";

/** Connects by a WebSocket. */
export async function openSocket(url: string): Promise<Line> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const line = new SocketLine(socket);
  await line.opened;
  return line;
}

class SocketLine implements Line {
  /** Resolves when it is connected, rejects if that fails. */
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  /** What has come and nobody has read. */
  #came: Uint8Array[] = [];
  #ended = false;
  /** Wakes whoever waits for what comes. */
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    const opened = Promise.withResolvers<void>();
    this.opened = opened.promise;
    socket.onopen = () => opened.resolve();
    socket.onmessage = ({ data }) => {
      this.#came.push(new Uint8Array(data as ArrayBuffer));
      this.#wake();
    };
    socket.onerror = (event) =>
      opened.reject(new Error((event as ErrorEvent).message));
    socket.onclose = () => {
      opened.reject(new Error("the server has closed it"));
      this.#ended = true;
      this.#wake();
    };
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#came.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const next = this.#came[0]!;
    const length = Math.min(next.length, buffer.length);
    buffer.set(next.subarray(0, length));
    if (length < next.length) this.#came[0] = next.subarray(length);
    else this.#came.shift();
    return length;
  }

  write(bytes: Uint8Array): Promise<number> {
    // Copied, as Deno sends later what was given now.
    this.#socket.send(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#socket.close();
  }
}

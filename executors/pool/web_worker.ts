/**
 * The channel to a Web Worker: a message port for what is said, shared memory
 * for the slots, a lock for noticing that the worker is gone.
 *
 * @module
 */

import { startTimer } from "../timer.ts";
import type { Channel, ChannelListener } from "./channel.ts";
import { locks } from "./locks.ts";
import type { ToHost, ToWorker } from "./protocol.ts";
import { Slots } from "./slots.ts";
// The worker's entry module says where it is. The import is also what puts it
// into the module graph, so that `deno compile` and JSR carry it.
import { url } from "./worker_main.ts";

/** How long a closed worker may take to be gone; only a loop that never yields takes longer (#32617). */
const CLOSE_MS = 100;

/** After the last lock is gone, what the worker said before may still be on its way. */
const LAST_WORDS_MS = 5;

/** The first message, which brings the rest of the line. */
export interface Greeting {
  readonly name: string;
  readonly port: MessagePort;
  readonly slots: SharedArrayBuffer;
  /** The lock that the worker holds while it lives. */
  readonly lock: string;
}

/** Starts a Web Worker that may do what `permissions` say. */
export function openWebWorker(
  name: string,
  listener: ChannelListener,
  permissions?: Deno.PermissionOptions,
): Channel {
  return new WebWorkerChannel(name, listener, permissions);
}

class WebWorkerChannel implements Channel {
  readonly slots: Slots;
  readonly #listener: ChannelListener;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #lock = `@concurrent/futures ${crypto.randomUUID()}`;
  readonly #gone = Promise.withResolvers<void>();
  readonly #waiting = new AbortController();
  #closed = false;

  constructor(
    name: string,
    listener: ChannelListener,
    permissions?: Deno.PermissionOptions,
  ) {
    this.#listener = listener;
    // `deno` is not in the types of every supported version.
    const options = {
      type: "module",
      name,
      ...(permissions && { deno: { permissions } }),
    };
    this.#worker = new Worker(url, options as WorkerOptions);
    this.#worker.onerror = (event) => {
      // Else the program ends with the worker.
      event.preventDefault();
      this.#died(new Error(event.message));
    };
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = (event) => this.#received(event.data);
    const memory = Slots.allocate();
    this.slots = new Slots(memory);
    const greeting: Greeting = {
      name,
      port: port2,
      slots: memory,
      lock: this.#lock,
    };
    this.#worker.postMessage(greeting, [port2]);
  }

  send(message: ToWorker, transferables: Transferable[] = []): void {
    this.#port.postMessage(message, transferables);
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#worker.terminate();
      this.#port.close();
      if (locks === undefined) this.#gone.resolve();
      const stopTimer = startTimer(CLOSE_MS, () => this.#waiting.abort());
      this.#gone.promise.then(stopTimer);
    }
    return this.#gone.promise;
  }

  #received(message: ToHost): void {
    if (message[0] === "up") this.#watch();
    this.#listener.received(message);
  }

  /** A worker that closes itself is silent, as is its port; its lock becomes free all the same. */
  #watch(): void {
    // Deno 2.4 has no locks; there a worker's last words are all that tells.
    if (locks === undefined) return;
    locks.request(this.#lock, { signal: this.#waiting.signal }, () => {
      this.#gone.resolve();
      if (!this.#closed) {
        setTimeout(
          () => this.#died(undefined),
          LAST_WORDS_MS,
        );
      }
    }).catch(() => this.#gone.resolve());
  }

  #died(cause: unknown): void {
    if (!this.#closed) this.#listener.died(cause);
  }
}

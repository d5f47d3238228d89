/**
 * The channel to a Web Worker: a message port for what is said, shared memory
 * for the slots, a lock that says when to look whether the worker is gone, and
 * its pulse, which tells.
 *
 * @module
 */

import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { startDeadline, startTimer } from "../../runtime/timer.ts";
import type { Channel, ChannelListener } from "../channel.ts";
import type { Greeting, OwnProcess } from "./greeting.ts";
import { locks } from "./locks.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { PortLine } from "./port_line.ts";
import { Pulse, SHARED_BYTES } from "./pulse.ts";
import type { ToWorker } from "../wire/protocol.ts";
import { canClone } from "../wire/sendable.ts";
import { Slots } from "../wire/slots.ts";
// The worker's entry module says where it is. The import is also what puts it
// into the module graph, so that `deno compile` and JSR carry it.
import { url } from "./entry.ts";

/**
 * A thread that is not gone after this most likely runs a loop that never
 * yields, which Deno does not stop (denoland/deno#32617); nobody waits for it
 * any longer. One that had nothing to do goes as soon as the machine lets it,
 * unless a task has left such a loop behind.
 */
const CLOSE_MS = 250;
const IDLE_CLOSE_MS = 2000;

/** Threads that are closed together wait for one another: a hundred of them take a second or two. */
const TURN_MS = 40;

/** How many threads have been closed and are waited for. */
let ending = 0;

/** Of two workers with one name for their locks the second would wait for the first: no test is to say what is random. */
const randomUUID = crypto.randomUUID.bind(crypto);

/** After the lock has become free, what the worker said before may still be on its way. */
const LAST_WORDS_MS = 5;

/** How long it is waited before the first look at a lock that was stolen, or a thread that was closed; then twice as long each time. */
const FIRST_LOOK_MS = 1;

/** What a Web Worker is given. */
export interface WebWorkerOptions {
  /** What it may do. */
  readonly permissions?: Deno.PermissionOptions | undefined;
  /** If it is in a worker process. */
  readonly process?: OwnProcess;
}

/** Starts a Web Worker. */
export function openWebWorker(
  name: string,
  listener: ChannelListener,
  options: WebWorkerOptions,
): WebWorkerChannel {
  return new WebWorkerChannel(name, listener, options);
}

/** See {@linkcode openWebWorker}. */
export class WebWorkerChannel implements Channel {
  readonly slots: Slots;
  readonly #name: string;
  readonly #listener: ChannelListener;
  /** `undefined` if Deno would not start one. */
  readonly #worker: Worker | undefined;
  readonly #line: PortLine<unknown, ToWorker>;
  readonly #lock = `@concurrent/futures ${randomUUID()}`;
  readonly #pulse: Pulse;
  readonly #gone = Promise.withResolvers<void>();
  /** Ends the wait for the lock. */
  readonly #waiting = new AbortController();
  /** The wait for the lock, if there is one. */
  #asking: Promise<unknown> | undefined;
  /** How long to wait after the lock was stolen, in milliseconds. */
  #pause = FIRST_LOOK_MS;
  #stopListening = () => {};
  #closed: Promise<void> | undefined;

  constructor(
    name: string,
    listener: ChannelListener,
    { permissions, process }: WebWorkerOptions,
  ) {
    this.#name = name;
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#line = new PortLine(port1);
    this.#line.listen((message) => this.#received(message));
    const memory = Slots.allocate(SHARED_BYTES);
    this.slots = new Slots(memory);
    this.#pulse = new Pulse(memory);
    try {
      this.#worker = startWorker(name, permissions);
    } catch (error) {
      // Permissions that the program itself has not, or no threads left.
      queueMicrotask(() => this.#died(error));
      return;
    }
    this.#worker.onerror = (event) => {
      // Else the program ends with the worker.
      event.preventDefault();
      this.#died(new Error(event.message));
    };
    const greeting: Greeting = {
      name,
      port: port2,
      slots: memory,
      lock: this.#lock,
      main: mainModule(),
      process,
    };
    this.#worker.postMessage(greeting, [port2]);
  }

  send(message: ToWorker, transferables?: Transferable[]): void {
    this.#line.send(message, transferables);
  }

  carries(value: unknown): boolean {
    return canClone(value);
  }

  check(): void {
    if (this.#closed === undefined && this.#pulse.beats() === false) {
      this.#hasGone();
    }
  }

  kill(cause: unknown): void {
    this.#died(cause);
  }

  close(idle: boolean): Promise<void> {
    return this.#closed ??= this.#end(idle);
  }

  #received(message: unknown): void {
    // It holds its lock before it says anything.
    if (this.#asking === undefined) this.#ask();
    this.#listener.received(message);
  }

  /** A worker that closes itself is silent, as is its port; its lock becomes free all the same. */
  #ask(): void {
    // Up to Deno 2.8 there are no locks; there a worker's last words are what tells at once.
    if (locks === undefined) return;
    const { signal } = this.#waiting;
    this.#asking = locks.request(this.#lock, { signal }, () => {}).then(
      () => this.#granted(),
      () => {},
    );
  }

  #granted(): void {
    if (this.#closed === undefined) this.#hasGone();
    // Nobody can look any more.
    else if (this.#pulse.beats() === undefined) this.#gone.resolve();
  }

  /** It seems to be gone; what it has said is heard first. */
  #hasGone(): void {
    this.#stopListening();
    this.#stopListening = startDeadline(LAST_WORDS_MS, () => {
      if (this.#pulse.beats() !== true) this.#died(undefined);
      else this.#wasStolen();
    });
  }

  /** The worker holds its lock again as soon as it can, but it may be in a loop that never yields. */
  #wasStolen(): void {
    this.#pause = this.#pulse.isRenewed() ? FIRST_LOOK_MS : 2 * this.#pause;
    this.#stopListening = startTimer(this.#pause, () => this.#ask());
  }

  #end(idle: boolean): Promise<void> {
    this.#stopListening();
    this.#worker?.terminate();
    this.#line.close();
    if (this.#asking === undefined) return Promise.resolve();
    let stopLooking = () => {};
    const look = (ms: number) => {
      stopLooking = startTimer(ms, () => {
        if (this.#pulse.beats() === false) this.#gone.resolve();
        else look(2 * ms);
      });
    };
    look(FIRST_LOOK_MS);
    const begun = monotonicTime();
    const left = () =>
      begun + (idle ? IDLE_CLOSE_MS : CLOSE_MS) + ending * TURN_MS -
      monotonicTime();
    const wait = (ms: number) =>
      startDeadline(ms, () => {
        const more = left();
        if (more > 0) {
          stopTimer = wait(more);
          return;
        }
        this.#gone.resolve();
        warnOfStuckThread(this.#name);
      });
    ending++;
    let stopTimer = wait(left());
    return this.#gone.promise.then(async () => {
      ending--;
      stopTimer();
      stopLooking();
      this.#waiting.abort();
      await this.#asking;
      // What watches over a granted lock ends a turn after it is released.
      await new Promise<void>((resolve) => startTimer(0, resolve));
    });
  }

  #died(cause: unknown): void {
    if (this.#closed === undefined) this.#listener.died(cause);
  }
}

function startWorker(
  name: string,
  permissions: Deno.PermissionOptions | undefined,
): Worker {
  // `deno` is not in the types of every supported version.
  const options = {
    type: "module",
    name,
    ...(permissions && { deno: { permissions } }),
  };
  return new Worker(url, options as WorkerOptions);
}

/** Whether {@linkcode warnOfStuckThread} has spoken. */
let warned = false;

/** Says once that the program will not end by itself. */
function warnOfStuckThread(name: string): void {
  if (warned) return;
  warned = true;
  console.warn(
    `Worker '${name}' was closed, but has not ended: it seems to run a loop that never yields, and Deno cannot stop its thread (denoland/deno#32617): the program does not end before the loop does, except by Deno.exit()`,
  );
}

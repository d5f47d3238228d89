/**
 * The channel to a Web Worker.
 *
 * ```text
 *        ┌── port: messages ──────────────────────────► worker
 *        │◄─────────────────────────── port: messages ──┤
 * host ──┼── shared memory: slots, pulse ───────────────┤
 *        └── lock: free when the worker is gone ────────┘
 * ```
 *
 * The lock says when to look whether the worker is gone, and its pulse tells.
 *
 * @module
 */

import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { mainModule } from "../../runtime/main_module.ts";
import { startDeadline, startTimer } from "../../runtime/timer.ts";
import type { Channel, ChannelListener } from "../channel.ts";
import { entries } from "../entries.ts";
import type { ToWorker } from "../wire/protocol.ts";
import { canClone } from "../wire/sendable.ts";
import { Slots } from "../wire/slots.ts";
import type { Greeting } from "./greeting.ts";
import { locks } from "./locks.ts";
import { PortLine } from "./port_line.ts";
import { Pulse, SHARED_BYTES } from "./pulse.ts";
// This import also puts the entry module of workers into the module graph, so
// that `deno compile` and JSR carry it.
import "./entry.ts";

/**
 * How long a closed thread is waited for, in milliseconds, and one that had
 * nothing to do. A thread that is not gone then most likely runs a loop that
 * never yields, which Deno does not stop (denoland/deno#32617): a longer wait
 * would only delay the shutdown. An idle one goes as soon as the machine lets
 * it, unless a task has left such a loop behind, so it gets the longer time.
 */
const CLOSE_MS = 250;
const IDLE_CLOSE_MS = 2000;

/**
 * For each other thread that is closing, a thread gets so many milliseconds
 * more: a hundred take a second or two.
 */
const TURN_MS = 40;

/** How many closed threads are waited for. */
let ending = 0;

/**
 * As it was: if a test made the names of two locks equal, the second worker
 * would wait for the first.
 */
const randomUUID = crypto.randomUUID.bind(crypto);

/** How long a worker may take to be gone after its lock has become free, in milliseconds. */
const GONE_MS = 5;

/**
 * How long the last messages of a worker that is gone are waited for, in
 * milliseconds. They are in the memory of this program, so they come as soon as
 * its event loop turns; only a worker that was made to miscount has them waited
 * for in vain.
 */
const LAST_WORDS_MS = 1000;

/**
 * The pause before the first look at a stolen lock, or at a closed thread, in
 * milliseconds; each later one is twice as long.
 */
const FIRST_LOOK_MS = 1;

/** How a Web Worker differs from others. */
interface WebWorkerOptions {
  /** What the worker may do; by default what the program may. */
  readonly permissions?: Deno.PermissionOptions | undefined;
  /** The address of the entry module; by default that of threads of the program. */
  readonly entry?: string;
  /** What the entry module wants to know beside. */
  readonly extra?: unknown;
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
  /** `undefined` if Deno did not start the worker. */
  readonly #worker: Worker | undefined;
  readonly #line: PortLine<unknown, ToWorker>;
  readonly #lock = `@concurrent/futures ${randomUUID()}`;
  readonly #pulse: Pulse;
  readonly #gone = Promise.withResolvers<void>();
  /** Ends the wait for the lock. */
  readonly #waiting = new AbortController();
  /** The wait for the lock, once there is one. */
  #asking: Promise<unknown> | undefined;
  /** The pause after the lock was stolen, in milliseconds. */
  #pause = FIRST_LOOK_MS;
  /** How many messages have come, as a 32-bit number that wraps around. */
  #heard = 0;
  /** Whether the worker is gone, and only its last messages are waited for. */
  #isGone = false;
  #stopListening = () => {};
  #closed: Promise<void> | undefined;

  constructor(
    name: string,
    listener: ChannelListener,
    { permissions, entry = entries.thread, extra }: WebWorkerOptions,
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
      this.#worker = startWorker(entry, name, permissions);
    } catch (error) {
      // The program has not these permissions itself, or the system has no thread left.
      queueMicrotask(() => this.#died(error));
      return;
    }
    this.#worker.onerror = (event) => {
      // Without this, the program would end with the worker.
      event.preventDefault();
      this.#died(new Error(event.message));
    };
    const greeting: Greeting = {
      name,
      port: port2,
      slots: memory,
      lock: this.#lock,
      main: mainModule(),
      extra,
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
    if (this.#closed !== undefined || this.#isGone) return;
    if (this.#pulse.beats() === false) this.#hasGone();
  }

  kill(cause: unknown): void {
    this.#died(cause);
  }

  close(idle: boolean): Promise<void> {
    return this.#closed ??= this.#end(idle);
  }

  #received(message: unknown): void {
    // The worker takes its lock before it sends its first message.
    if (this.#asking === undefined) this.#ask();
    this.#heard = this.#heard + 1 | 0;
    this.#listener.received(message);
    if (this.#isGone) this.#hearOut();
  }

  /**
   * Asks for the lock of the worker: one that closes itself is silent, and so
   * is its port, but its lock becomes free.
   */
  #ask(): void {
    // Up to Deno 2.8 there are no locks: only the last words of a worker tell
    // at once that it is gone.
    if (locks === undefined) return;
    const { signal } = this.#waiting;
    this.#asking = locks.request(this.#lock, { signal }, () => {}).then(
      () => this.#granted(),
      () => {},
    );
  }

  #granted(): void {
    if (this.#closed === undefined) this.#hasGone();
    // The free lock has to do, as the pulse tells nothing.
    else if (this.#pulse.beats() === undefined) this.#gone.resolve();
  }

  /** The worker seems to be gone. */
  #hasGone(): void {
    this.#stopListening();
    this.#stopListening = startDeadline(GONE_MS, () => {
      if (this.#pulse.beats() === true) return this.#wasStolen();
      this.#isGone = true;
      this.#stopListening = startDeadline(
        LAST_WORDS_MS,
        () => this.#died(undefined),
      );
      this.#hearOut();
    });
  }

  /** Lets the worker be dead once all of its messages have come. */
  #hearOut(): void {
    if (this.#pulse.hasSentMoreThan(this.#heard)) return;
    this.#stopListening();
    this.#died(undefined);
  }

  /**
   * Asks for the stolen lock later: the worker takes it again as soon as it
   * can, but may be in a loop that never yields.
   */
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
      // Deno's watch over a granted lock ends a turn after the lock is released.
      await new Promise<void>((resolve) => startTimer(0, resolve));
    });
  }

  #died(cause: unknown): void {
    if (this.#closed === undefined) this.#listener.died(cause);
  }
}

function startWorker(
  entry: string,
  name: string,
  permissions: Deno.PermissionOptions | undefined,
): Worker {
  // `deno` is not in the types of every supported version.
  const options = {
    type: "module",
    name,
    ...(permissions && { deno: { permissions } }),
  };
  return new Worker(entry, options as WorkerOptions);
}

/** Whether {@linkcode warnOfStuckThread} has spoken. */
let warned = false;

/** Says once that a closed thread goes on, and keeps the program from its end. */
function warnOfStuckThread(name: string): void {
  if (warned) return;
  warned = true;
  console.warn(
    `Worker '${name}' was closed, but has not ended: it seems to run a loop that never yields, and Deno cannot stop its thread (denoland/deno#32617): the program does not end before the loop does, except by Deno.exit()`,
  );
}

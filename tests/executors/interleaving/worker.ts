/**
 * A worker that shares memory with its host, as a model.
 *
 * ```text
 * Scheduler ──send()──► inbox ──step()──► enter, call, end a call, report ...
 *     ▲                                          │
 *     └────────────── deliver() ◄── outbox ◄─────┘
 * ```
 *
 * @module
 */

import type {
  Channel,
  ChannelListener,
} from "../../../executors/pool/channel.ts";
import type {
  ToHost,
  ToWorker,
} from "../../../executors/pool/wire/protocol.ts";
import { Slots } from "../../../executors/pool/wire/slots.ts";
import { FakeThread, type World } from "./thread.ts";

/** A worker as the run of a model has it. */
export interface Player {
  /** Whether nothing is left of it. */
  readonly ended: boolean;
  /** Goes on until something else may come between. */
  step(): void;
  /** The same, but only the thread that makes calls. */
  race(): void;
  /** Something that the worker has said arrives; or that it is dead. */
  deliver(): void;
}

/** Slots of the host, who is never alone with them. */
class RacingSlots extends Slots {
  readonly #race: () => void;

  constructor(memory: SharedArrayBuffer, race: () => void) {
    super(memory);
    this.#race = race;
  }

  override send(position: number, announced: boolean): void {
    this.#race();
    super.send(position, announced);
  }

  override revoke(position: number): number {
    this.#race();
    return super.revoke(position);
  }

  override stop(position: number, kind: "cancelled" | "timed out"): void {
    this.#race();
    super.stop(position, kind);
  }
}

/** What may be underway when a worker dies; what came before has arrived. */
const LAST_WORDS: ReadonlySet<string | undefined> = new Set([
  "done",
  "reporting",
  "report",
  "closing",
]);

/** One worker, and the line to it. */
export class FakeWorker implements Channel, Player {
  readonly slots: Slots;
  readonly #world: World;
  readonly #listener: ChannelListener;
  readonly #thread: FakeThread;
  readonly #inbox: ToWorker[] = [];
  readonly #outbox: ToHost[] = [];
  readonly #gone = Promise.withResolvers<void>();
  /** Whether the host has closed it. */
  closed = false;
  ended = false;

  constructor(world: World, listener: ChannelListener) {
    const memory = Slots.allocate();
    this.slots = new RacingSlots(memory, () => world.race());
    this.#world = world;
    this.#listener = listener;
    this.#thread = new FakeThread(world, {
      // The same memory, seen from the worker.
      slots: new Slots(memory),
      noticed: true,
      next: () => this.#inbox.shift(),
      say: (message) => this.#outbox.push(message),
    });
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#world.race();
    this.#inbox.push(structuredClone(message, { transfer }));
    this.#world.race();
  }

  carries(): boolean {
    return true;
  }

  kill(cause: unknown): void {
    // By which the host says that this has said what no worker says.
    if (cause instanceof RangeError) this.#world.violated(cause.message);
    if (!this.closed) this.#listener.died(cause);
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.#thread.lose();
    }
    return this.#gone.promise;
  }

  step(): void {
    this.#thread.step();
    // A thread goes on for a while after it has been told to end.
    if (this.closed && this.#world.random.below(4) === 0) {
      this.#thread.dead = this.ended = true;
      this.#gone.resolve();
    }
  }

  race(): void {
    this.step();
  }

  deliver(): void {
    if (this.closed) return;
    const message = this.#outbox.shift();
    const { dead } = this.#thread;
    // The last words of a dead worker may come too late.
    const lost = dead && LAST_WORDS.has(message?.[0]) &&
      this.#world.random.below(4) === 0;
    if (message !== undefined && !lost) {
      if (message[0] === "done") this.#thread.arrived(message[3].length);
      this.#listener.received(message);
    } else if (dead) {
      this.#thread.lose();
      this.#listener.died(undefined);
    }
  }
}

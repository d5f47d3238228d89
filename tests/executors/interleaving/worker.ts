/**
 * A worker as a model: it keeps the protocol and enters tasks by the real
 * slots, but takes a step only when a test says so, and dies when its random
 * says so. What a call does is told by the test, by its first argument.
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
import { encodeError } from "../../../executors/pool/wire/codec.ts";
import type {
  Segment,
  ToHost,
  ToWorker,
} from "../../../executors/pool/wire/protocol.ts";
import { Slots } from "../../../executors/pool/wire/slots.ts";
import type { FunctionReference } from "../../../executors/task.ts";
import { type Random, randomOf } from "../random.ts";

/** What a call does. */
export type Deed = "return" | "throw" | "die" | "obey" | "ignore";

/** What fake workers ask of the test, and tell it. */
export interface World {
  readonly random: Random;
  /** Whether a worker that starts dies, or finds its initializer failing. */
  readonly startsBadly: boolean;
  /** Comes before each thing the host does to memory that it shares with a worker. */
  race(): void;
  /** A call is entered; what it does. */
  entered(place: number): Deed;
  /** The outcome of a call that was entered will never arrive. */
  lost(place: number): void;
}

/** A world in which nothing goes wrong, and nothing comes between. */
export const UNEVENTFUL: World = {
  random: randomOf(1),
  startsBadly: false,
  race() {},
  entered: () => "return",
  lost() {},
};

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
  "closing",
]);

/** One worker, and the line to it. */
export class FakeWorker implements Channel {
  readonly slots: Slots;
  readonly shared = true;
  /** The same memory, seen from the worker. */
  readonly #slots: Slots;
  readonly #world: World;
  readonly #listener: ChannelListener;
  readonly #life: Iterator<void>;
  readonly #inbox: ToWorker[] = [];
  readonly #outbox: ToHost[] = [];
  readonly #functions = new Map<number, FunctionReference>();
  readonly #loaded = new Set<number>();
  /** Calls that have been entered and whose outcome has not been sent, or has not arrived. */
  #unsent: number[] = [];
  readonly #underway: number[] = [];
  #position = 0;
  #reported = 0;
  /** How many calls had ended by then. */
  #reportedCalls = 0;
  #values: unknown[] = [];
  #failures: Extract<ToHost, readonly ["done", ...unknown[]]>[4] & unknown[] =
    [];
  #dead = false;
  #gone = Promise.withResolvers<void>();
  /** Whether the host has closed it. */
  closed = false;
  /** Whether nothing is left of it. */
  ended = false;

  constructor(world: World, listener: ChannelListener) {
    const memory = Slots.allocate();
    this.slots = new RacingSlots(memory, () => world.race());
    this.#slots = new Slots(memory);
    this.#world = world;
    this.#listener = listener;
    this.#life = this.#live();
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
    if (!this.closed) this.#listener.died(cause);
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.#lose();
    }
    return this.#gone.promise;
  }

  /** Goes on until something else may come between. */
  step(): void {
    if (!this.#dead) this.#life.next();
    // A thread goes on for a while after it has been told to end.
    if (this.closed && this.#world.random.below(4) === 0) {
      this.#dead = this.ended = true;
      this.#gone.resolve();
    }
  }

  /** Something that the worker has said arrives; or that it is dead. */
  deliver(): void {
    if (this.closed) return;
    const message = this.#outbox.shift();
    // The last words of a dead worker may come too late.
    const lost = this.#dead && LAST_WORDS.has(message?.[0]) &&
      this.#world.random.below(4) === 0;
    if (message !== undefined && !lost) {
      if (message[0] === "done") this.#underway.splice(0, message[3].length);
      this.#listener.received(message);
    } else if (this.#dead) {
      this.#lose();
      this.#listener.died(undefined);
    }
  }

  #lose(): void {
    for (const place of [...this.#underway, ...this.#unsent]) {
      this.#world.lost(place);
    }
  }

  *#live(): Generator<void> {
    this.#say(["up"]);
    while (true) {
      const message = this.#inbox.shift();
      yield;
      if (message === undefined) this.#report();
      else if (message[0] === "initialize") yield* this.#initialize();
      else if (message[0] === "define") {
        this.#functions.set(message[1], message[2]);
      } else if (message[0] === "run") {
        for (const segment of message[1]) yield* this.#run(segment);
      }
    }
  }

  *#initialize(): Generator<void> {
    if (this.#world.startsBadly) {
      if (this.#world.random.below(2) === 0) return this.#die();
      this.#say(["unfit", encodeError(new RangeError("No database"))]);
      while (true) yield;
    }
    this.#say(["ready"]);
  }

  *#run([id, count, args, oneItem]: Segment): Generator<void> {
    if (!this.#loaded.has(id)) yield* this.#load(id);
    for (let n = 0; n < count; n++) {
      yield;
      const before = oneItem ? n : 0;
      const entered = this.#slots.enter(this.#position, before);
      if (entered === false) {
        this.#position++;
        if (oneItem) return;
        continue;
      }
      if (entered === "announced") {
        this.#say(["entered", this.#position, before + 1]);
      }
      yield* this.#call(args[n * args.length / count] as number);
      if (!oneItem || n === count - 1) this.#position++;
      if (this.#world.random.below(3) === 0) this.#report();
    }
  }

  *#load(id: number): Generator<void> {
    this.#report();
    const reference = this.#functions.get(id)!;
    if (reference.kind === "export") {
      this.#say(["loading"]);
      yield;
      if (reference.name === "lethal") this.#die();
      while (this.#dead || reference.name === "endless") yield;
      this.#say(["loaded"]);
    }
    this.#loaded.add(id);
  }

  *#call(place: number): Generator<void> {
    this.#unsent.push(place);
    const deed = this.#world.entered(place);
    yield;
    if (deed === "die") this.#die();
    const stopped = () => this.#slots.stopKind(this.#position) !== undefined;
    while (this.#dead || deed === "ignore" || deed === "obey" && !stopped()) {
      yield;
    }
    this.#values.push(place);
    if (deed === "throw") {
      const failure = encodeError(new RangeError(`${place}`));
      this.#failures.push(this.#values.length - 1, failure);
    }
  }

  #report(): void {
    if (this.#values.length === 0 && this.#reported === this.#position) return;
    this.#reported = this.#position;
    const failures = this.#failures.length > 0 ? this.#failures : undefined;
    const busyMs = this.#world.random.pick([0, 0, 0.01, 0.2, 3]);
    const values = this.#values;
    this.#say([
      "done",
      this.#position,
      busyMs,
      values,
      failures,
      undefined,
      this.#reportedCalls,
    ]);
    this.#reportedCalls += values.length;
    // A call that still runs stays.
    this.#underway.push(...this.#unsent.splice(0, this.#values.length));
    this.#values = [];
    this.#failures = [];
  }

  /** With what has ended, or without; with last words, or without. */
  #die(): void {
    this.#dead = true;
    const { below } = this.#world.random;
    if (below(2) === 0) this.#report();
    if (below(2) === 0) this.#say(["closing", undefined, undefined]);
  }

  #say(message: ToHost): void {
    this.#outbox.push(message);
  }
}

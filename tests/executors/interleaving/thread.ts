/**
 * The thread in which a fake worker makes calls: it keeps the protocol and
 * enters tasks by the real slots, but takes a step only when a test says so,
 * and dies when its random says so. What a call does is told by the test, by
 * its first argument. It knows no transport.
 *
 * @module
 */

import { encodeError } from "../../../executors/pool/wire/codec.ts";
import type {
  Segment,
  ToHost,
  ToWorker,
} from "../../../executors/pool/wire/protocol.ts";
import type { Slots } from "../../../executors/pool/wire/slots.ts";
import type { FunctionReference } from "../../../executors/task.ts";
import { type Random, randomOf } from "../helpers/random.ts";

/** What a call does. */
export type Deed = "return" | "throw" | "die" | "obey" | "ignore";

/** What fake workers ask of the test, and tell it. */
export interface World {
  readonly random: Random;
  /** Whether a worker that starts dies, or finds its initializer failing. */
  readonly startsBadly: boolean;
  /** Comes before each thing that is done to memory which another thread shares. */
  race(): void;
  /** A call is entered; what it does. */
  entered(place: number): Deed;
  /** A call reports something. */
  reports(place: number): void;
  /** The outcome of a call that was entered will never arrive. */
  lost(place: number): void;
  /** Something is wrong. */
  violated(what: string): void;
}

/** A world in which nothing goes wrong, and nothing comes between. */
export const UNEVENTFUL: World = {
  random: randomOf(1),
  startsBadly: false,
  race() {},
  entered: () => "return",
  reports() {},
  lost() {},
  violated(what) {
    throw new Error(what);
  },
};

/** The line of a thread to its host. */
export interface ThreadLine {
  readonly slots: Slots;
  /** Whether anybody notices that the thread is gone, if it does not say so. */
  readonly noticed: boolean;
  /** The next message that has arrived. */
  next(): ToWorker | undefined;
  say(message: ToHost): void;
}

/** One thread, from its start to its death. */
export class FakeThread {
  readonly #line: ThreadLine;
  readonly #world: World;
  readonly #life: Iterator<void>;
  readonly #functions = new Map<number, FunctionReference>();
  readonly #loaded = new Set<number>();
  /** Calls that have been entered and whose outcome has not been sent, or has not arrived. */
  readonly #unsent: number[] = [];
  readonly #underway: number[] = [];
  #position = 0;
  #reported = 0;
  /** How many calls had ended by then. */
  #reportedCalls = 0;
  #values: unknown[] = [];
  #failures: Extract<ToHost, readonly ["done", ...unknown[]]>[4] & unknown[] =
    [];
  /** The position of the call that it is at. */
  running: number | undefined;
  ready = false;
  /** Whether it looks for a function in a module. */
  loading = false;
  dead = false;

  constructor(world: World, line: ThreadLine) {
    this.#world = world;
    this.#line = line;
    this.#life = this.#live();
  }

  /** Goes on until something else may come between. */
  step(): void {
    if (!this.dead) this.#life.next();
  }

  /** Ends as a thread does, with what has ended, or without; with last words, or without. */
  die(): void {
    this.dead = true;
    const { below } = this.#world.random;
    if (below(2) === 0) this.#report();
    if (below(2) === 0 || !this.#line.noticed) {
      this.#line.say(["closing", undefined, undefined]);
    }
  }

  /** The host hears of the outcomes of so many calls. */
  arrived(outcomes: number): void {
    this.#underway.splice(0, outcomes);
  }

  /** The host will hear no more of this thread. */
  lose(): void {
    for (const place of [...this.#underway, ...this.#unsent]) {
      this.#world.lost(place);
    }
  }

  *#live(): Generator<void> {
    this.#line.say(["up"]);
    while (true) {
      const message = this.#line.next();
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
      if (this.#world.random.below(2) === 0) return this.die();
      this.#line.say(["unfit", encodeError(new RangeError("No database"))]);
      while (true) yield;
    }
    this.#line.say(["ready"]);
    this.ready = true;
  }

  *#run([id, count, args, oneItem, about]: Segment): Generator<void> {
    if (!this.#loaded.has(id)) yield* this.#load(id);
    for (let n = 0; n < count; n++) {
      yield;
      const before = oneItem ? n : 0;
      const entered = this.#line.slots.enter(this.#position, before);
      if (entered === false) {
        this.#position++;
        if (oneItem) return;
        continue;
      }
      if (entered === "announced") {
        this.#line.say(["entered", this.#position, before + 1]);
      }
      const call = about?.reports === undefined ? undefined : before;
      yield* this.#call(args[n * args.length / count] as number, call);
      if (!oneItem || n === count - 1) this.#position++;
      if (this.#world.random.below(3) === 0) this.#report();
    }
  }

  *#load(id: number): Generator<void> {
    this.#report();
    const reference = this.#functions.get(id)!;
    if (reference.kind === "export") {
      this.#line.say(["loading"]);
      this.loading = true;
      yield;
      if (reference.name === "lethal") this.die();
      while (this.dead || reference.name === "endless") yield;
      this.loading = false;
      this.#line.say(["loaded"]);
    }
    this.#loaded.add(id);
  }

  /** Makes a call, with its number in its job if somebody listens to it. */
  *#call(place: number, call?: number): Generator<void> {
    // Its process may have been killed before that was said.
    while (this.dead) yield;
    this.#unsent.push(place);
    const deed = this.#world.entered(place);
    this.running = this.#position;
    yield;
    if (call !== undefined) yield* this.#tell(place, call);
    if (deed === "die") this.die();
    const stopped = () =>
      this.#line.slots.stopKind(this.#position) !== undefined;
    while (this.dead || deed === "ignore" || deed === "obey" && !stopped()) {
      yield;
    }
    this.running = undefined;
    this.#values.push(place);
    if (deed === "throw") {
      const failure = encodeError(new RangeError(`${place}`));
      this.#failures.push(this.#values.length - 1, failure);
    }
  }

  *#tell(place: number, call: number): Generator<void> {
    const { below } = this.#world.random;
    while (!this.dead && below(2) === 0) {
      this.#report();
      const announced = below(2) === 0;
      this.#world.reports(place);
      if (announced) this.#line.say(["reporting", true]);
      this.#line.say(["report", this.#position, call, place, announced]);
      yield;
    }
  }

  #report(): void {
    if (this.#values.length === 0 && this.#reported === this.#position) return;
    this.#reported = this.#position;
    const failures = this.#failures.length > 0 ? this.#failures : undefined;
    const busyMs = this.#world.random.pick([0, 0, 0.01, 0.2, 3]);
    const values = this.#values;
    // A call that still runs stays.
    this.#underway.push(...this.#unsent.splice(0, values.length));
    this.#line.say([
      "done",
      this.#position,
      busyMs,
      values,
      failures,
      undefined,
      this.#reportedCalls,
    ]);
    this.#reportedCalls += values.length;
    this.#values = [];
    this.#failures = [];
  }
}

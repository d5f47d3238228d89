/**
 * A puppet stands for the worker of a liar. It keeps to the protocol, but makes
 * no call: what it reports is made up. No thread and no process has to start
 * for it, so there can be many.
 *
 * @module
 */

import { SLOT_COUNT } from "../../../executors/pool/wire/slots.ts";
import type { Segment } from "../../../executors/pool/wire/protocol.ts";
import type { Random } from "../helpers/random.ts";

/** How long it does nothing between two things at most. */
const PAUSE_MS = 4;

/** What slots.ts says of a slot. */
const ANNOUNCED = 1 << 20;

/** What a call comes to, by its place. */
export type MakeUp = (place: number) => unknown;

/** What it was sent as one. */
interface Item {
  readonly position: number;
  /** The places of its calls, of which the last may be taken back. */
  readonly places: readonly number[];
  calls: number;
  entered: number;
  readonly announced: boolean;
  /** Whether somebody wants to hear what it reports. */
  readonly reports: boolean;
}

/** A worker that only seems to be one. */
export class Puppet {
  readonly #random: Random;
  readonly #makeUp: MakeUp;
  readonly #say: (message: unknown) => void;
  readonly #slots: Int32Array | undefined;
  readonly #items: Item[] = [];
  /** How many calls of each item were entered, by position. */
  readonly #entered: number[] = [];
  #values: unknown[] = [];
  #times: number[] | undefined;
  /** The first position that has not been reported, the next, and how many calls have been reported. */
  #head = 0;
  #tail = 0;
  #ended = 0;
  /** Whether it is in the midst of a call, what comes of that, and whether it has loaded the module of all. */
  #calling = false;
  #value: unknown;
  #loaded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** With the slots that it shares with its host, if it is a thread. */
  constructor(
    random: Random,
    makeUp: MakeUp,
    say: (message: unknown) => void,
    slots: Int32Array | undefined,
  ) {
    this.#random = random;
    this.#makeUp = makeUp;
    this.#say = say;
    this.#slots = slots;
  }

  /** It is started. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#say(["up"]);
      this.#say(["ready"]);
      this.#live();
    }, this.#random.below(PAUSE_MS));
  }

  /** It is ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items.length = 0;
  }

  /** The host says something. */
  hear(message: unknown): void {
    const parts = message as readonly unknown[];
    if (parts[0] === "run") this.#take(parts);
    else if (parts[0] === "revoke") this.#giveBack(parts[1], parts[2]);
    else if (parts[0] === "watch") this.#times = [];
  }

  #take(message: readonly unknown[]): void {
    const [, segments, announced] = message;
    for (const [, count, args, oneItem, about] of segments as Segment[]) {
      const arity = args.length / count;
      const places = Array.from({ length: count }, (_, n) => args[n * arity]);
      const calls = oneItem ? count : 1;
      for (let n = 0; n < count; n += calls) {
        this.#items.push({
          position: this.#tail++,
          places: places.slice(n, n + calls) as number[],
          calls,
          entered: 0,
          announced: announced === true,
          reports: about?.reports !== undefined,
        });
      }
    }
  }

  /** Without shared memory, the host asks. */
  #giveBack(first: unknown, end: unknown): void {
    const [from, to] = [Number(first), Number(end)];
    const entered = Array.from({ length: to - from }, (_, i) => {
      const item = this.#items.find(({ position }) => position === from + i);
      const entered = this.#entered[from + i] ?? 0;
      if (item !== undefined) item.calls = entered;
      return entered;
    });
    this.#say(["revoked", from, entered]);
  }

  #live(): void {
    this.#timer = setTimeout(() => {
      this.#live();
      for (let steps = this.#random.below(12); steps > 0; steps--) {
        // What it says may be its end.
        if (this.#timer !== undefined) this.#step();
      }
    }, this.#random.below(PAUSE_MS));
  }

  #step(): void {
    const item = this.#items[0];
    if (item === undefined) return this.#report();
    if (!this.#loaded) {
      this.#loaded = true;
      this.#say(["loading"]);
      return this.#say(["loaded"]);
    }
    if (this.#calling) {
      if (item.reports && this.#random.below(2) === 0) this.#tell(item);
      else this.#return(item);
      return;
    }
    // Whoever may be told to stop, and be ended, owes no outcome of another.
    if (item.entered === 0 && this.#values.length > 0) return this.#report();
    if (item.entered < item.calls && this.#enter(item)) return;
    // The rest was taken back.
    this.#items.shift();
    if (this.#random.below(2) === 0) this.#report();
  }

  #enter(item: Item): boolean {
    const slots = this.#slots;
    const { position, entered } = item;
    let announced = item.announced;
    if (slots !== undefined) {
      const index = position & (SLOT_COUNT - 1);
      const state = Atomics.load(slots, index);
      announced = state === (entered | ANNOUNCED);
      if (!announced && state !== entered) return false;
      if (Atomics.compareExchange(slots, index, state, state + 1) !== state) {
        return false;
      }
    }
    this.#entered[position] = ++item.entered;
    this.#calling = true;
    this.#value = this.#makeUp(item.places[entered]!);
    if (announced) this.#say(["entered", position, item.entered]);
    return true;
  }

  /** The call reports what it is about to return. */
  #tell({ position, entered }: Item): void {
    this.#report();
    const announced = this.#random.below(2) === 0;
    if (announced) this.#say(["reporting", true]);
    this.#say(["report", position, entered - 1, this.#value, announced]);
  }

  #return(item: Item): void {
    this.#calling = false;
    this.#values.push(this.#value);
    this.#times?.push(Date.now(), Date.now());
    if (item.entered === item.calls) this.#items.shift();
    if (this.#random.below(3) === 0) this.#report();
  }

  #report(): void {
    const to = this.#items[0]?.position ?? this.#tail;
    if (this.#values.length === 0 && to === this.#head) return;
    this.#say(this.#nextReport(to));
    this.#head = to;
    this.#ended += this.#values.length;
    this.#values = [];
    if (this.#times !== undefined) this.#times = [];
  }

  #nextReport(to: number): unknown {
    return [
      "done",
      to,
      this.#random.pick([0, 0.01, 1]),
      this.#values,
      undefined,
      this.#times,
      this.#ended,
    ];
  }
}

/**
 * An impostor takes the place of a worker once that is ready. It keeps to the
 * protocol, so that it is not found out at once, but makes no call: what it
 * reports is made up. Now and then it says what no worker would at that time.
 *
 * @module
 */

import { SLOT_COUNT } from "../../../executors/pool/slots.ts";
import type { Random } from "../random.ts";
import { invent, mutate } from "./odd.ts";
import { Speaker, type Terms, type Tongue } from "./speaker.ts";

/** How long it does nothing between two things at most. */
const PAUSE_MS = 4;

/** What slots.ts says of a slot. */
const ANNOUNCED = 1 << 20;

/** What it was sent as one. */
interface Item {
  readonly position: number;
  /** How many calls of it are left: not entered, or not ended. */
  calls: number;
  entered: number;
  readonly announced: boolean;
}

/** A worker that only seems to be one. */
export class Impostor extends Speaker {
  readonly #items: Item[] = [];
  #values: unknown[] = [];
  #failures: unknown[] = [];
  #times: number[] | undefined;
  /** Whether it is in the midst of a call. */
  #calling = false;
  #loaded = false;
  /** It says what cannot be, once in so many steps. */
  readonly #caution: number;

  constructor(random: Random, tongue: Tongue, terms: Terms) {
    super(random, tongue, terms);
    this.#caution = random.pick([10, 30, 100]);
  }

  override heard(message: unknown): void {
    this.#hear(message as readonly unknown[]);
  }

  override said(message: unknown): void {
    // The worker itself is told of nothing that it could do then.
    this.#say(message);
    if ((message as unknown[])[0] === "ready") this.#live();
  }

  #hear(message: readonly unknown[]): void {
    switch (message[0]) {
      case "run":
        return this.#take(message);
      case "revoke":
        return this.#giveBack(Number(message[1]), Number(message[2]));
      case "watch":
        this.#times = [];
        break;
      case "stop":
        return;
    }
    this.tongue.pass(message);
  }

  #take(message: readonly unknown[]): void {
    const [, segments, announced] = message;
    let position = this.tail;
    this.noteSent(message);
    for (
      const [, count, , oneItem] of segments as [never, number, never, 1][]
    ) {
      const calls = oneItem ? count : 1;
      for (let n = 0; n < count; n += calls) {
        this.#items.push({
          position: position++,
          calls,
          entered: 0,
          announced: announced === true,
        });
      }
    }
  }

  /** Without shared memory, the host asks. */
  #giveBack(from: number, to: number): void {
    const entered = Array.from({ length: to - from }, (_, i) => {
      const item = this.#items.find(({ position }) => position === from + i);
      // As slots.ts counts: of one that it is past, all were entered.
      if (item === undefined) return 1;
      item.calls = item.entered;
      return item.entered;
    });
    this.#say(["revoked", from, entered]);
  }

  #live(): void {
    this.later(PAUSE_MS, () => {
      for (let steps = this.random.below(12); steps > 0; steps--) {
        if (!this.closed) this.#step();
      }
      this.#live();
    });
  }

  #step(): void {
    const { below, pick } = this.random;
    if (below(this.#caution) === 0) return this.#lie();
    const item = this.#items[0];
    if (item === undefined) return this.#report();
    if (!this.#loaded) {
      this.#loaded = true;
      this.#say(["loading"]);
      return this.#say(["loaded"]);
    }
    if (this.#calling) return this.#return(item);
    if (item.entered < item.calls && this.#enter(item)) return;
    // The rest was taken back.
    this.#items.shift();
    if (pick([true, false])) this.#report();
  }

  #enter(item: Item): boolean {
    const { slots } = this.tongue;
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
    item.entered++;
    this.#calling = true;
    if (announced) this.#say(["entered", position, item.entered]);
    return true;
  }

  #return(item: Item): void {
    const { below } = this.random;
    this.#calling = false;
    if (below(5) === 0) {
      this.#failures.push(this.#values.length, {
        kind: "value",
        value: "Made up",
      });
    }
    this.#values.push(-item.position);
    this.#times?.push(Date.now(), Date.now());
    if (item.entered === item.calls) this.#items.shift();
    if (below(3) === 0) this.#report();
  }

  #report(): void {
    const to = this.#items[0]?.position ?? this.tail;
    if (this.#values.length === 0 && to === this.head) return;
    this.#say(this.#nextReport(to));
    this.head = to;
    this.ended += this.#values.length;
    this.#values = [];
    this.#failures = [];
    if (this.#times !== undefined) this.#times = [];
  }

  #nextReport(to: number): unknown {
    return [
      "done",
      to,
      this.random.pick([0, 0.01, 1]),
      this.#values,
      this.#failures.length === 0 ? undefined : this.#failures,
      this.#times,
      this.ended,
    ];
  }

  #lie(): void {
    const { random } = this;
    const { head, tail, ended } = this;
    switch (random.below(4)) {
      case 0:
        this.terms.lied("invent later");
        return this.#say(invent(random, { head, tail, ended }));
      case 1: {
        this.terms.lied("change, and say the truth");
        const to = this.#items[0]?.position ?? tail;
        return this.#say(mutate(random, this.#nextReport(to)));
      }
      case 2:
        this.terms.lied("babble");
        this.doom();
        return this.tongue.babble?.(random);
      default:
        this.terms.lied("die");
        return this.die();
    }
  }

  #say(message: unknown): void {
    if (!this.closed) this.tongue.say(message);
  }
}

/**
 * A worker that lies, as it looks from outside: a man in the middle who changes
 * what it says on its way to the host. He knows neither what carries messages,
 * nor what becomes of them.
 *
 * @module
 */

import { SLOT_COUNT } from "../../../executors/pool/slots.ts";
import type { Random } from "../random.ts";
import { invent, mutate } from "./odd.ts";
import { Speaker, type Terms, type Tongue } from "./speaker.ts";

/** What a liar does. */
const LIES = [
  "change",
  "change, and say the truth",
  "say twice",
  "say again later",
  "hold back",
  "say something old",
  "invent before",
  "invent after",
  "invent later",
  "drop",
  "say what is unreadable",
  "write slots",
  "babble",
  "die",
] as const;

/** A way to lie. */
export type Lie = typeof LIES[number];

/** So much is remembered, to be said again. */
const MEMORY = 30;

/** How long at most is held back what nothing follows. */
const HOLD_MS = 5;

/** How long after something else it is still said. */
const LATER_MS = 30;

/** One worker's words. */
export class Liar extends Speaker {
  /** One message of so many is lied about. */
  readonly #truthfulness: number;
  readonly #memory: unknown[] = [];
  readonly #held: unknown[] = [];
  #mayLie: boolean;

  constructor(random: Random, tongue: Tongue, terms: Terms) {
    super(random, tongue, terms);
    this.#truthfulness = random.pick([2, 4, 15]);
    this.#mayLie = terms.early;
    for (let count = random.below(4); count > 0; count--) {
      this.later(2 * LATER_MS, () => this.#lie("invent later"));
    }
  }

  override heard(message: unknown): void {
    this.noteSent(message);
    this.tongue.pass(message);
  }

  override said(message: unknown): void {
    if (this.closed) return;
    this.#note(message);
    const [type] = message as unknown[];
    if (type === "ready" && !this.#mayLie) {
      this.#say(message);
      this.#mayLie = true;
    } else if (this.#mayLie && this.random.below(this.#truthfulness) === 0) {
      this.#lie(this.random.pick(LIES), message);
    } else this.#say(message);
  }

  #note(message: unknown): void {
    if (!Array.isArray(message)) return;
    if (message[0] === "done") {
      this.head = message[1];
      this.ended += message[3].length;
    }
    this.#memory.push(message);
    if (this.#memory.length > MEMORY) this.#memory.shift();
  }

  #lie(kind: Lie, truth?: unknown): void {
    if (this.closed || !this.#mayLie) return;
    this.terms.lied(kind);
    const random = this.random;
    const where = { head: this.head, tail: this.tail, ended: this.ended };
    switch (kind) {
      case "change":
        this.doom();
        return this.#say(mutate(random, truth));
      case "change, and say the truth":
        this.#say(mutate(random, truth));
        return this.#say(truth);
      case "say twice":
        this.#say(truth);
        return this.#say(truth);
      case "say again later":
        this.later(LATER_MS, () => this.#say(truth));
        return this.#say(truth);
      case "hold back":
        this.#held.push(truth);
        return this.later(HOLD_MS, () => this.#release());
      case "say something old":
        this.#say(random.pick(this.#memory));
        return this.#say(truth);
      case "invent before":
        this.#say(invent(random, where));
        return this.#say(truth);
      case "invent after":
        this.#say(truth);
        return this.#say(invent(random, where));
      case "invent later":
        if (truth !== undefined) this.#say(truth);
        return this.#say(invent(random, where));
      case "drop":
        return this.doom();
      case "say what is unreadable":
        if (random.below(2) === 0) this.#say(truth);
        else this.doom();
        return this.#say(["unreadable"]);
      case "write slots":
        this.#writeSlots();
        return this.#say(truth);
      case "babble":
        this.doom();
        this.#say(truth);
        return this.tongue.babble?.(random);
      case "die":
        this.#say(truth);
        return this.die();
      default:
        kind satisfies never;
    }
  }

  #say(message: unknown): void {
    if (this.closed) return;
    this.tongue.say(message);
    this.#release();
  }

  /** What was held back comes after what followed it. */
  #release(): void {
    if (this.closed) return;
    for (const message of this.#held.splice(0)) this.tongue.say(message);
  }

  /** The task that runs may then seem not to, and what waits to run; the worker passes it over. */
  #writeSlots(): void {
    const { slots } = this.tongue;
    if (slots === undefined) return;
    this.doom();
    const { below, pick } = this.random;
    const mask = SLOT_COUNT - 1;
    // Something else may lie behind the slots.
    const index = pick([
      this.head & mask,
      (this.tail - 1) & mask,
      below(SLOT_COUNT),
      below(slots.length),
      slots.length - 1,
    ]);
    Atomics.store(slots, index, pick([0, 1, 2, -1, 1 << below(31)]));
  }
}

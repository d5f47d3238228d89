/**
 * A worker that lies, as it looks from outside: a man in the middle who changes
 * what it says on its way to the host. He knows neither what carries messages,
 * nor what becomes of them.
 *
 * @module
 */

import { SLOT_COUNT } from "../../../executors/pool/wire/slots.ts";
import type { Random } from "../helpers/random.ts";
import { invent, mutate } from "./odd.ts";

/** What a liar can do. */
export interface Tongue {
  /** Says a message to the host. */
  say(message: unknown): void;
  /** Tells the worker what the host has said. */
  pass(message: unknown): void;
  /** Says something that is no message, if there is such a thing; what follows may be lost. */
  babble?(random: Random): void;
  /** Ends the worker, without a word. */
  die(): void;
  /** What the worker shares with the host. */
  readonly slots?: Int32Array | undefined;
}

/** How it lies. */
export interface Terms {
  /** Whether it never lies. */
  readonly honest: boolean;
  /** Whether it also lies before its worker is ready. */
  readonly early: boolean;
  /** Is told the place of each task that the worker is sent. */
  sent(place: number): void;
  /** Is told of each lie. */
  lied(kind: Lie): void;
}

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

/** How long at most a worker lives that has kept something from its host, which would wait for ever. */
const DOOM_MS = 60;

/** How long at most is held back what nothing follows. */
const HOLD_MS = 5;

/** How long after something else it is still said. */
const LATER_MS = 30;

/** One worker's words. */
export class Liar {
  readonly #random: Random;
  readonly #tongue: Tongue;
  readonly #terms: Terms;
  /** One message of so many is lied about. */
  readonly #truthfulness: number;
  readonly #memory: unknown[] = [];
  readonly #held: unknown[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** The first position that has not been reported, the next, and how many calls have been reported. */
  #head = 0;
  #tail = 0;
  #ended = 0;
  #mayLie: boolean;
  #doomed = false;
  /** Whether nobody listens any more. */
  #closed = false;

  constructor(random: Random, tongue: Tongue, terms: Terms) {
    this.#random = random;
    this.#tongue = tongue;
    this.#terms = terms;
    this.#truthfulness = random.pick([2, 4, 15, 50, 200]);
    this.#mayLie = terms.early && !terms.honest;
    for (let count = random.below(2); count > 0; count--) {
      this.#later(2 * LATER_MS, () => this.#lie("invent later"));
    }
  }

  /** The host says something. */
  heard(message: unknown): void {
    this.#noteSent(message);
    this.#tongue.pass(message);
  }

  /** The worker says something. */
  said(message: unknown): void {
    if (this.#closed) return;
    this.#note(message);
    const [type] = message as unknown[];
    if (type === "ready" && !this.#mayLie) {
      this.#say(message);
      this.#mayLie = !this.#terms.honest;
    } else if (this.#mayLie && this.#random.below(this.#truthfulness) === 0) {
      this.#lie(this.#random.pick(LIES), message);
    } else this.#say(message);
  }

  /** Nobody listens any more. */
  end(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #note(message: unknown): void {
    if (!Array.isArray(message)) return;
    if (message[0] === "done") {
      this.#head = message[1];
      this.#ended += message[3].length;
    }
    this.#memory.push(message);
    if (this.#memory.length > MEMORY) this.#memory.shift();
  }

  #lie(kind: Lie, truth?: unknown): void {
    if (this.#closed || !this.#mayLie) return;
    this.#terms.lied(kind);
    const random = this.#random;
    const where = { head: this.#head, tail: this.#tail, ended: this.#ended };
    switch (kind) {
      case "change":
        this.#doom();
        return this.#say(mutate(random, truth));
      case "change, and say the truth":
        this.#say(mutate(random, truth));
        return this.#say(truth);
      case "say twice":
        this.#say(truth);
        return this.#say(truth);
      case "say again later":
        this.#later(LATER_MS, () => this.#say(truth));
        return this.#say(truth);
      case "hold back":
        this.#held.push(truth);
        return this.#later(HOLD_MS, () => this.#release());
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
        return this.#doom();
      case "say what is unreadable":
        if (random.below(2) === 0) this.#say(truth);
        else this.#doom();
        return this.#say(["unreadable"]);
      case "write slots":
        this.#writeSlots();
        return this.#say(truth);
      case "babble":
        this.#doom();
        this.#say(truth);
        return this.#tongue.babble?.(random);
      case "die":
        this.#say(truth);
        return this.#die();
      default:
        kind satisfies never;
    }
  }

  #say(message: unknown): void {
    if (this.#closed) return;
    this.#tongue.say(message);
    this.#release();
  }

  /** What was held back comes after what followed it. */
  #release(): void {
    if (this.#closed) return;
    for (const message of this.#held.splice(0)) this.#tongue.say(message);
  }

  /** The task that runs may then seem not to, and what waits to run; the worker passes it over. */
  #writeSlots(): void {
    const { slots } = this.#tongue;
    if (slots === undefined) return;
    this.#doom();
    const { below, pick } = this.#random;
    const mask = SLOT_COUNT - 1;
    // Something else may lie behind the slots.
    const index = pick([
      this.#head & mask,
      (this.#tail - 1) & mask,
      below(SLOT_COUNT),
      below(slots.length),
      slots.length - 1,
    ]);
    Atomics.store(slots, index, pick([0, 1, 2, -1, 1 << below(31)]));
  }

  /** Notes the places of the tasks in a message; each is the first of its arguments. */
  #noteSent(message: unknown): void {
    if (!Array.isArray(message) || message[0] !== "run") return;
    for (const [, count, args, oneItem] of message[1]) {
      this.#tail += oneItem ? 1 : count;
      for (let at = 0; at < args.length; at += args.length / count) {
        this.#terms.sent(args[at]);
      }
    }
  }

  /** Does something within so many milliseconds, if it is still there. */
  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, this.#random.below(ms));
    this.#timers.add(timer);
  }

  /** The host waits for what was kept from it: only its worker's end can tell it the truth. */
  #doom(): void {
    if (this.#doomed) return;
    this.#doomed = true;
    this.#later(DOOM_MS, () => this.#die());
  }

  #die(): void {
    // It may not be seen otherwise that a thread has gone: before Deno 2.9 nothing else tells.
    if (this.#random.below(2) === 0 || !("locks" in navigator)) {
      this.#tongue.say(["closing", undefined, undefined]);
    }
    this.#tongue.die();
  }
}

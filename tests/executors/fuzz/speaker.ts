/**
 * Who speaks for a worker instead of itself: a man in the middle. He knows
 * neither what carries messages, nor what becomes of them.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Lie } from "./liar.ts";

/** What a speaker can do. */
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

/** How it speaks. */
export interface Terms {
  /** Whether it also lies before its worker is ready. */
  readonly early: boolean;
  /** Is told the place of each task that the worker is sent. */
  sent(place: number): void;
  /** Is told of each lie. */
  lied(kind: Lie): void;
}

/** How long at most a worker lives that has kept something from its host, which would wait for ever. */
const DOOM_MS = 60;

/** What a liar and an impostor have in common. */
export abstract class Speaker {
  protected readonly random: Random;
  protected readonly tongue: Tongue;
  protected readonly terms: Terms;
  /** The first position that has not been reported, the next, and how many calls have been reported. */
  protected head = 0;
  protected tail = 0;
  protected ended = 0;
  /** Nobody listens any more. */
  protected closed = false;
  #doomed = false;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(random: Random, tongue: Tongue, terms: Terms) {
    this.random = random;
    this.tongue = tongue;
    this.terms = terms;
  }

  /** The host says something. */
  abstract heard(message: unknown): void;

  /** The worker says something. */
  abstract said(message: unknown): void;

  /** Nobody listens any more. */
  end(): void {
    this.closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Notes the places of the tasks in a message; each is the first of its arguments. */
  protected noteSent(message: unknown): void {
    if (!Array.isArray(message) || message[0] !== "run") return;
    for (const [, count, args, oneItem] of message[1]) {
      this.tail += oneItem ? 1 : count;
      for (let at = 0; at < args.length; at += args.length / count) {
        this.terms.sent(args[at]);
      }
    }
  }

  /** Does something within so many milliseconds, if it is still there. */
  protected later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, this.random.below(ms));
    this.#timers.add(timer);
  }

  /** The host waits for what was kept from it: only its worker's end can tell it the truth. */
  protected doom(): void {
    if (this.#doomed) return;
    this.#doomed = true;
    this.later(DOOM_MS, () => this.die());
  }

  protected die(): void {
    // It may not be seen otherwise that a thread has gone: before Deno 2.9 nothing else tells.
    if (this.random.below(2) === 0 || !("locks" in navigator)) {
      this.tongue.say(["closing", undefined, undefined]);
    }
    this.tongue.die();
  }
}

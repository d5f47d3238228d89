/**
 * The tasks of a run with fake workers: what each is to do, what has become of
 * it, and whether that is right.
 *
 * @module
 */

import { type Future, task, transfer } from "../../../mod.ts";
import type { Random } from "../helpers/random.ts";
import type { Deed } from "./thread.ts";

/** A function of which only the name matters. */
export function plain(place: number, ..._: unknown[]): number {
  return place;
}

const module = { url: "data:text/javascript," };

/** What fake workers load at once, after a while, never, or with their life. */
const FUNCTIONS = {
  plain,
  exported: task(module, "exported", (place: number) => place),
  endless: task(module, "endless", (place: number) => place),
  lethal: task(module, "lethal", (place: number) => place),
} satisfies Record<string, typeof plain>;

/** What a call is given: the last two have a getter that does what the user may do, as it travels with others or alone. */
const ARGUMENTS = [
  ...["none", "none", "none", "none", "none", "none"] as const,
  ...["moved", "uncloneable", "meddling", "meddling alone"] as const,
];
type Argument = typeof ARGUMENTS[number];

/** A call that so many workers have died with is not sent again. */
const MAX_DEATHS = 3;

/** One call. */
export class Plan {
  readonly place: number;
  readonly fn: keyof typeof FUNCTIONS;
  readonly deed: Deed;
  readonly argument: Argument;
  /** What `submitWith()` is told, if that is how it is submitted. */
  readonly timeout: number | undefined;
  readonly controller: AbortController | undefined;
  future: Future<unknown> | undefined;
  /** How often it has been entered, and how often it was told to the user. */
  entries = 0;
  told = 0;
  /** How often it has reported, and how often somebody has heard that. */
  reports = 0;
  heard = 0;
  /** Whether it may not be entered any more. */
  barred = false;
  /** Whether its worker has died with its outcome. */
  lost = false;
  /** Whether a worker without shared memory has died that may have entered it, for all its host knows. */
  doubted = false;
  /** How many such workers have died that had been sent it. */
  deaths = 0;

  private constructor(
    place: number,
    deed: Deed,
    rest: Partial<Pick<Plan, "fn" | "argument" | "timeout" | "controller">>,
  ) {
    this.place = place;
    this.deed = deed;
    this.fn = rest.fn ?? "plain";
    this.argument = rest.argument ?? "none";
    this.timeout = rest.timeout;
    this.controller = rest.controller;
  }

  /** An item of a map(). */
  static mapped(place: number, { pick }: Random): Plan {
    return new Plan(
      place,
      pick(["return", "return", "return", "throw", "die"]),
      {},
    );
  }

  /** What is submitted alone. */
  static submitted(place: number, { below, pick }: Random): Plan {
    const fn = below(4) > 0
      ? "plain"
      : pick(["exported", "exported", "lethal", "endless"] as const);
    const argument = pick(ARGUMENTS);
    const deed = pick(["return", "return", "return", "throw", "die"] as const);
    if (below(3) > 0) return new Plan(place, deed, { fn, argument });
    const stopped = below(2) === 0 ? pick(["obey", "ignore"] as const) : deed;
    return new Plan(place, stopped, {
      fn,
      argument,
      controller: new AbortController(),
      // Or it would never end; what obeys is aborted in the end.
      timeout: stopped === "ignore" || below(2) === 0
        ? 1 + below(20)
        : Infinity,
    });
  }

  /** What to submit; a getter may `meddle` as it is sent. */
  call(meddle: () => void): [typeof plain, ...Parameters<typeof plain>] {
    const fn = FUNCTIONS[this.fn];
    const buffer = new ArrayBuffer(1);
    const meddling = {
      get value() {
        meddle();
        return 1;
      },
    };
    switch (this.argument) {
      case "none":
        return [fn, this.place];
      case "moved":
        return [fn, this.place, transfer(buffer, [buffer])];
      case "uncloneable":
        return [fn, this.place, Symbol()];
      case "meddling":
        return [fn, this.place, meddling];
      case "meddling alone":
        return [fn, this.place, [new Map(), meddling]];
    }
  }

  /** Whether all that it has reported was heard. */
  get wasHeard(): boolean {
    return this.heard === this.reports;
  }

  /** Whether its future was cancelled, rather than stopped by its signal. */
  get cancelled(): boolean {
    return this.future?.cancelled() === true &&
      this.controller?.signal.aborted !== true;
  }

  /** Whether its future may end so: with a value, or an error of this name. */
  allows(outcome: unknown, ended: Ending): boolean {
    const { place, fn, deed, argument, entries, barred, controller } = this;
    switch (outcome) {
      case place:
        return deed === "return" && entries === 1 && this.wasHeard;
      case "RangeError":
        return deed === "throw" && entries === 1;
      case "WorkerCrashedError":
        return this.lost || entries === 0 &&
            (fn === "lethal" || fn === "endless" || argument === "moved" ||
              this.doubted || this.deaths >= MAX_DEATHS);
      case "WorkerTerminatedError":
        return ended.terminated && (entries === 1 || ended.cancelled);
      case "BrokenExecutorError":
        return ended.broken && entries === 0;
      case "DataCloneError":
        return argument === "uncloneable" && entries === 0;
      case "TimeoutError":
        return this.timeout !== undefined && entries === 1;
      case "CancelledError":
        return controller?.signal.aborted ||
          (barred || ended.cancelled) && entries === 0;
      default:
        return false;
    }
  }
}

/** What may have ended a run early. */
export interface Ending {
  readonly terminated: boolean;
  readonly broken: boolean;
  /** Whether workers were asked for what they had not entered, as they share no memory. */
  readonly cancelled: boolean;
}

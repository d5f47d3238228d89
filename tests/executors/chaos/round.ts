/**
 * One round of the chaos: what is done to one executor. It follows from the
 * draws; when threads get to it does not.
 *
 * @module
 */

import { assert } from "@std/assert";
import { type Future, ProcessPoolExecutor, transfer } from "../../../mod.ts";
import {
  astray,
  type Deed,
  DEEDS,
  LETHAL,
  method,
  perform,
  performItem,
  REPORTS,
  UNCLONEABLE,
} from "./tasks.ts";
import { allows, type Ending, outcomeOf, type Submitted } from "./outcome.ts";
import { load, loadAll, makeCells, removeCells } from "../helpers/cells.ts";
import { DEATHS } from "../fixtures/dying.ts";
import type { Random } from "../helpers/random.ts";
import {
  type MakeExecutor,
  noWorkerLeft,
  type WorkerExecutor,
} from "../helpers/worker_harness.ts";

/** Long against anything that a round waits for. */
const HANG_MS = 60_000;

/** More futures do not wait at a time, or what is cancelled and aborted would never have begun. */
const BACKLOG = 50;

/** What may go on for a while, in which others come and go. */
const STOPPABLE: readonly Deed[] = [
  "obey",
  "obey in a loop",
  "ignore",
  "ignore in a loop",
  "return later",
  "return",
];
const TINY: readonly Deed[] = ["return", "return later", "compute"];
const DEADLY = Object.keys(DEATHS) as Deed[];
const ODD = (Object.keys(DEEDS) as Deed[]).filter((deed) =>
  !(deed in DEATHS) && !STOPPABLE.includes(deed)
);

/** The life of one executor. */
export class Round {
  /** How futures ended. */
  readonly outcomes: Record<string, number> = {};
  /** How many items of maps were entered. */
  mapped = 0;
  readonly #random: Random;
  readonly #executor: WorkerExecutor;
  readonly #entries = makeCells();
  readonly #submitted: Submitted[] = [];
  readonly #maps: Promise<void>[] = [];
  /** What tasks have reported, and the future of each that is not of a map. */
  readonly #heard: (readonly [Heard, Future<unknown>?])[] = [];
  #places = 0;
  /** How the executor is ended, once it is. */
  #ending: Ending | undefined;

  constructor(random: Random, make: MakeExecutor) {
    this.#random = random;
    const { below, pick } = random;
    this.#executor = make({
      maxWorkers: 1 + below(3),
      maxTasksPerWorker: pick([20, 200, Infinity]),
      idleTimeout: pick([0, 5, 1000]),
      gracePeriod: pick([0, 50]),
    });
  }

  async run(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(this.#describe())), HANG_MS);
    });
    try {
      await Promise.race([this.#live(), hang]);
    } finally {
      clearTimeout(timer);
      removeCells();
    }
  }

  async #live(): Promise<void> {
    for (let steps = 60; steps > 0; steps--) {
      await this.#step();
      while (this.#unsettled().length > BACKLOG) await wait(1);
    }
    await this.#end();
  }

  async #step(): Promise<void> {
    const { below } = this.#random;
    switch (below(12)) {
      case 0:
      case 1:
        return this.#submit(1 + below(40), TINY);
      case 2:
        return this.#submit(1 + below(4), ODD);
      case 3:
      case 4:
        return this.#submitDoomed();
      case 5:
      case 6:
      case 7:
        return this.#submitStoppable();
      case 8:
        return this.#cancel(below(4));
      case 9:
        return this.#abort();
      case 10:
        return this.#map(1 + below(100));
      default:
        await wait(below(10));
    }
  }

  #unsettled(): Submitted[] {
    return this.#submitted.filter(({ future }) => !future.done());
  }

  #submit(count: number, deeds: readonly Deed[]): void {
    for (; count > 0; count--) {
      const deed = this.#random.pick(deeds);
      const place = this.#places++;
      // As many bytes as its place says, so that the result tells its place.
      const bytes = deed === "move" ? new Uint8Array(place) : undefined;
      const argument = bytes === undefined
        ? Deno.pid
        : transfer(bytes, [bytes.buffer]);
      const args = [this.#entries, place, deed, argument] as const;
      const heard = new Heard(() => place);
      const future = deed === "report"
        ? this.#executor.submitWith(heard, perform, ...args)
        : this.#executor.submit(perform, ...args);
      this.#note({ place, deed, future });
      if (deed === "report") this.#heard.push([heard, future]);
    }
  }

  /** What ends its worker, never gets into one, or is not found by a name. */
  #submitDoomed(): void {
    const { below, pick } = this.#random;
    if (below(2) === 0) {
      return this.#submit(1 + below(2), DEADLY);
    }
    const place = this.#places++;
    const deed = pick(["lethal", "astray", "uncloneable", "method"] as const);
    const argument = deed === "uncloneable" ? pick(UNCLONEABLE)() : undefined;
    const fn = { lethal: pick(LETHAL), astray, uncloneable: perform, method };
    const future = this.#executor.submit(
      fn[deed],
      this.#entries,
      place,
      "return",
      argument,
    );
    this.#note({ place, deed, future });
  }

  #submitStoppable(): void {
    const { below, pick } = this.#random;
    const controller = new AbortController();
    const deed = pick(STOPPABLE);
    const place = this.#places++;
    const options = { signal: controller.signal, timeout: 1 + below(50) };
    const future = this.#executor.submitWith(
      options,
      perform,
      this.#entries,
      place,
      deed,
    );
    this.#note({ place, deed, future, controller });
  }

  #note(made: Omit<Submitted, "settled" | "cancelled">): void {
    const submitted = { ...made, settled: 0, cancelled: false };
    this.#submitted.push(submitted);
    const act = this.#random.below(30);
    submitted.future.addDoneCallback(() => {
      submitted.settled++;
      if (act === 0 && this.#ending === undefined) this.#submit(1, TINY);
      if (act === 1) this.#cancel(3);
      if (act === 2) this.#abort();
    });
  }

  #cancel(count: number): void {
    for (; count > 0; count--) {
      const unsettled = this.#unsettled();
      if (unsettled.length === 0) return;
      const submitted = this.#random.pick(unsettled);
      submitted.cancelled = submitted.future.cancel();
    }
  }

  #abort(): void {
    const abortable = this.#unsettled().filter(({ controller }) => controller);
    if (abortable.length > 0) this.#random.pick(abortable).controller!.abort();
  }

  #map(length: number): void {
    const { below, pick } = this.#random;
    const places = Array.from({ length }, () => this.#places++);
    const deeds: Deed[] = places.map(() => pick(TINY));
    if (below(4) === 0) deeds[below(length)] = pick(["throw", "Deno.exit()"]);
    if (below(2) === 0) deeds[below(length)] = "report";
    const heard = new Heard((index) => places[index]!);
    this.#heard.push([heard]);
    const ordered = below(2) === 0;
    const controller = new AbortController();
    const results = this.#executor.map(
      performItem,
      places.map(() => this.#entries),
      places,
      deeds,
      {
        bufferSize: 1 + below(2 * length),
        ordered,
        signal: controller.signal,
        ...(below(2) === 0 && { chunkSize: 1 + below(20) }),
        onReport: heard.onReport,
      },
    );
    const count = pick([length, below(length)]);
    const leave = pick([() => results.return(), () => controller.abort()]);
    const read = this.#read(results, count, places, ordered).finally(leave);
    // Until the end of the round nobody asks.
    read.catch(() => {});
    this.#maps.push(read);
  }

  async #read(
    results: AsyncIterableIterator<unknown>,
    count: number,
    places: readonly number[],
    ordered: boolean,
  ): Promise<void> {
    const left = [...places];
    for (; count > 0; count--) {
      // An error is what an item, or the end of the round, has ended it with.
      const result = await results.next().catch(() => undefined);
      if (result?.done !== false) return;
      const i = left.indexOf(result.value as number);
      assert(ordered ? i === 0 : i >= 0, `${result.value} of ${left}`);
      left.splice(i, 1);
      this.mapped++;
    }
  }

  async #end(): Promise<void> {
    const { below } = this.#random;
    const cancelled = below(4) === 0;
    this.#ending = below(4) === 0
      ? "terminated"
      : cancelled
      ? "cancelled"
      : "shut down";
    if (below(2) === 0) this.#executor.shutdown({ wait: false });
    if (this.#ending === "terminated") await this.#executor.terminate();
    else await this.#executor.shutdown({ cancelFutures: cancelled });
    for (const submitted of this.#submitted) await this.#check(submitted);
    await Promise.all(this.#maps);
    for (const [heard, future] of this.#heard) {
      const value = await future?.catch(() => undefined);
      const isWhole = value === undefined || heard.count === REPORTS;
      assert(heard.violation === undefined && isWhole, Deno.inspect(heard));
    }
    const all = loadAll(this.#entries, this.#places);
    assert(all.every((entries) => entries <= 1), "entered twice");
    await noWorkerLeft();
  }

  async #check(submitted: Submitted): Promise<void> {
    const { place, future, settled } = submitted;
    const entries = load(this.#entries, place);
    const outcome = future.done() ? await outcomeOf(future) : "unsettled";
    const exact = !(this.#executor instanceof ProcessPoolExecutor);
    const terms = { ending: this.#ending, exact };
    assert(
      settled === 1 && allows(submitted, outcome, entries, terms),
      `${outcome} after ${entries} entries: ${Deno.inspect(submitted)}`,
    );
    const name = typeof outcome === "number" ? "value" : `${outcome}`;
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
  }

  #describe(): string {
    const [executor, left] = [this.#executor, this.#unsettled()];
    return `Hangs: ${Deno.inspect(executor)} ${Deno.inspect(left)}`;
  }
}

/** Hears what one task reports, or one of a map. */
class Heard {
  count = 0;
  /** What was not next. */
  violation: unknown;
  readonly #placeOf: (index: number) => number;

  constructor(placeOf: (index: number) => number) {
    this.#placeOf = placeOf;
  }

  readonly onReport = (value: Iterable<number>, index = 0): void => {
    const [place, n] = value;
    const isNext = Math.floor(n!) === this.count++;
    if (place !== this.#placeOf(index) || !isNext) this.violation ??= value;
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

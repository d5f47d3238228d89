/**
 * One round of the chaos: the life of one executor, in a world that is harmed
 * meanwhile. What is done follows from the draws; when it gets to whom does not.
 *
 * @module
 */

import { assert } from "@std/assert";
import { NatsPoolExecutor } from "../../../../executors/nats/mod.ts";
import type { Random } from "../../helpers/random.ts";
import {
  allows,
  type Ending,
  mayHaveReported,
  outcomeOf,
  type Submitted,
} from "./outcome.ts";
import {
  type Deed,
  entriesOf,
  LARGE_BYTES,
  perform,
  performBundled,
} from "./tasks.ts";
import type { World } from "./world.ts";

/** Long against anything that a round waits for. */
const HANG_MS = 120_000;

/** How many steps a round has. */
const STEPS = 40;

/** More futures do not wait at a time, or what is cancelled would never have begun. */
const BACKLOG = 100;

const TINY: readonly Deed[] = ["return", "return later", "compute"];
const SLOW: readonly Deed[] = ["return much later"];
const LARGE: readonly Deed[] = ["return what is large", "return what it got"];
const TALKATIVE: readonly Deed[] = ["report"];
const ODD: readonly Deed[] = [
  "throw",
  "throw nothing",
  "return a function",
  "end its worker",
];
const STOPPABLE: readonly Deed[] = ["hang", "return much later", "return"];

/** The life of one executor. */
export class Round {
  /** How futures ended. */
  readonly outcomes: Record<string, number> = {};
  /** How many results of maps were read. */
  mapped = 0;
  readonly #random: Random;
  readonly #world: World;
  readonly #patient: boolean;
  readonly #executor: NatsPoolExecutor;
  readonly #maxDeliveries: number;
  readonly #folder: string;
  readonly #submitted: Submitted[] = [];
  readonly #maps: Promise<void>[] = [];
  #places = 0;
  #ending: Ending = "shut down";
  #isEnding = false;

  /**
   * Begins nothing yet.
   *
   * @param random What is drawn from.
   * @param world Whom it happens to.
   * @param patient Whether nodes may be away for as long as it takes to give them up.
   */
  constructor(random: Random, world: World, patient: boolean) {
    this.#random = random;
    this.#world = world;
    this.#patient = patient;
    this.#folder = world.makeFolder();
    this.#maxDeliveries = random.pick([1, 3, 3, 5]);
    this.#executor = new NatsPoolExecutor({
      ...world.options,
      maxDeliveries: this.#maxDeliveries,
    });
  }

  async run(): Promise<void> {
    const hang = Promise.withResolvers<void>();
    const timer = setTimeout(hang.resolve, HANG_MS);
    const ended = this.#live().then(() => true);
    const isOver = await Promise.race([ended, hang.promise])
      .finally(() => clearTimeout(timer));
    if (isOver !== true) throw new Error(await this.#describe());
  }

  async #live(): Promise<void> {
    await this.#executor.start();
    for (let steps = STEPS; steps > 0; steps--) {
      await this.#step();
      while (this.#unsettled().length > BACKLOG) await wait(1);
    }
    await this.#end();
  }

  async #step(): Promise<void> {
    const { below } = this.#random;
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
        return this.#submit(1 + below(40), TINY);
      case 3:
        return this.#submit(1 + below(4), SLOW);
      case 4:
        return this.#submit(1 + below(3), LARGE);
      case 5:
        return this.#submit(1 + below(4), below(2) === 0 ? ODD : TALKATIVE);
      case 6:
        if (below(8) === 0) this.#submit(1, ["kill its node"]);
        return;
      case 7:
      case 8:
        return this.#submitStoppable();
      case 9:
        return this.#cancel(below(4));
      case 10:
        return this.#abort();
      case 11:
        return this.#map(1 + below(100));
      case 12:
      case 13:
        return this.#world.disturb(this.#random, this.#patient);
      case 14:
        // Now and then it has nothing to do for so long that it disconnects.
        await wait(below(10) === 0 ? 2000 : below(300));
        return;
      default:
        await wait(below(100));
    }
  }

  #unsettled(): Submitted[] {
    return this.#submitted.filter(({ future }) => !future.done());
  }

  #submit(
    count: number,
    deeds: readonly Deed[],
    stop?: { controller: AbortController; timeout: number },
  ): void {
    const { below, pick } = this.#random;
    for (; count > 0; count--) {
      const deed = pick(deeds);
      const place = this.#places++;
      const { harm } = this.#world;
      const controller = stop?.controller;
      const heard: (readonly [number, number])[] = [];
      const talks = deed === "report";
      const future = this.#executor.submitWith(
        stop === undefined
          ? talks ? { onReport: (report) => heard.push(report) } : {}
          : { signal: stop.controller.signal, timeout: stop.timeout },
        talks || below(8) === 0 ? performBundled : perform,
        this.#folder,
        place,
        deed,
        deed === "return what it got"
          ? new Uint8Array(LARGE_BYTES).fill(place)
          : undefined,
      );
      const submitted: Submitted = {
        place,
        deed,
        future,
        controller,
        harm,
        heard,
        settled: 0,
        cancelled: false,
      };
      this.#submitted.push(submitted);
      const act = below(30);
      future.addDoneCallback(() => {
        submitted.settled++;
        if (this.#isEnding) return;
        if (act === 0) this.#submit(1, TINY);
        if (act === 1) this.#cancel(3);
        if (act === 2) this.#abort();
      });
    }
  }

  #submitStoppable(): void {
    const controller = new AbortController();
    const timeout = 1 + this.#random.below(300);
    this.#submit(1, STOPPABLE, { controller, timeout });
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
    if (below(4) === 0) deeds[below(length)] = pick(["throw", LARGE[0]!]);
    const ordered = below(2) === 0;
    const controller = new AbortController();
    const performItem: (
      folder: string,
      place: number,
      deed: string,
    ) => unknown = perform;
    const results = this.#executor.map(
      performItem,
      places.map(() => this.#folder),
      places,
      deeds,
      {
        bufferSize: 1 + below(2 * length),
        ordered,
        signal: controller.signal,
        ...(below(2) === 0 && { chunkSize: 1 + below(20) }),
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
      const { value } = result;
      const i = value instanceof Uint8Array
        ? left.findIndex((place) => place % 256 === value[0])
        : left.indexOf(value as number);
      assert(ordered ? i === 0 : i >= 0, `${value} of ${left}`);
      left.splice(i, 1);
      this.mapped++;
    }
  }

  async #end(): Promise<void> {
    const { below } = this.#random;
    // Sometimes it has disconnected by then, as it had nothing to do.
    if (below(4) === 0) {
      while (this.#unsettled().length > 0) await wait(10);
      await wait(below(3000));
    }
    this.#isEnding = true;
    const cancelFutures = below(4) === 0;
    if (below(4) === 0) this.#ending = "terminated";
    else if (cancelFutures) this.#ending = "cancelled";
    if (below(2) === 0) this.#executor.shutdown({ wait: false });
    if (this.#ending === "terminated") await this.#executor.terminate();
    else await this.#executor.shutdown({ cancelFutures });
    const { harm } = this.#world;
    for (const submitted of this.#submitted) await this.#check(submitted, harm);
    await Promise.all(this.#maps);
  }

  /** What was cancelled was not begun later, either. */
  checkLater(): void {
    for (const { cancelled, place } of this.#submitted) {
      const begun = entriesOf(this.#folder, place) > 0;
      assert(!cancelled || !begun, `${place} was cancelled, and begun`);
    }
  }

  async #check(submitted: Submitted, harm: number): Promise<void> {
    const { place, future, settled } = submitted;
    const entries = entriesOf(this.#folder, place);
    const outcome = future.done() ? await outcomeOf(future) : "unsettled";
    const terms = {
      ending: this.#ending,
      maxDeliveries: this.#maxDeliveries,
      harm,
    };
    assert(
      settled === 1 && allows(submitted, outcome, entries, terms) &&
        mayHaveReported(submitted, outcome, harm),
      `${outcome} after ${entries} entries: ${Deno.inspect(submitted)} ${
        Deno.inspect(terms)
      }`,
    );
    const failed = typeof outcome === "string" && outcome.endsWith("Error");
    const name = failed ? outcome : "value";
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
  }

  async #describe(): Promise<string> {
    return `Hangs: ${Deno.inspect(this.#executor)} ${
      Deno.inspect(this.#unsettled())
    } ${await this.#world.describe()}`;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * One round: the life of one executor of whose workers some lie, and a check of
 * what has become of each task. It follows from the draws; when workers get to
 * it does not.
 *
 * @module
 */

import { forget, meddle } from "./middle.ts";
import { type Future, ProcessPoolExecutor } from "../../../mod.ts";
import { load, loadAll, makeCells } from "../helpers/cells.ts";
import {
  allows,
  type Ending,
  outcomeOf,
  type Submitted,
} from "../chaos/outcome.ts";
import { type Deed, DEEDS } from "../chaos/tasks.ts";
import { type Random, randomOf } from "../helpers/random.ts";
import type {
  MakeExecutor,
  WorkerExecutor,
} from "../helpers/worker_harness.ts";
import { ALL, attempt, attemptItem, lies, type Notes } from "./tasks.ts";

/** Long against anything that a round waits for. */
const HANG_MS = 40_000;

/** Nobody honest takes so long to start, or to load a module, on a busy machine either. */
const START_MS = 10_000;

/** More futures do not wait at a time, or what is cancelled and aborted would never have begun. */
const BACKLOG = 40;
/** Unless somebody is silent, which would take too much of a short test. */
const BACKLOG_MS = 200;

/** A call that dead workers give back is given up after three; and one starts for each that is closed. */
const WORKERS_PER_TASK = 4;
const MORE_WORKERS = 30;

const TINY: readonly Deed[] = ["return", "return later", "compute"];
const ODD: readonly Deed[] = [
  "ask for the current task",
  "move",
  "throw",
  "throw nothing",
  "reject",
  "return a function",
  "return what is too deep",
  "Deno.exit()",
  "an uncaught error",
];
/**
 * What is submitted with a signal and a time-out, as some of it never ends by
 * itself. A loop does: nobody stops the thread of one that a liar has not told to.
 */
const STOPPABLE: readonly Deed[] = [
  "obey",
  "ignore",
  "ignore in a loop",
  "return later",
  "return",
];

/** The life of one executor. */
export class Round {
  /** How futures ended, and how often somebody lied in which way. */
  readonly outcomes: Record<string, number> = {};
  readonly told: Record<string, number> = {};
  /** How many workers there were. */
  workers = 0;
  readonly #name: string;
  readonly #random: Random;
  readonly #executor: WorkerExecutor;
  readonly #notes: Notes;
  readonly #submitted: Submitted[] = [];
  readonly #starts: Promise<void>[] = [];
  readonly #maps: Promise<void>[] = [];
  /** The places of tasks that a liar was sent. */
  readonly #tainted = new Set<number>();
  /** Whether workers lie before they are ready, so that the executor may seem broken. */
  readonly #early: boolean;
  /** Whether no worker is real, so that all goes fast; honest ones only return places. */
  readonly #puppetsOnly: boolean;
  /** How often honest puppets have entered tasks, by place. */
  readonly #entered: number[] = [];
  #places = 0;
  /** How the executor is ended, once it is. */
  #ending: Ending | undefined;
  /** What the round waits for, in case it does so for ever. */
  #awaited = "room in its backlog";
  /** What went wrong where nobody would hear an exception. */
  #violation: string | undefined;

  constructor(seed: number, make: MakeExecutor) {
    const random = randomOf(seed);
    this.#random = random;
    this.#name = `fuzzed${seed}`;
    const { below, pick } = random;
    this.#early = below(4) === 0;
    this.#puppetsOnly = below(8) > 0;
    const liars = pick([ALL, below(ALL), below(ALL)]);
    this.#notes = { honest: makeCells(), lying: makeCells(), liars };
    meddle(this.#name, (worker) => {
      const honest = !lies(liars, worker);
      if (honest && !this.#puppetsOnly) return undefined;
      const number = Number(worker.slice(this.#name.length + 1));
      const random = randomOf(seed + 7919 * number);
      const puppet = random.below(4) > 0 || this.#puppetsOnly;
      return {
        random,
        puppet: puppet
          ? honest ? (place) => this.#enter(place) : () => "made up"
          : undefined,
        honest,
        early: this.#early,
        sent: (place) => void (honest || this.#tainted.add(place)),
        lied: (kind) => this.told[kind] = (this.told[kind] ?? 0) + 1,
      };
    });
    this.#executor = make({
      name: this.#name,
      maxWorkers: 1 + below(3),
      maxTasksPerWorker: pick([20, 200, Infinity]),
      idleTimeout: pick([0, 5, 1000]),
      startTimeout: START_MS,
      gracePeriod: pick([0, 50]),
      ...(below(3) === 0 && { initializer: () => {} }),
    });
    if (below(2) === 0) this.#listen();
  }

  /** Lives it; throws what is wrong. */
  async run(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(this.#describe())), HANG_MS);
    });
    try {
      await Promise.race([this.#live(), hang]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #live(): Promise<void> {
    for (let steps = 5 + this.#random.below(15); steps > 0; steps--) {
      await this.#step();
      for (let ms = 0; ms < BACKLOG_MS; ms++) {
        if (this.#unsettled().length > BACKLOG) await wait(1);
      }
    }
    await this.#end();
    for (const submitted of this.#submitted) await this.#check(submitted);
    this.#awaited = "its maps";
    await Promise.all(this.#maps);
    this.#awaited = "those who have started it";
    await Promise.all(this.#starts);
    this.workers = forget(this.#name);
    this.#expect(
      this.workers <= WORKERS_PER_TASK * this.#places + MORE_WORKERS,
      () => `${this.workers} workers for ${this.#places} tasks`,
    );
    const entries = this.#puppetsOnly
      ? this.#entered
      : loadAll(this.#notes.honest, this.#places);
    this.#expect(
      entries.every((count) => count <= 1),
      () => "a task was entered twice by honest workers",
    );
    if (this.#violation !== undefined) throw new Error(this.#violation);
  }

  async #step(): Promise<void> {
    const { below } = this.#random;
    if (this.#isBroken()) return;
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#submit(1 + below(40), TINY);
      case 3:
        return this.#submit(1 + below(3), this.#puppetsOnly ? TINY : ODD);
      case 4:
      case 5:
        return this.#submitStoppable();
      case 6:
        return this.#cancel(below(4));
      case 7:
        return this.#abort();
      case 8:
        return this.#map(1 + below(80));
      case 9:
        return this.#look();
      default:
        await wait(below(15));
    }
  }

  /** Liars that lie early can do that; then nothing more can be submitted. */
  #isBroken(): boolean {
    try {
      this.#starts.push(this.#executor.start().catch(() => {}));
      return false;
    } catch {
      return true;
    }
  }

  #unsettled(): Submitted[] {
    return this.#submitted.filter(({ future }) => !future.done());
  }

  #submit(count: number, deeds: readonly Deed[]): void {
    for (; count > 0; count--) {
      const deed = this.#random.pick(deeds);
      const place = this.#places++;
      this.#note(place, deed, () =>
        this.#executor.submit(
          attempt,
          place,
          this.#notes,
          deed,
          // Nothing is moved: a copy tells its place as well.
          deed === "move" ? new Uint8Array(place) : undefined,
        ));
    }
  }

  #submitStoppable(): void {
    const { below, pick } = this.#random;
    const controller = new AbortController();
    const deed = pick(this.#puppetsOnly ? TINY : STOPPABLE);
    const place = this.#places++;
    const options = {
      signal: controller.signal,
      timeout: 1 + below(50),
      ...below(2) === 0 && this.#listenTo(() => place),
    };
    this.#note(
      place,
      deed,
      () =>
        this.#executor.submitWith(options, attempt, place, this.#notes, deed),
      controller,
    );
  }

  #note(
    place: number,
    deed: Deed,
    submit: () => Future<unknown>,
    controller?: AbortController,
  ): void {
    let future: Future<unknown>;
    try {
      future = submit();
    } catch {
      this.#expect(
        this.#early,
        () => "Broken, though nobody lied as it started",
      );
      return;
    }
    const submitted: Submitted = {
      place,
      deed,
      future,
      settled: 0,
      cancelled: false,
      ...(controller && { controller }),
    };
    this.#submitted.push(submitted);
    const act = this.#random.below(30);
    future.addDoneCallback(() => {
      submitted.settled++;
      if (act === 0) this.#cancel(2);
      if (act === 1) this.#abort();
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
    if (below(4) === 0 && !this.#puppetsOnly) deeds[below(length)] = "throw";
    const controller = new AbortController();
    let results: AsyncIterableIterator<unknown>;
    try {
      results = this.#executor.map(
        attemptItem,
        places,
        places.map(() => this.#notes),
        deeds,
        {
          bufferSize: 1 + below(2 * length),
          signal: controller.signal,
          ...(below(2) === 0 && { chunkSize: 1 + below(20) }),
          ...below(2) === 0 && this.#listenTo((index) => places[index]),
        },
      );
    } catch {
      this.#expect(
        this.#early,
        () => "Broken, though nobody lied as it started",
      );
      return;
    }
    const count = pick([length, below(length)]);
    const leave = pick([() => results.return!(), () => controller.abort()]);
    this.#maps.push(
      this.#read(results, places.slice(0, count), deeds)
        .finally(leave).catch(() => {}),
    );
  }

  /** What honest workers report is what they return, of the call that does. */
  #listenTo(
    placeOf: (index: number) => number | undefined,
  ): { onReport(value: unknown, index?: number): void } {
    return {
      onReport: (value, index = 0) => {
        this.outcomes.report = (this.outcomes.report ?? 0) + 1;
        const place = placeOf(index);
        this.#expect(
          place !== undefined && (value === place || this.#isTainted(place)),
          () => `task ${place} reported ${Deno.inspect(value)}`,
        );
      },
    };
  }

  /** Values come in order, and what no liar had is what it has to be. */
  async #read(
    results: AsyncIterableIterator<unknown>,
    places: readonly number[],
    deeds: readonly Deed[],
  ): Promise<void> {
    for (const [i, place] of places.entries()) {
      const result = await results.next().catch((error) => ({ error }));
      const tainted = this.#isTainted(place);
      if ("error" in result) {
        this.#expect(
          tainted || deeds[i] === "throw" || this.#ending !== undefined ||
            this.#early,
          () => `item ${place} of a map ended with ${result.error}`,
        );
        return;
      }
      this.#expect(
        tainted || result.value === DEEDS[deeds[i]!](place),
        () => `item ${place} of a map gave ${Deno.inspect(result)}`,
      );
    }
  }

  /** What executors tell about themselves has to make sense, whatever workers say. */
  #look(): void {
    const { utilisation, workers, ...counts } = this.#executor.stats();
    const numbers = [
      utilisation,
      ...Object.values(counts),
      ...workers.flatMap(({ tasks, busyMs }) => [tasks, busyMs]),
    ];
    this.#expect(
      utilisation <= 1 &&
        numbers.every((n) => Number.isFinite(n) && Number(n) >= 0),
      () => `stats() gave ${Deno.inspect({ utilisation, workers, counts })}`,
    );
  }

  #listen(): void {
    const ended = new Set<number>();
    this.#executor.addEventListener("task", ({ index }) => {
      this.#expect(!ended.has(index), () => `two events for call ${index}`);
      ended.add(index);
    });
  }

  async #end(): Promise<void> {
    const { below } = this.#random;
    const cancelled = below(4) === 0;
    this.#ending = below(3) === 0
      ? "terminated"
      : cancelled
      ? "cancelled"
      : "shut down";
    this.#awaited = `it to be ${this.#ending}`;
    if (below(2) === 0) this.#executor.shutdown({ wait: false });
    if (this.#ending === "terminated") await this.#executor.terminate();
    else await this.#executor.shutdown({ cancelFutures: cancelled });
  }

  async #check(submitted: Submitted): Promise<void> {
    const { place, future, settled } = submitted;
    const outcome = future.done() ? await outcomeOf(future) : "unsettled";
    const said = () =>
      `${Deno.inspect(outcome)} after ${
        this.#honestEntries(place)
      } honest entries and ${load(this.#notes.lying, place)} others${
        this.#tainted.has(place) ? ", with a liar" : ""
      }: ${Deno.inspect(submitted)}`;
    this.#expect(outcome !== "unsettled" && settled === 1, said);
    this.#expect(
      this.#isTainted(place) || this.#isRight(submitted, outcome),
      said,
    );
    const name = typeof outcome === "string" && place !== outcome as unknown
      ? outcome
      : "value";
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
  }

  /** An honest puppet enters a task. */
  #enter(place: number): number {
    this.#entered[place] = 1 + (this.#entered[place] ?? 0);
    return place;
  }

  /** How many honest workers have entered a task. */
  #honestEntries(place: number): number {
    return this.#puppetsOnly
      ? this.#entered[place] ?? 0
      : load(this.#notes.honest, place);
  }

  /** Whether an honest worker has entered a task, and no liar: then that one's word counts. */
  #wasHonest(place: number): boolean {
    return this.#honestEntries(place) > 0 &&
      load(this.#notes.lying, place) === 0;
  }

  /**
   * Whether a liar had its say about a task. It may have had so before it has
   * heard of it: what it is sent is on its way for a while.
   */
  #isTainted(place: number): boolean {
    if (this.#wasHonest(place)) return false;
    return this.#tainted.has(place) || Object.keys(this.told).length > 0;
  }

  #isRight(submitted: Submitted, outcome: unknown): boolean {
    if (this.#early && outcome === "BrokenExecutorError") return true;
    // Its loop ends before its time-out is noticed, if the machine is busy.
    if (submitted.deed === "ignore in a loop" && outcome === undefined) {
      return true;
    }
    const entries = this.#honestEntries(submitted.place);
    const exact = !(this.#executor instanceof ProcessPoolExecutor);
    const terms = { ending: this.#ending, exact };
    return allows(submitted, outcome, entries, terms);
  }

  #describe(): string {
    const left = this.#unsettled();
    const tainted = left.filter(({ place }) => this.#tainted.has(place));
    return `Waits in vain for ${this.#awaited}: ${
      Deno.inspect(this.#executor)
    }, ${left.length} futures are left, of which liars had ${tainted.length}: ${
      Deno.inspect(left)
    }`;
  }

  #expect(condition: boolean, violation: () => string): void {
    if (!condition) this.#violation ??= violation();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * One run of a scheduler with fake workers, in which everything that may
 * happen at any time does so whenever the random says: workers take steps and
 * die, messages arrive late, time passes, the user submits, cancels, aborts
 * and shuts down, from outside, from done callbacks, and from getters of
 * arguments.
 *
 * @module
 */

// First: what is imported after them takes the time, and processes, from there.
import { FakeClock } from "./clock.ts";
import { Crew, type WorkerKind } from "./crew.ts";
import { assert, assertEquals } from "@std/assert";
import type { Random } from "../helpers/random.ts";
import { plain, Plan } from "./plan.ts";
import { FakePool } from "./pool.ts";
import type { Accident, ProcessWorld } from "./process.ts";
import type { Deed } from "./thread.ts";

/** More than any run takes that does not hang. */
const MAX_STEPS = 20_000;

/** One step of so many that processes take is an accident, where there are any. */
const HIT_EVERY = 300;

/** What may have died before they were ready, for all their host has heard, before a pool is broken. */
const MAX_FAILED_STARTS = 3;

/** More microtasks than follow from one another here; a turn of the event loop takes longer. */
const TICKS = 32;

/** Makes one run with threads, which share memory with their host; throws what is wrong. */
export function interleaveThreads(random: Random): Promise<void> {
  return interleave(random, "threads");
}

/** Makes one run with processes, which share none; throws what is wrong. */
export function interleaveProcesses(random: Random): Promise<void> {
  return interleave(random, "processes");
}

async function interleave(random: Random, kind: WorkerKind): Promise<void> {
  using clock = new FakeClock();
  using run = new Interleaving(random, clock, kind);
  await run.run(100 + random.below(200));
}

/** One run, from the first task to the last. */
class Interleaving implements ProcessWorld, Disposable {
  readonly random: Random;
  readonly #clock: FakeClock;
  readonly #pool: FakePool;
  readonly #shared: boolean;
  readonly #crew: Crew;
  readonly #plans: Plan[] = [];
  /** How many maps are being read. */
  #reading = 0;
  readonly #mayStartBadly: boolean;
  readonly #mayBeHit: boolean;
  /** How many processes something has hit from outside. */
  #hits = 0;
  #closed = false;
  #terminated = false;
  /** What went wrong where nobody would hear an exception. */
  #violation: string | undefined;

  constructor(random: Random, clock: FakeClock, kind: WorkerKind) {
    this.random = random;
    this.#clock = clock;
    this.#shared = kind === "threads";
    this.#crew = new Crew(this, kind);
    const { below, pick } = random;
    this.#mayStartBadly = below(3) === 0;
    this.#mayBeHit = below(2) === 0;
    this.#pool = new FakePool({
      open: (name, listener) => {
        this.#expect(!this.#terminated, "a worker starts after terminate()");
        return this.#crew.open(name, listener);
      },
      maxWorkers: 1 + below(3),
      maxTasksPerWorker: pick([Infinity, Infinity, 1, 2, 7]),
      idleTimeout: pick([Infinity, 0, 20]),
      startTimeout: 300,
      gracePeriod: pick([0, 10]),
    });
  }

  get startsBadly(): boolean {
    return this.#mayStartBadly && this.random.below(3) === 0;
  }

  race(): void {
    this.#crew.race();
  }

  accident(): Accident | undefined {
    const { below, pick } = this.random;
    if (!this.#mayBeHit || below(HIT_EVERY) > 0) return undefined;
    this.#hits++;
    return pick(["killed", "failed", "failed", "halted"]);
  }

  entered(place: number): Deed {
    const plan = this.#plans[place]!;
    this.#expect(!plan.barred, `${place} is entered after it was cancelled`);
    this.#expect(++plan.entries === 1, `${place} is entered twice`);
    return plan.deed;
  }

  reports(place: number): void {
    this.#plans[place]!.reports++;
  }

  lost(place: number): void {
    this.#plans[place]!.lost = true;
  }

  doubted(place: number): void {
    this.#plans[place]!.doubted = true;
  }

  outlived(place: number): void {
    this.#plans[place]!.deaths++;
  }

  violated(what: string): void {
    this.#expect(false, what);
  }

  [Symbol.dispose](): void {
    this.#crew[Symbol.dispose]();
  }

  /** Does so many things, then shuts down and waits until all is over. */
  async run(steps: number): Promise<void> {
    for (; steps > 0; steps--) {
      if (this.random.below(5) === 0) this.#act();
      else this.#happen();
      await this.#turn();
    }
    let closed = false;
    this.#pool.shutdown().then(() => closed = true);
    for (let step = 0; !closed || this.#reading > 0; step++) {
      if (step === MAX_STEPS) throw new Error(this.#describe());
      if (this.random.below(10) === 0) this.#abort();
      this.#happen();
      await this.#turn();
    }
    await this.#check();
  }

  /** Something that the user does not do, and workers before it. */
  #happen(): void {
    const { below, pick } = this.random;
    this.#crew.work();
    if (below(2) === 0) this.#clock.pass(pick([0, 1, 3, 20]));
    else this.#crew.deliver();
  }

  /** Until all microtasks have run; workers do not wait for that. */
  async #turn(): Promise<void> {
    const racing = this.random.below(4);
    for (let tick = 0; tick < TICKS; tick++) {
      await null;
      if (tick < racing) this.race();
    }
    assertEquals(this.#violation, undefined);
  }

  /** Something that a user does. */
  #act(): void {
    const { below } = this.random;
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#cancel(below(4));
      case 3:
      case 4:
        return this.#abort();
      case 5:
        return this.#map(1 + below(30));
      case 6:
        if (below(8) === 0) this.#close();
        return;
      default:
        return this.#submit(1 + below(8));
    }
  }

  /** Something that a getter does. */
  #meddle(): void {
    for (let acts = this.random.below(3); acts > 0; acts--) this.#act();
  }

  #submit(count: number): void {
    for (; count > 0 && !this.#closed; count--) {
      const plan = Plan.submitted(this.#plans.length, this.random);
      this.#plans.push(plan);
      const { controller, timeout } = plan;
      const call = plan.call(() => this.#meddle());
      try {
        plan.future = controller === undefined
          ? this.#pool.submit(...call)
          : this.#pool.submitWith(
            {
              signal: controller.signal,
              timeout: timeout!,
              onReport: (value) => this.#hear(plan, value),
            },
            ...call,
          );
      } catch {
        // Broken.
        return;
      }
      plan.future.addDoneCallback(() => {
        plan.told++;
        if (this.random.below(3) === 0) this.#act();
      });
    }
  }

  /** A task has reported something: before it has ended, and once for each time. */
  #hear(plan: Plan, value: unknown): void {
    const { place, told, reports } = plan;
    this.#expect(value === place, `${place} reported ${value}`);
    this.#expect(told === 0, `${place} reported after its end`);
    this.#expect(++plan.heard <= reports, `${place} reported once more`);
    if (this.random.below(3) === 0) this.#act();
  }

  #cancel(count: number): void {
    const pending = this.#plans.filter(({ future }) =>
      future?.done() === false
    );
    for (; count > 0 && pending.length > 0; count--) {
      const plan = this.random.pick(pending);
      if (plan.future!.done() || !plan.future!.cancel()) continue;
      plan.barred = true;
      this.#expect(plan.entries === 0, `${plan.place} is cancelled too late`);
    }
  }

  #abort(): void {
    const abortable = this.#plans.filter(({ controller }) => controller);
    if (abortable.length > 0) this.random.pick(abortable).controller!.abort();
  }

  #map(length: number): void {
    if (this.#closed) return;
    const { below, pick } = this.random;
    const plans = Array.from(
      { length },
      (_, i) => Plan.mapped(this.#plans.length + i, this.random),
    );
    this.#plans.push(...plans);
    const ordered = below(2) === 0;
    const controller = new AbortController();
    try {
      const results = this.#pool.map(plain, plans.map(({ place }) => place), {
        bufferSize: 1 + below(length),
        ordered,
        signal: controller.signal,
        ...(below(2) === 0 && { chunkSize: 1 + below(10) }),
        ...(below(2) === 0 && {
          onReport: (value: unknown, index: number) =>
            this.#hear(plans[index]!, value),
        }),
      });
      const leave = pick([() => results.return(), () => controller.abort()]);
      this.#reading++;
      this.#read(results, below(length + 1), ordered ? plans : [])
        .then(leave).then(() => this.#reading--);
    } catch {
      // Broken.
    }
  }

  async #read(
    results: AsyncIterableIterator<number>,
    count: number,
    order: readonly Plan[],
  ): Promise<void> {
    for (let i = 0; i < count; i++) {
      // An error is what a task, or a shutdown, has ended it with.
      const result = await results.next().catch(() => undefined);
      if (result?.done !== false) return;
      const plan = this.#plans[result.value]!;
      const { place, deed, entries } = plan;
      this.#expect(deed === "return" && entries === 1, `${place} has a result`);
      this.#expect(++plan.told === 1, `the result of ${place} comes twice`);
      this.#expect(
        plan.heard === 0 || plan.wasHeard,
        `a report of ${place} is lost`,
      );
      this.#expect(plan === (order[i] ?? plan), `${place} is out of order`);
    }
  }

  #close(): void {
    this.#closed = true;
    this.#terminated ||= this.random.below(2) === 0;
    if (this.#terminated) this.#pool.terminate();
    else this.#pool.shutdown({ cancelFutures: true });
    for (const plan of this.#plans) {
      // A process may have entered it a moment ago.
      plan.barred ||= plan.entries === 0 &&
        (this.#shared || plan.cancelled);
    }
  }

  async #check(): Promise<void> {
    const ending = {
      terminated: this.#terminated,
      broken: this.#mayStartBadly || this.#hits >= MAX_FAILED_STARTS,
      cancelled: this.#closed && !this.#shared,
    };
    for (const plan of this.#plans) {
      if (plan.future === undefined) continue;
      const said = Deno.inspect(plan);
      assert(plan.future.done() && plan.told === 1, said);
      const outcome = await plan.future.then(
        (value) => value,
        (error) => error.name,
      );
      assert(plan.allows(outcome, ending), `${outcome} for ${said}`);
    }
    if (!this.#shared) this.#outlive();
    assertEquals(this.#clock.pending, 0, "timers are left");
    assertEquals(this.#crew.left, 0, "workers are left");
  }

  /** Lets the timers fire that processes have left behind, which are not their host's. */
  #outlive(): void {
    const end = this.#clock.now + 6;
    while (this.#clock.now < end) this.#clock.pass(end - this.#clock.now);
  }

  #describe(): string {
    return `Hangs: ${this.#reading} maps, ${Deno.inspect(this.#pool)}`;
  }

  #expect(condition: boolean, violation: string): void {
    if (!condition) this.#violation ??= violation;
  }
}

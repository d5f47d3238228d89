/**
 * One run of a scheduler with fake workers, in which everything that may
 * happen at any time does so whenever the random says: workers take steps and
 * die, messages arrive late, time passes, the user submits, cancels, aborts
 * and shuts down, from outside, from done callbacks, and from getters of
 * arguments.
 *
 * @module
 */

// First: what is imported after it takes the time from there.
import { FakeClock } from "./clock.ts";
import { assert, assertEquals } from "@std/assert";
import type { Random } from "../random.ts";
import { plain, Plan } from "./plan.ts";
import { FakePool } from "./pool.ts";
import { type Deed, FakeWorker, type World } from "./worker.ts";

/** More than any run takes that does not hang. */
const MAX_STEPS = 20_000;

/** More microtasks than follow from one another here; a turn of the event loop takes longer. */
const TICKS = 32;

/** Makes one run; throws what is wrong. */
export async function interleave(random: Random): Promise<void> {
  using clock = new FakeClock();
  await new Interleaving(random, clock).run(100 + random.below(200));
}

/** One run, from the first task to the last. */
class Interleaving implements World {
  readonly random: Random;
  readonly #clock: FakeClock;
  readonly #pool: FakePool;
  readonly #workers: FakeWorker[] = [];
  readonly #plans: Plan[] = [];
  /** How many maps are being read. */
  #reading = 0;
  readonly #mayStartBadly: boolean;
  #closed = false;
  #terminated = false;
  #racing = false;
  /** What went wrong where nobody would hear an exception. */
  #violation: string | undefined;

  constructor(random: Random, clock: FakeClock) {
    this.random = random;
    this.#clock = clock;
    const { below, pick } = random;
    this.#mayStartBadly = below(3) === 0;
    this.#pool = new FakePool({
      open: (_name, listener) => {
        this.#expect(!this.#terminated, "a worker starts after terminate()");
        const worker = new FakeWorker(this, listener);
        this.#workers.push(worker);
        return worker;
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
    // What races does not race with itself.
    if (this.#racing) return;
    this.#racing = true;
    for (let steps = this.random.below(3); steps > 0; steps--) this.#work();
    this.#racing = false;
  }

  entered(place: number): Deed {
    const plan = this.#plans[place]!;
    this.#expect(!plan.barred, `${place} is entered after it was cancelled`);
    this.#expect(++plan.entries === 1, `${place} is entered twice`);
    return plan.deed;
  }

  lost(place: number): void {
    this.#plans[place]!.lost = true;
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
      this.#happen();
      await this.#turn();
    }
    await this.#check();
  }

  /** Something that the user does not do, and workers before it. */
  #happen(): void {
    const { below, pick } = this.random;
    for (let steps = below(4); steps > 0; steps--) this.#work();
    if (below(2) === 0) this.#clock.pass(pick([0, 1, 3, 20]));
    else if (this.#workers.length > 0) pick(this.#workers).deliver();
  }

  #work(): void {
    if (this.#workers.length === 0) return;
    const worker = this.random.pick(this.#workers);
    worker.step();
    if (worker.ended) this.#workers.splice(this.#workers.indexOf(worker), 1);
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
            { signal: controller.signal, timeout: timeout! },
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
      this.#expect(plan === (order[i] ?? plan), `${place} is out of order`);
    }
  }

  #close(): void {
    this.#closed = true;
    this.#terminated ||= this.random.below(2) === 0;
    if (this.#terminated) this.#pool.terminate();
    else this.#pool.shutdown({ cancelFutures: true });
    for (const plan of this.#plans) plan.barred ||= plan.entries === 0;
  }

  async #check(): Promise<void> {
    const ending = {
      terminated: this.#terminated,
      broken: this.#mayStartBadly,
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
    assertEquals(this.#clock.pending, 0, "timers are left");
    assertEquals(this.#workers.length, 0, "workers are left");
  }

  #describe(): string {
    return `Hangs: ${this.#reading} maps, ${Deno.inspect(this.#pool)}`;
  }

  #expect(condition: boolean, violation: string): void {
    if (!condition) this.#violation ??= violation;
  }
}

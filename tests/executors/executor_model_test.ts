// No future is left unsettled and no function is entered twice, whatever is
// submitted, cancelled, stopped and shut down in whatever order.

import { assert, assertEquals } from "@std/assert";
import type { Executor, Future } from "../../mod.ts";
import { loadAll, makeCells } from "./helpers/cells.ts";
import { behaviour } from "./helpers/harness.ts";
import { forSeeds, type Random } from "./helpers/random.ts";
import { perform, PERFORMANCES } from "./helpers/tasks.ts";

/** A submitted task, and what was done to it. */
interface Submitted {
  readonly future: Future<unknown>;
  readonly place: number;
  readonly kind: typeof PERFORMANCES[number];
  readonly stoppable: boolean;
  cancelled: boolean;
}

/** One run of random calls on one executor. */
class Run {
  readonly entered = makeCells();
  readonly submitted: Submitted[] = [];
  readonly #random: Random;
  readonly #executor: Executor;
  #closed = false;
  /** Places of map() items come after those of futures. */
  #mapped = 500;

  constructor(random: Random, executor: Executor) {
    this.#random = random;
    this.#executor = executor;
  }

  async step(): Promise<void> {
    const { below } = this.#random;
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return this.#submit(1 + below(10));
      case 3:
        return this.#cancel();
      case 4:
        return this.#leaveMap(1 + below(20));
      case 5:
        return await new Promise((resolve) => setTimeout(resolve, below(3)));
      case 6:
        if (below(8) === 0) this.shutdown();
        return;
      default:
        return this.#chain();
    }
  }

  shutdown(): Promise<void> {
    this.#closed = true;
    const cancelFutures = this.#random.below(2) === 0;
    return this.#executor.shutdown({ cancelFutures });
  }

  #submit(count: number): void {
    if (this.#closed) return;
    const { below, pick } = this.#random;
    for (; count > 0; count--) {
      const place = this.submitted.length;
      const kind = pick(PERFORMANCES);
      const stoppable = below(4) === 0;
      const options = pick([
        { timeout: 1 + below(5) },
        { signal: AbortSignal.timeout(below(5)) },
      ]);
      const args = [this.entered, place, kind] as const;
      const future = stoppable
        ? this.#executor.submitWith(options, perform, ...args)
        : this.#executor.submit(perform, ...args);
      this.submitted.push({ future, place, kind, stoppable, cancelled: false });
    }
  }

  #cancel(): void {
    if (this.submitted.length === 0) return;
    const target = this.#random.pick(this.submitted);
    const pending = target.future.state === "pending";
    const cancelled = target.future.cancel();
    if (pending && cancelled) target.cancelled = true;
  }

  /** A map() that is read a little, then left. */
  #leaveMap(length: number): void {
    if (this.#closed) return;
    const places = Array.from({ length }, () => this.#mapped++);
    const results = this.#executor.map(
      perform,
      places.map(() => this.entered),
      places,
      places.map(() => "later" as const),
      { bufferSize: 1 + this.#random.below(length) },
    );
    results.next().then(() => results.return(), () => {});
  }

  /** A callback that does something of its own. */
  #chain(): void {
    if (this.submitted.length === 0) return;
    const { future } = this.#random.pick(this.submitted);
    const cancels = this.#random.below(2) === 0;
    future.addDoneCallback(() => {
      if (cancels) this.#cancel();
      else this.#submit(1);
    });
  }
}

behaviour(
  "executor settles every future, and enters no function twice",
  async ({ kind }) => {
    await forSeeds(6, async (random) => {
      const executor = kind.make({ maxWorkers: 1 + random.below(3) });
      const run = new Run(random, executor);
      for (let steps = 40; steps > 0; steps--) await run.step();
      await run.shutdown();

      const entered = loadAll(run.entered, 1000);
      for (
        const { future, place, kind, stoppable, cancelled } of run.submitted
      ) {
        const said = `${place}: ${kind}, ${future.state}`;
        const entries = entered[place]!;
        assert(future.done(), said);
        if (cancelled) assertEquals([future.state, entries], ["cancelled", 0]);
        if (future.cancelled()) {
          assert(stoppable || entries === 0, said);
          continue;
        }
        const outcome = await future.then(
          (value) => value,
          (error: Error) => error.name,
        );
        assertEquals(entries, 1, said);
        const own = kind === "throw" ? "RangeError" : place;
        assert(
          outcome === own || stoppable && outcome === "TimeoutError",
          said,
        );
      }
      assert(entered.every((entries) => entries <= 1));
    });
  },
);

// Workers that lie about what they have entered as they die: a call is not sent
// for ever, and calls that were with it are not lost for it.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { WorkerCrashedError } from "../../mod.ts";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import type { Channel, ChannelListener } from "../../executors/pool/channel.ts";
import type { ToWorker } from "../../executors/pool/wire/protocol.ts";
import { Slots } from "../../executors/pool/wire/slots.ts";
import { WorkerExecutor } from "../../executors/worker_executor.ts";
import { loadAll, makeCells } from "./helpers/cells.ts";
import { forgeUnentered, TRICKS } from "./fixtures/forging.ts";
import { watched } from "./helpers/harness.ts";
import { failures, workerBehaviour } from "./helpers/worker_harness.ts";

/** How a culprit lies as it ends its worker. */
type Lie = "alone" | "blames the next" | "loading";

/** The argument of the call that ends its workers. */
const CULPRIT = 13;

/** A worker of which one call makes everybody believe that it was not entered, and then ends it. */
class LyingWorker implements Channel {
  readonly slots = new Slots(Slots.allocate());
  readonly #listener: ChannelListener;
  readonly #lie: Lie;
  readonly #entries: number[];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #position = 0;
  /** How many calls it has reported. */
  #ended = 0;
  #dead = false;

  constructor(listener: ChannelListener, lie: Lie, entries: number[]) {
    this.#listener = listener;
    this.#lie = lie;
    this.#entries = entries;
  }

  send(message: ToWorker): void {
    const kept = structuredClone(message);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#received(kept);
    });
    this.#timers.add(timer);
  }

  #received(message: ToWorker): void {
    if (message[0] === "initialize") this.#listener.received(["ready"]);
    if (message[0] !== "run") return;
    for (const [, count, args, oneItem] of message[1]) {
      for (let n = 0; n < count; n++) {
        if (this.#dead) return;
        const entered = this.slots.enter(this.#position, oneItem ? n : 0);
        if (!entered && oneItem) n = count - 1;
        if (entered) this.#call(args[n] as number);
        const ended = !oneItem || n === count - 1;
        if (ended && !this.#dead) this.#position++;
        if (this.#dead || !entered) continue;
        this.#listener.received([
          ...["done", this.#position, 0, [args[n]], undefined, undefined],
          this.#ended++,
        ]);
      }
    }
  }

  #call(n: number): void {
    this.#entries[n] = (this.#entries[n] ?? 0) + 1;
    if (n !== CULPRIT) return;
    this.slots.send(this.#position, false);
    if (this.#lie === "blames the next") {
      this.slots.enter(this.#position + 1, 0);
    }
    if (this.#lie === "loading") this.#listener.received(["loading"]);
    this.kill(undefined);
  }

  carries(): boolean {
    return true;
  }

  kill(cause: unknown): void {
    this.#dead = true;
    this.#listener.died(cause);
  }

  close(): Promise<void> {
    this.#dead = true;
    for (const timer of this.#timers) clearTimeout(timer);
    return Promise.resolve();
  }
}

/** An executor of such workers. */
class LyingPool extends WorkerExecutor {
  readonly entries: number[] = [];

  constructor(lie: Lie, maxWorkers: number) {
    const { entries } = { entries: [] as number[] };
    super(
      { maxWorkers },
      (_name, listener) => new LyingWorker(listener, lie, entries),
    );
    this.entries = entries;
  }
}

const identity = (n: number) => n;
const same = (n: number) => n;

for (const maxWorkers of [1, 3]) {
  watched(
    `a call of 1,000 that is said not to have been entered as its worker dies fails alone, with ${maxWorkers} workers`,
    async (executors) => {
      const pool = new LyingPool("alone", maxWorkers);
      executors.push(pool);
      const futures = Array.from(
        { length: 1000 },
        (_, n) => pool.submit(identity, n),
      );
      assertEquals(await failures(futures), [CULPRIT]);
      assertEquals(pool.entries[CULPRIT], 3);
    },
  );

  watched(
    `an item of a map() that is said not to have been entered fails alone, with ${maxWorkers} workers`,
    async (executors) => {
      for (const chunkSize of [1, 5, 100]) {
        const pool = new LyingPool("alone", maxWorkers);
        executors.push(pool);
        const items = Array.from({ length: 500 }, (_, n) => n);
        const results: unknown[] = [];
        const run = pool.map(identity, items, { chunkSize });
        for (const n of items.slice(0, CULPRIT)) {
          results.push((await run.next()).value);
          assertEquals(results.at(-1), n);
        }
        const error = await run.next().then(() => {}, (error) => error);
        assertInstanceOf(error, WorkerCrashedError);
        assertEquals(pool.entries[CULPRIT], 3);
      }
    },
  );

  watched(
    `a call that has others blamed as its worker dies fails, and few others, with ${maxWorkers} workers`,
    async (executors) => {
      const pool = new LyingPool("blames the next", maxWorkers);
      executors.push(pool);
      const futures = Array.from(
        { length: 1000 },
        (_, n) => pool.submit(identity, n),
      );
      const failed = await failures(futures);
      assert(failed.includes(CULPRIT));
      assert(failed.length <= 4, `${failed}`);
      assert(pool.entries[CULPRIT]! <= 6);
    },
  );
}

watched(
  "a call that comes back from dead workers fails, whatever else ends meanwhile",
  async (executors) => {
    const pool = new LyingPool("alone", 2);
    executors.push(pool);
    const culprit = pool.submit(identity, CULPRIT);
    for (let n = 100; !culprit.done(); n++) {
      assertEquals(await pool.submit(same, n), n);
    }
    assertInstanceOf(await culprit.exception(), WorkerCrashedError);
    assertEquals(pool.entries[CULPRIT], 3);
  },
);

watched(
  "a call that says it loads a module as its worker dies costs no call of another function",
  async (executors) => {
    const pool = new LyingPool("loading", 1);
    executors.push(pool);
    const culprit = pool.submit(identity, CULPRIT);
    const others = [20, 21, 22].map((n) => pool.submit(same, n));
    assertInstanceOf(await culprit.exception(), WorkerCrashedError);
    assertEquals(await Promise.all(others), [20, 21, 22]);
    assertEquals(pool.entries[CULPRIT], 1);
  },
);

for (const trick of TRICKS) {
  workerBehaviour(
    `a task cannot have its call taken for one that was not entered, by ${trick}`,
    async (make) => {
      const executor = make({ maxWorkers: 1 });
      const entries = makeCells();
      const error = await executor.submit(forgeUnentered, entries, trick)
        .exception();
      assertInstanceOf(error, WorkerCrashedError);
      assertStringIncludes(error.message, "while it ran");
      assertEquals(loadAll(entries, 1), [1]);
      assertEquals(await executor.submit(() => 1), 1);
    },
  );
}

Deno.test("AnnouncedSlots believes no last words that an announced call was not entered", () => {
  const slots = new AnnouncedSlots(() => true);
  for (let position = 0; position < 3; position++) slots.send(position, true);
  slots.hear(["entered", 1, 1]);
  slots.leaves(0);
  slots.workerGone();
  assertEquals([0, 1, 2].map((position) => slots.revoke(position)), [0, 1, 0]);
});

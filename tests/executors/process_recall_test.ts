// What a host asks of a worker that it shares no memory with.
// @group processes

// First: what is imported after it takes the time from there.
import { FakeClock } from "./interleaving/clock.ts";
import { assertEquals } from "@std/assert";
import { transfer } from "../../mod.ts";
import type { Channel, ChannelListener } from "../../executors/pool/channel.ts";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import type { ToWorker } from "../../executors/pool/wire/protocol.ts";
import { plain } from "./interleaving/plan.ts";
import { FakePool } from "./interleaving/pool.ts";

/** More microtasks than follow from one another here. */
const TICKS = 32;

/** A line to a process that says what a test says. */
class Line implements Channel {
  readonly slots = new AnnouncedSlots((from, to) => {
    this.asked.push([from, to]);
    return true;
  });
  readonly listener: ChannelListener;
  /** How many calls each message had, and what was asked for. */
  readonly runs: number[] = [];
  readonly asked: [from: number, to: number][] = [];
  /** The positions that were told to stop. */
  readonly stopped: number[] = [];

  constructor(listener: ChannelListener) {
    this.listener = listener;
  }

  send(message: ToWorker, transferables: Transferable[] = []): void {
    structuredClone(message, { transfer: transferables });
    if (message[0] === "stop") this.stopped.push(message[1]);
    if (message[0] !== "run") return;
    const calls = message[1].reduce((sum, [, count]) => sum + count, 0);
    this.slots.sent(calls);
    this.runs.push(calls);
  }

  carries(): boolean {
    return true;
  }

  kill(cause: unknown): void {
    this.listener.died(cause);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Until all microtasks have run. */
async function turn(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await null;
}

/** A pool of processes that say what a test says, and the lines to them. */
function openPool(maxWorkers: number): { pool: FakePool; lines: Line[] } {
  const lines: Line[] = [];
  const pool = new FakePool({
    open: (_name, listener) => {
      const line = new Line(listener);
      lines.push(line);
      return line;
    },
    maxWorkers,
    maxTasksPerWorker: Infinity,
    idleTimeout: Infinity,
    startTimeout: Infinity,
    gracePeriod: 0,
  });
  return { pool, lines };
}

Deno.test("Scheduler does not ask a process for what was moved behind what was taken back", async () => {
  using clock = new FakeClock();
  const { pool, lines } = openPool(2);
  let ended = 0;
  const hear = async (...message: readonly unknown[]) => {
    lines[0]!.listener.received(message);
    await turn();
  };
  const report = async (position: number) => {
    const before = ended++;
    await hear("done", position, 0, [0], undefined, undefined, before);
  };
  // Two looks, every 2 ms: the first is told of what was reported before it.
  const stall = async () => {
    for (const end = clock.now + 5; clock.now < end;) {
      clock.pass(end - clock.now);
      await turn();
    }
  };

  pool.submit(plain, 0);
  await turn();
  await hear("ready");
  await report(1);
  // Calls that are quick are sent ahead.
  const first = pool.submit(plain, 1);
  const second = pool.submit(plain, 2);
  await turn();
  const [line] = lines;
  assertEquals(line!.runs, [1, 2]);
  await stall();
  assertEquals(line!.asked, [[1, 3]]);
  await hear("revoked", 1, [1, 0]);
  await report(2);
  assertEquals(await first, 0);
  assertEquals(second.done(), false);

  // The worker has nothing to do now, but has not said that it is past the second.
  const buffer = new ArrayBuffer(1);
  const moved = pool.submit(plain, 3, transfer(buffer, [buffer]));
  pool.submit(plain, 4);
  await turn();
  assertEquals(line!.runs, [1, 2, 1, 1]);
  await stall();
  assertEquals(line!.asked, [[1, 3], [4, 5]]);
  await hear("revoked", 4, [0]);
  await report(4);
  assertEquals(await moved, 0);
  await pool.terminate();
});

Deno.test("Scheduler stops a call that was alone in a process once that has said that it runs", async () => {
  using _clock = new FakeClock();
  const { pool, lines } = openPool(1);
  const hear = async (...message: readonly unknown[]) => {
    lines[0]!.listener.received(message);
    await turn();
  };
  const submit = async (place: number) => {
    const controller = new AbortController();
    const { signal } = controller;
    const future = pool.submitWith({ signal }, plain, place);
    await turn();
    return { controller, future };
  };
  await submit(0);
  await hear("ready");
  await hear("done", 1, 0, [0], undefined, undefined, 0);
  const [line] = lines;

  // It is entered as soon as it arrives, and nothing says so.
  const entered = await submit(1);
  entered.controller.abort();
  await turn();
  assertEquals([line!.asked, line!.stopped], [[[1, 2]], []]);
  await hear("revoked", 1, [1]);
  assertEquals([line!.asked, line!.stopped], [[[1, 2]], [1]]);
  assertEquals(entered.future.cancelled(), true);
  await hear("done", 2, 0, [1], undefined, undefined, 1);

  // It had not arrived, so there is nothing to stop.
  const returned = await submit(2);
  returned.controller.abort();
  await turn();
  await hear("revoked", 2, [0]);
  assertEquals([line!.asked, line!.stopped], [[[1, 2], [2, 3]], [1]]);
  assertEquals(returned.future.cancelled(), true);
  await pool.terminate();
});

// What a host makes of the answers of a process that it has asked more than once.
// @group processes

// First: what is imported after it takes the time from there.
import { FakeClock } from "./interleaving/clock.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { transfer, WorkerCrashedError } from "../../mod.ts";
import type { Channel, ChannelListener } from "../../executors/pool/channel.ts";
import { LOOK_MS } from "../../executors/pool/host/silence.ts";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import type { ToWorker } from "../../executors/pool/wire/protocol.ts";
import { plain } from "./interleaving/plan.ts";
import { FakePool } from "./interleaving/pool.ts";

/** More microtasks than follow from one another here. */
const TICKS = 32;

/** A process that says what a test says. */
class Line implements Channel {
  readonly slots = new AnnouncedSlots((from, to) => {
    this.asked.push([from, to]);
    return true;
  });
  readonly asked: [from: number, to: number][] = [];
  readonly #listener: ChannelListener;
  closed = false;

  constructor(listener: ChannelListener) {
    this.#listener = listener;
  }

  get unanswered(): boolean {
    return this.slots.question !== undefined;
  }

  /** The process says something. */
  async says(...message: readonly unknown[]): Promise<void> {
    this.#listener.received(message);
    await turn();
  }

  send(message: ToWorker): void {
    if (message[0] !== "run") return;
    this.slots.sent(message[1].reduce((sum, [, count]) => sum + count, 0));
  }

  carries(): boolean {
    return true;
  }

  kill(): void {}

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** Until all microtasks have run. */
async function turn(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await null;
}

/** A pool of one process, which has made a call of the only function. */
async function begin(): Promise<{ pool: FakePool; lines: Line[] }> {
  const lines: Line[] = [];
  const pool = new FakePool({
    open: (_name, listener) => {
      const line = new Line(listener);
      lines.push(line);
      return line;
    },
    maxWorkers: 1,
    maxTasksPerWorker: Infinity,
    idleTimeout: Infinity,
    startTimeout: Infinity,
    gracePeriod: 0,
  });
  pool.submit(plain, 0);
  await turn();
  await lines[0]!.says("ready");
  await lines[0]!.says("done", 1, 0, [0], undefined, undefined, 0);
  return { pool, lines };
}

/** The host looks at a silent process until it has asked so many questions. */
async function lookUntilAsked(
  clock: FakeClock,
  line: Line,
  questions: number,
): Promise<void> {
  for (let look = 0; line.asked.length < questions && look < 20; look++) {
    clock.pass(LOOK_MS);
    await turn();
  }
}

Deno.test("Scheduler waits for all answers of a silent process before it gives that up", async () => {
  using clock = new FakeClock();
  const { pool, lines } = await begin();
  const line = lines[0]!;
  const first = pool.submit(plain, 1);
  const controller = new AbortController();
  const second = pool.submitWith({ signal: controller.signal }, plain, 2);
  await turn();
  controller.abort();
  assertEquals(line.asked, [[2, 3]]);
  await lookUntilAsked(clock, line, 2);
  assertEquals(line.asked, [[2, 3], [1, 3]]);

  await line.says("revoked", 2, [0]);
  assertEquals([line.closed, first.done(), second.done()], [
    false,
    false,
    true,
  ]);
  await line.says("revoked", 1, [0, 0]);
  assertEquals([line.closed, first.done()], [true, false]);

  clock.pass(1);
  await turn();
  const next = lines[1]!;
  await next.says("ready");
  await next.says("done", 1, 0, [1], undefined, undefined, 0);
  assertEquals(await first, 1);
  await pool.terminate();
});

Deno.test("Scheduler fails a call that moved something and comes back from a process that goes on", async () => {
  using clock = new FakeClock();
  const { pool, lines } = await begin();
  const line = lines[0]!;
  const buffer = new ArrayBuffer(1);
  const moved = pool.submit(plain, 1, transfer(buffer, [buffer]));
  await turn();
  const behind = pool.submit(plain, 2);
  await turn();
  await lookUntilAsked(clock, line, 1);
  assertEquals(line.asked, [[1, 3]]);
  // It has gone on just then, behind what was revoked.
  await line.says("revoked", 1, [0, 1]);
  await line.says("done", 3, 0, [2], undefined, undefined, 1);
  const error = await assertRejects(() => moved.result(), WorkerCrashedError);
  assertEquals(
    error.message,
    "Worker 'fake-1' was silent and gave back task 'plain', whose arguments were moved and cannot be sent again",
  );
  assertEquals(await behind, 2);
  assertEquals(line.closed, false);
  await pool.terminate();
});

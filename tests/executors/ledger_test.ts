// What a host knows of what it has sent one worker.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { CancelledError } from "../../mod.ts";
import type { Job } from "../../executors/job/job.ts";
import type { HostSlots } from "../../executors/pool/channel.ts";
import { PoolFunction } from "../../executors/pool/host/functions.ts";
import { Ledger } from "../../executors/pool/host/ledger.ts";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import { SLOT_COUNT, Slots } from "../../executors/pool/wire/slots.ts";

const FN = new PoolFunction(0, { kind: "source", source: "", name: "" });

/** A job, as far as a ledger looks at it. */
function makeJob(count: number, transfers = false): Job {
  const job = {
    count,
    transfers,
    position: -1,
    options: { timeout: Infinity },
    settled: false,
    holder: {},
    split(kept: number): Job {
      const rest = makeJob(job.count - kept);
      job.count = kept;
      return rest;
    },
  };
  return job as unknown as Job;
}

/** A ledger of a worker that was sent jobs of so many calls. */
function ledgerOf(slots: HostSlots, ...counts: number[]): [Ledger, Job[]] {
  const ledger = new Ledger(slots, 100);
  const jobs = counts.map((count) => makeJob(count));
  for (const job of jobs) {
    ledger.reserve(job.count, 2);
    ledger.add(job, FN, 2);
  }
  return [ledger, jobs];
}

/** The slots of a thread, from both sides. */
function makeSlots(): { host: Slots; worker: Slots } {
  const memory = Slots.allocate();
  return { host: new Slots(memory), worker: new Slots(memory) };
}

/** The numbers that a ledger keeps. */
function sums({ quota, count, load, places }: Ledger): number[] {
  return [quota, count, load, places];
}

Deno.test("Ledger.release() gives back what reserve() took", () => {
  const [ledger] = ledgerOf(makeSlots().host);
  ledger.reserve(3, 2);
  assertEquals(sums(ledger), [97, 3, 6, 0]);
  ledger.release(3, 2);
  assertEquals(sums(ledger), [100, 0, 0, 0]);
});

Deno.test("Ledger.add() gives each job the next position", () => {
  const [ledger, jobs] = ledgerOf(makeSlots().host, 1, 3);
  assertEquals(jobs.map(({ position }) => position), [0, 1]);
  assertEquals([ledger.left(0), ledger.left(1)], [1, 3]);
  assertEquals(sums(ledger), [96, 4, 8, 2]);
  assert(ledger.has(jobs[1]!));
});

Deno.test("Ledger refuses what it has no place for", () => {
  const [ledger] = ledgerOf(makeSlots().host, ...Array(SLOT_COUNT).fill(1));
  assertThrows(() => ledger.add(makeJob(1), FN, 1), RangeError);
});

Deno.test("Ledger.ended() forgets a job with its last call", () => {
  const [ledger, [job]] = ledgerOf(makeSlots().host, 2);
  ledger.ended(0, 1);
  assert(ledger.has(job!));
  ledger.ended(0, 1);
  assertEquals(ledger.has(job!), false);
  assertEquals(sums(ledger), [98, 0, 0, 1]);
});

Deno.test("Ledger.entered() is 'yes' or 'no' of a thread", () => {
  const { host, worker } = makeSlots();
  const [ledger] = ledgerOf(host, 3);
  worker.enter(0, 0);
  worker.enter(0, 1);
  const answers = [0, 1, 2].map((call) => ledger.entered(0, call));
  assertEquals(answers, ["yes", "yes", "no"]);
});

Deno.test("Ledger.entered() is 'maybe' of a process, until that has said so or is gone", () => {
  const slots = new AnnouncedSlots(() => true);
  const [ledger] = ledgerOf(slots, 1, 1);
  slots.sent(2);
  assertEquals([ledger.entered(0), ledger.entered(1)], ["maybe", "maybe"]);
  slots.hear(["entered", 0, 1]);
  assertEquals([ledger.entered(0), ledger.entered(1)], ["yes", "maybe"]);
  slots.workerGone();
  assertEquals([ledger.entered(0), ledger.entered(1)], ["yes", "no"]);
});

Deno.test("Ledger.running counts what was entered and has not ended, or may have been entered", () => {
  const { host, worker } = makeSlots();
  const [thread] = ledgerOf(host, 4, 1);
  for (let n = 0; n < 3; n++) worker.enter(0, n);
  thread.ended(0, 1);
  assertEquals(thread.running, 2);
  const [process] = ledgerOf(new AnnouncedSlots(() => true), 4, 1);
  assertEquals(process.running, 5);
});

Deno.test("Ledger.revoke() returns what a thread has not entered", () => {
  const { host, worker } = makeSlots();
  const [ledger, [first, second]] = ledgerOf(host, 3, 2);
  worker.enter(0, 0);
  const rest = ledger.revoke(first!);
  assertEquals([first!.count, rest?.count, ledger.left(0)], [1, 2, 1]);
  assertEquals(ledger.revoke(second!), second);
  assertEquals(second!.holder, undefined);
  assertEquals(sums(ledger), [99, 1, 2, 2]);
  assertEquals([worker.enter(0, 1), worker.enter(1, 0)], [false, false]);
});

Deno.test("Ledger.revoke() returns nothing of what a process may have entered", () => {
  const slots = new AnnouncedSlots(() => true);
  const [ledger, [job]] = ledgerOf(slots, 2);
  slots.sent(2);
  assertEquals(ledger.revoke(job!), undefined);
  assertEquals(ledger.keep(job!, 1)?.count, 1);
});

Deno.test("Ledger.keep() believes nobody that what has ended was not entered", () => {
  const [ledger, [job]] = ledgerOf(makeSlots().host, 3);
  ledger.ended(0, 2);
  assertEquals(ledger.keep(job!, 0)?.count, 1);
  assertEquals([job!.count, ledger.has(job!)], [2, false]);
});

Deno.test("Ledger.revokeAll() leaves what moves something with its worker, if the rest is to be sent", () => {
  const [ledger] = ledgerOf(makeSlots().host);
  const moved = makeJob(1, true);
  const job = makeJob(1);
  for (const next of [moved, job]) {
    ledger.reserve(1, 1);
    ledger.add(next, FN, 1);
  }
  assertEquals(ledger.revokeAll("sendable"), [job]);
  assertEquals(ledger.revokeAll("all"), [moved]);
});

Deno.test("Ledger.withdraw() gives the place of the newest job to the next", () => {
  const [ledger, [, second]] = ledgerOf(makeSlots().host, 1, 1);
  ledger.stops.set(1, { reason: new CancelledError("Stopped") });
  ledger.withdraw();
  assertEquals([ledger.has(second!), ledger.stops.size], [false, 0]);
  assertEquals(sums(ledger), [99, 1, 2, 1]);
  const third = makeJob(1);
  ledger.reserve(1, 2);
  ledger.add(third, FN, 2);
  assertEquals(third.position, 1);
});

Deno.test("Ledger.withdraw() counts a job that a getter has revoked once", () => {
  const [ledger, [job]] = ledgerOf(makeSlots().host, 1);
  ledger.revoke(job!);
  ledger.withdraw();
  assertEquals(sums(ledger), [100, 0, 0, 0]);
});

Deno.test("Ledger.isPast() is true once a later job was entered, or a report is past the job", () => {
  const { host, worker } = makeSlots();
  const [ledger] = ledgerOf(host, 1, 1);
  assertEquals(ledger.isPast(0), false);
  worker.enter(1, 0);
  assertEquals([ledger.isPast(0), ledger.isPast(1)], [true, false]);
  ledger.head = 2;
  assertEquals(ledger.isPast(1), true);
});

Deno.test("Ledger.takeAll() empties every place", () => {
  const [ledger, [first, second]] = ledgerOf(makeSlots().host, 2, 1);
  ledger.ended(0, 1);
  assertEquals(ledger.takeAll(), [[first!, 1], [second!, 1]]);
  assertEquals([ledger.count, ledger.load, ledger.left(0)], [0, 0, 0]);
  assertEquals(ledger.takeAll(), []);
});

Deno.test("Ledger.define() is true for each function once", () => {
  const [ledger] = ledgerOf(makeSlots().host);
  assertEquals([ledger.define(FN), ledger.define(FN)], [true, false]);
  assertEquals(ledger.functions, 1);
});

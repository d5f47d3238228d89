// What a host knows of a process that it shares no memory with.
// @group processes

import { assert, assertEquals } from "@std/assert";
import { AnnouncedSlots } from "../../executors/pool/process/announced_slots.ts";
import type { ToHost } from "../../executors/pool/wire/protocol.ts";
import { SLOT_COUNT } from "../../executors/pool/wire/slots.ts";

/** Slots of a worker that is ready, and what it was asked. */
function ready(): { slots: AnnouncedSlots; asked: [number, number][] } {
  const asked: [number, number][] = [];
  const slots = new AnnouncedSlots((from, to) => {
    asked.push([from, to]);
    return true;
  });
  slots.hear(["ready"]);
  return { slots, asked };
}

/** Sends so many jobs in one message, the first at a position; returns whether they are announced. */
function send(
  slots: AnnouncedSlots,
  position: number,
  count: number,
  announced = false,
): boolean {
  for (let i = 0; i < count; i++) slots.send(position + i, announced);
  return slots.sent(count);
}

/** A report that the worker is past all jobs before a position. */
function done(position: number): ToHost {
  return ["done", position, 0, [], undefined, undefined, 0];
}

/** Whether the first call of the job at each position has been entered. */
function entered(slots: AnnouncedSlots, positions: number[]): string[] {
  return positions.map((position) => slots.entered(position, 0));
}

Deno.test("AnnouncedSlots has announced what is not alone, or is to be", () => {
  const { slots } = ready();
  assertEquals(send(slots, 0, 1), false);
  assertEquals(send(slots, 1, 1), true);
  slots.hear(done(2));
  assertEquals(send(slots, 2, 1), false);
  slots.hear(done(3));
  assertEquals(send(slots, 3, 1, true), true);
  slots.hear(done(4));
  assertEquals(send(slots, 4, 2), true);
  const starting = new AnnouncedSlots(() => true);
  assertEquals(send(starting, 0, 1), true);
});

Deno.test("AnnouncedSlots knows of no call that was not announced whether it was entered, as long as the worker lives", () => {
  const { slots } = ready();
  send(slots, 0, 3);
  slots.hear(["entered", 0, 1]);
  for (const position of [0, 1, 2]) {
    assertEquals(slots.revoke(position), undefined);
  }
  assertEquals(entered(slots, [0, 1, 2]), ["yes", "maybe", "maybe"]);
  assertEquals(slots.entered(0, 1), "maybe");
  slots.workerGone();
  assertEquals(entered(slots, [0, 1, 2]), ["yes", "no", "no"]);
  assertEquals([0, 1, 2].map((at) => slots.revoke(at)), [1, 0, 0]);
  assertEquals(slots.askToRevoke(1, 3), false);
});

Deno.test("AnnouncedSlots takes what is alone for entered, but not for surely entered", () => {
  const { slots } = ready();
  send(slots, 0, 1);
  assertEquals(entered(slots, [0]), ["maybe"]);
  // The worker says so when it is asked.
  slots.askToRevoke(0, 1);
  slots.hear(["revoked", 0, [1]]);
  assertEquals(entered(slots, [0]), ["yes"]);
  slots.workerGone();
  assertEquals(entered(slots, [0]), ["yes"]);
});

Deno.test("AnnouncedSlots takes what was alone for entered once the worker is gone", () => {
  const { slots } = ready();
  send(slots, 0, 1);
  slots.workerGone();
  assertEquals(entered(slots, [0]), ["yes"]);
});

Deno.test("AnnouncedSlots asks for nothing that has not left", () => {
  const { slots, asked } = ready();
  send(slots, 0, 2);
  // A getter of an argument that is being copied may want all back.
  slots.send(2, false);
  slots.send(3, false);
  assertEquals(slots.askToRevoke(0, 4), true);
  assertEquals(asked, [[0, 2]]);
  assertEquals(slots.askToRevoke(2, 4), false);
  slots.sent(2);
  assertEquals(slots.askToRevoke(2, 4), true);
  assertEquals(asked, [[0, 2], [2, 4]]);
});

Deno.test("AnnouncedSlots asks again only for what the last answer to come does not tell", () => {
  const { slots, asked } = ready();
  send(slots, 0, 10);
  assert(slots.askToRevoke(2, 6));
  assert(slots.askToRevoke(3, 5) && slots.askToRevoke(2, 6));
  assertEquals(asked, [[2, 6]]);
  assert(slots.askToRevoke(5, 8) && slots.askToRevoke(0, 3));
  assertEquals(asked, [[2, 6], [5, 8], [0, 3]]);
  // They are answered in this order.
  assertEquals(slots.question, [2, 6]);
  slots.hear(["revoked", 2, [0, 0, 0, 0]]);
  assertEquals(slots.question, [5, 8]);
  slots.hear(["revoked", 5, [0, 0, 0]]);
  slots.hear(["revoked", 0, [1, 1, 0]]);
  assertEquals(slots.question, undefined);
  assert(slots.askToRevoke(0, 3));
  assertEquals(asked.length, 4);
});

Deno.test("AnnouncedSlots has no question that nobody was asked", () => {
  const slots = new AnnouncedSlots(() => false);
  send(slots, 0, 2);
  assertEquals(slots.askToRevoke(0, 2), false);
  assertEquals(slots.question, undefined);
});

Deno.test("AnnouncedSlots believes no late announcement of a place that is used again", () => {
  const { slots } = ready();
  send(slots, 0, 2);
  slots.hear(["entered", 0, 1]);
  slots.askToRevoke(0, 2);
  slots.hear(done(2));
  send(slots, SLOT_COUNT, 2);
  const again = [SLOT_COUNT, SLOT_COUNT + 1];
  assertEquals(entered(slots, again), ["maybe", "maybe"]);
  // What was asked for had ended.
  slots.hear(["revoked", 0, [1, 1]]);
  assertEquals(entered(slots, again), ["maybe", "maybe"]);
  slots.workerGone();
  assertEquals(entered(slots, again), ["no", "no"]);
});

Deno.test("AnnouncedSlots learns from last words what was not entered", () => {
  const { slots } = ready();
  // Alone as it is sent, and another behind it.
  send(slots, 0, 1);
  send(slots, 1, 1);
  slots.leaves(0);
  slots.workerGone();
  assertEquals(entered(slots, [0, 1]), ["no", "no"]);
});

Deno.test("AnnouncedSlots believes what was announced more than last words", () => {
  const { slots } = ready();
  send(slots, 0, 3);
  slots.hear(["entered", 0, 1]);
  slots.hear(["entered", 1, 1]);
  slots.leaves(0);
  slots.workerGone();
  assertEquals(entered(slots, [0, 1, 2]), ["yes", "yes", "no"]);
});

Deno.test("AnnouncedSlots takes nothing for entered that is sent to who is leaving", () => {
  const { slots } = ready();
  slots.leaves();
  send(slots, 0, 1);
  slots.workerGone();
  assertEquals(entered(slots, [0]), ["no"]);
});

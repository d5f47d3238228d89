// How calls are written into messages, and how many of them.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { transfer } from "../../../mod.ts";
import type { Job } from "../../../executors/job/job.ts";
import {
  type Draft,
  writeCalls,
} from "../../../executors/nats/client/outgoing.ts";
import { Sizing } from "../../../executors/nats/client/sizing.ts";
import { MAX_CALLS } from "../../../executors/nats/messages.ts";
import { decodeValues } from "../../../executors/nats/values.ts";
import { isTransfer } from "../../../executors/transfer.ts";
import { forSeeds } from "../helpers/random.ts";

/** A job, as far as a writer looks at it. */
function makeJob(calls: unknown[][], chunkSize = 0): Job {
  const fn = (n: unknown) => n;
  const job = {
    fn,
    calls,
    options: { chunkSize },
    get count() {
      return job.calls.length;
    },
    get args() {
      return job.calls.flat();
    },
    transfers: calls.length === 1 && calls[0]!.some(isTransfer),
    split: (count: number) => makeJob(job.calls.splice(count), chunkSize),
  };
  return job as unknown as Job;
}

/** The arguments of all calls in a draft, as a node reads them. */
function read({ blocks }: Draft, arity: number): unknown[] {
  return blocks.flatMap(({ calls, bytes }) =>
    decodeValues(bytes, calls * arity)
  );
}

/** How many calls are in each block. */
function callsOf({ blocks }: Draft): number[] {
  return blocks.map(({ calls }) => calls);
}

Deno.test("writeCalls() puts plain values together, and others into blocks of their own", () => {
  const map = new Map([[1, 2]]);
  const jobs = [makeJob([[1], [2]]), makeJob([[3]]), makeJob([[map], [4]])];
  const draft = writeCalls(jobs);
  assertEquals(callsOf(draft), [3, 1, 1]);
  assertEquals(read(draft, 1), [1, 2, 3, map, 4]);
  assertEquals(draft.jobs.map(({ count }) => count), [2, 1, 1, 1]);
  assertEquals([draft.rest, draft.refused, draft.large], [[], [], false]);
});

Deno.test("writeCalls() copies, so that calls share nothing", () => {
  const shared = { n: 1 };
  const draft = writeCalls([makeJob([[shared, shared], [shared, shared]])]);
  const values = read(draft, 2) as { n: number }[];
  assertStrictEquals(new Set(values).size, 4);
  // What is not plain keeps what it shares within a call.
  const set = new Set([1]);
  const [a, b] = read(writeCalls([makeJob([[set, set]])]), 2);
  assertStrictEquals(a, b);
});

Deno.test("writeCalls() writes calls without arguments", () => {
  const draft = writeCalls([makeJob([[], []]), makeJob([[]])]);
  assertEquals(callsOf(draft), [3]);
  assertEquals(read(draft, 0), []);
});

Deno.test("writeCalls() leaves what does not fit for later, in order", () => {
  const text = (n: number) => `${n}`.repeat(250_000);
  const jobs = [
    makeJob([1, 2, 3, 4].map((n) => [text(n)])),
    makeJob([[text(5)]]),
  ];
  const draft = writeCalls(jobs);
  assertEquals(read(draft, 1), [text(1), text(2)]);
  assertEquals(draft.rest.flatMap(({ args }) => args), [
    text(3),
    text(4),
    text(5),
  ]);
  const small = writeCalls([makeJob([1, 2, 3].map((n) => [text(n)]))], 300_000);
  assertEquals(read(small, 1), [text(1)]);
  assert(!small.large);
});

Deno.test("writeCalls() lets a call that is too large travel alone", () => {
  const large = new Uint8Array(800_000);
  const draft = writeCalls([makeJob([[large], [1]])]);
  assertEquals([callsOf(draft), draft.large], [[1], true]);
  assertEquals(draft.rest.flatMap(({ args }) => args), [1]);
  const behind = writeCalls([makeJob([[1], [large], [2]])]);
  assertEquals([callsOf(behind), behind.large], [[1], false]);
  assertEquals(behind.rest.flatMap(({ args }) => args), [large, 2]);
  const plain = writeCalls([makeJob([["x".repeat(800_000)], [1]])]);
  assertEquals([callsOf(plain), plain.large], [[1], true]);
  assertEquals(plain.rest.flatMap(({ args }) => args), [1]);
});

Deno.test("writeCalls() refuses what cannot be cloned, and nothing else", () => {
  const jobs = [makeJob([[1], [() => 2], [3]])];
  const draft = writeCalls(jobs);
  assertEquals(read(draft, 1), [1, 3]);
  const [[job, error]] = draft.refused as [[Job, Error]];
  assertStrictEquals(job.count, 1);
  assert(error.message.startsWith("Cannot send argument 1 "), error.message);
});

Deno.test("writeCalls() writes what was moved again, if it has to travel again", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const job = makeJob([[transfer(bytes, [bytes.buffer])]]);
  const [first] = read(writeCalls([job]), 1);
  assertStrictEquals(bytes.length, 0);
  assertEquals(first, new Uint8Array([1, 2, 3]));
  assertEquals(read(writeCalls([job]), 1), [first]);
});

Deno.test("writeCalls() loses no call, and changes no order", async () => {
  await forSeeds(200, (random) => {
    let calls = 0;
    const makeValue = () => {
      const text = "x".repeat(random.pick([1, 1, 1000, 90_000, 200_000]));
      const value = { n: calls++, text };
      return random.below(3) > 0 ? value : new Map([[value, value]]);
    };
    const arity = 1 + random.below(2);
    const made: unknown[] = [];
    let jobs = Array.from(
      { length: 1 + random.below(6) },
      () =>
        makeJob(Array.from({ length: 1 + random.below(8) }, () => {
          const args = Array.from({ length: arity }, makeValue);
          made.push(...args);
          return args;
        })),
    );
    const room = random.pick([700_000, 150_000]);
    const written: unknown[] = [];
    while (jobs.length > 0) {
      const draft = writeCalls(jobs, room);
      const inJobs = draft.jobs.reduce((sum, { count }) => sum + count, 0);
      const inBlocks = callsOf(draft).reduce((a, b) => a + b, 0);
      assertStrictEquals(inJobs, inBlocks);
      assert(inJobs > 0, "it gets on");
      const size = draft.blocks.reduce(
        (sum, { bytes }) => sum + bytes.length,
        0,
      );
      assert(draft.large ? inBlocks === 1 : size <= room, `${size}`);
      written.push(...read(draft, arity));
      jobs = draft.rest;
    }
    assertEquals(written, made);
  });
});

Deno.test("Sizing lets calls of which nothing is known travel alone", () => {
  const sizing = new Sizing();
  assertStrictEquals(sizing.callsOf(makeJob([[1]]), 1000, 4), 1);
});

Deno.test("Sizing lets about 10 ms of calls travel together", () => {
  const sizing = new Sizing();
  const job = makeJob([[1]]);
  const id = sizing.idOf(job);
  for (let i = 0; i < 10; i++) sizing.took(id, 1);
  assertStrictEquals(sizing.callsOf(job, 1000, 4), 10);
  sizing.took(id, 20);
  assertStrictEquals(sizing.callsOf(job, 1000, 4), 1, "slower at once");
  sizing.took(id, 0);
  assertStrictEquals(sizing.callsOf(job, 1000, 4), 2, "faster by quarters");
  for (let i = 0; i < 20; i++) sizing.took(id, 0);
  assertStrictEquals(sizing.callsOf(job, 100_000, 4), MAX_CALLS);
  // Each worker gets its share of what there is.
  assertStrictEquals(sizing.callsOf(job, 100, 4), 25);
  sizing.sent(id, 10, 1_000_000);
  assertStrictEquals(sizing.callsOf(job, 100_000, 4), 7, "700 kB of them");
});

Deno.test("Sizing does as chunkSize says", () => {
  const sizing = new Sizing();
  assertStrictEquals(sizing.callsOf(makeJob([[1]], 50), 1000, 100), 50);
  assertStrictEquals(sizing.callsOf(makeJob([[1]], 1000), 9, 9), MAX_CALLS);
});

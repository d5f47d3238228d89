// What a client knows of the calls that it has sent, by itself, and against a
// model that does anything in any order.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { CancelledError } from "../../../mod.ts";
import type { Job } from "../../../executors/job/job.ts";
import {
  type Batch,
  LOST,
  SENT,
  TAKEN,
} from "../../../executors/nats/client/batch.ts";
import { Ledger } from "../../../executors/nats/client/ledger.ts";
import { forSeeds, type Random } from "../helpers/random.ts";

/** A job, as far as a ledger looks at it: its calls have names. */
class TestJob {
  holder: Job["holder"] = undefined;
  position = 0;
  settled = false;
  names: string[];

  constructor(names: string[]) {
    this.names = names;
  }

  get count(): number {
    return this.names.length;
  }

  split(count: number): TestJob {
    const rest = new TestJob(this.names.splice(count));
    rest.settled = this.settled;
    return rest;
  }
}

function makeJob(...names: string[]): Job {
  return new TestJob(names) as unknown as Job;
}

/** The names of all calls of jobs. */
function namesOf(jobs: readonly Job[]): string[] {
  return jobs.flatMap((job) => (job as unknown as TestJob).names);
}

function makeLedger(maxDeliveries = 3) {
  const heard: string[] = [];
  const ledger = new Ledger("c", maxDeliveries, {
    stop: ({ node }, { id }, calls) =>
      heard.push(`${node} stop ${id} ${calls}`),
    unread: ({ node }, calls) => heard.push(`${node} unread ${calls}`),
    over: ({ id }) => heard.push(`over ${id}`),
    nameOf: (node) => node.toUpperCase(),
  });
  return { ledger, heard };
}

/** Gives outcomes to calls of a batch; returns which were open. */
function settle(
  ledger: Ledger,
  batch: Batch,
  from = 0,
  to = batch.count,
): string[] {
  const names: string[] = [];
  for (let at = from; at < to;) {
    const piece = ledger.settle(batch, at, to);
    if (piece === undefined) break;
    const { job, call, count } = piece;
    names.push(...namesOf([job]).slice(call, call + count));
    at = piece.at + count;
  }
  return names;
}

Deno.test("Ledger.take() gives a batch to the first node that asks, and to that one again", () => {
  const { ledger } = makeLedger();
  const batch = ledger.add([makeJob("a", "b"), makeJob("c")]);
  assertStrictEquals(ledger.running, 0);
  assertStrictEquals(ledger.take(batch.id, "n"), batch);
  assertStrictEquals(ledger.running, 3);
  const { ticket } = batch.holder!;
  assertStrictEquals(ledger.take(batch.id, "m"), undefined);
  assertStrictEquals(ledger.take(batch.id, "n")!.holder!.ticket, ticket);
  assertStrictEquals(ledger.take("other", "n"), undefined);
  assertStrictEquals(ledger.find(batch.id, "other"), undefined);
  assertStrictEquals(ledger.find(batch.id, ticket), batch);
});

Deno.test("Ledger.settle() takes each call once", () => {
  const { ledger, heard } = makeLedger();
  const batch = ledger.add([makeJob("a", "b"), makeJob("c")]);
  ledger.take(batch.id, "n");
  assertEquals(settle(ledger, batch, 1, 2), ["b"]);
  assertEquals(settle(ledger, batch), ["a", "c"]);
  assertEquals(settle(ledger, batch), []);
  assertEquals(heard, ["over 1"]);
  assert(ledger.isEmpty);
});

Deno.test("Ledger.lose() makes each call a job of its own, and counts", () => {
  const { ledger } = makeLedger(2);
  const batch = ledger.add([makeJob("a", "b", "c"), makeJob("d")]);
  ledger.take(batch.id, "n");
  settle(ledger, batch, 1, 2);
  const first = ledger.lose(batch, true);
  assertEquals(first.again.map((job) => namesOf([job])), [["a"], ["c"], ["d"]]);
  assertEquals(first.failed, []);
  assertStrictEquals(ledger.running, 3);
  assertStrictEquals(ledger.underway, 0);
  for (const job of first.again) {
    assert(ledger.travelsAlone(job));
    assert(job.holder!.entered(job, 0), "it may have been begun");
    assertStrictEquals(job.holder!.revoke(job), undefined);
  }
  const [a, c, d] = first.again as [Job, Job, Job];
  // What is not the fault of a node does not count.
  const again = ledger.add([a]);
  ledger.take(again.id, "m");
  assertEquals(ledger.lose(again, false), { again: [a], failed: [] });
  const last = ledger.add([a]);
  ledger.take(last.id, "o");
  assertEquals(ledger.lose(last, true), { again: [], failed: [a] });
  // Nobody waits for an outcome of that any more.
  assertEquals(settle(ledger, batch, 0, 1), []);
  assertEquals(settle(ledger, batch), ["c", "d"]);
  assert(ledger.hasEnded(c) && ledger.hasEnded(d));
  assert(ledger.isEmpty);
});

Deno.test("Ledger.settle() takes an outcome that comes late, and nobody gets the call again", () => {
  const { ledger, heard } = makeLedger();
  const old = ledger.add([makeJob("a", "b")]);
  ledger.take(old.id, "n");
  const [a, b] = ledger.lose(old, true).again as [Job, Job];
  const fresh = ledger.add([a]);
  assertEquals(settle(ledger, old, 0, 1), ["a"]);
  assertStrictEquals(ledger.take(fresh.id, "m"), undefined);
  const other = ledger.add([b]);
  assertStrictEquals(ledger.take(other.id, "m"), other);
  assertEquals(settle(ledger, other), ["b"]);
  assertEquals(settle(ledger, old), []);
  assertEquals(heard, ["over 2", "over 1", "over 3"]);
});

Deno.test("Ledger.lose() fails what may have been begun if nothing is to run twice", () => {
  const { ledger } = makeLedger(1);
  const job = makeJob("a");
  assert(ledger.travelsAlone(job));
  const batch = ledger.add([job]);
  ledger.take(batch.id, "n");
  assertEquals(ledger.lose(batch, false), { again: [], failed: [job] });
  assert(ledger.isEmpty);
});

Deno.test("Ledger.giveBack() returns what a node has not begun, as it was", () => {
  const { ledger, heard } = makeLedger();
  const batch = ledger.add([makeJob("a", "b", "c", "d"), makeJob("e")]);
  ledger.take(batch.id, "n");
  settle(ledger, batch, 1, 2);
  const { again: jobs, failed } = ledger.giveBack(batch, [2, 3, 4], false);
  assertEquals(failed, []);
  assertEquals(jobs.map((job) => namesOf([job])), [["c", "d"], ["e"]]);
  assert(jobs.every(({ holder }) => holder === undefined));
  assertEquals(settle(ledger, batch), ["a"]);
  assertEquals(heard, ["over 1"]);
});

Deno.test("Ledger.giveBack() returns what a node has begun, each call alone, as what may have been begun", () => {
  const { ledger, heard } = makeLedger();
  const batch = ledger.add([makeJob("a", "b", "c")]);
  ledger.take(batch.id, "n");
  settle(ledger, batch, 0, 1);
  const { again, failed } = ledger.giveBack(batch, [0, 1, 2], true);
  assertEquals([namesOf(again), failed], [["b", "c"], []]);
  assert(again.every((job) => ledger.mayHaveBegun(job)));
  assert(again.every((job) => job.holder!.entered(job, 0)));
  assertEquals(heard, ["over 1"]);
  // That was no loss with a node: it may be lost three times from now on.
  for (let losses = 1; losses <= 3; losses++) {
    const fresh = ledger.add([again[0]!]);
    ledger.take(fresh.id, "m");
    assertStrictEquals(
      ledger.lose(fresh, true).failed.length,
      losses === 3 ? 1 : 0,
    );
  }
});

for (const begun of [false, true]) {
  Deno.test(`Ledger.giveBack() forgets what was lost and nobody wants, begun ${begun}`, () => {
    const { ledger } = makeLedger();
    const old = ledger.add([makeJob("a")]);
    ledger.take(old.id, "n");
    const [job] = ledger.lose(old, true).again as [Job];
    const fresh = ledger.add([job]);
    ledger.take(fresh.id, "m");
    // A map that is left wants nothing any more, and has what runs go on.
    (job as unknown as TestJob).settled = true;
    job.holder!.revoke(job);
    for (const back of ledger.giveBack(fresh, [0], begun).again) {
      assert(ledger.hasEnded(back));
    }
    assert(ledger.isEmpty);
    assertStrictEquals(ledger.running, 0);
  });
}

Deno.test("Ledger.giveBack() fails what a node has begun if nothing is to run twice", () => {
  const { ledger } = makeLedger(1);
  const job = makeJob("a");
  const batch = ledger.add([job]);
  ledger.take(batch.id, "n");
  assertEquals(ledger.giveBack(batch, [0], true), { again: [], failed: [job] });
  assert(ledger.isEmpty);
  assertStrictEquals(ledger.running, 0);
});

Deno.test("Ledger.recall() returns what nobody has taken", () => {
  const { ledger } = makeLedger();
  const job = makeJob("a", "b");
  const batch = ledger.add([job]);
  assertEquals(ledger.recall(batch), [job]);
  assertStrictEquals(job.holder, undefined);
  assertStrictEquals(ledger.take(batch.id, "n"), undefined);
  const again = ledger.add([job]);
  ledger.take(again.id, "n");
  assertEquals(ledger.recall(again), []);
});

Deno.test("Batch.stop() has nobody begin a call, or its node stop it", () => {
  const { ledger, heard } = makeLedger();
  const [a, b] = [makeJob("a"), makeJob("b")];
  const batch = ledger.add([a, b]);
  batch.stop(a, new CancelledError());
  assertEquals(ledger.take(batch.id, "n")!.open, [1]);
  assertStrictEquals(b.holder!.name, "N");
  batch.stop(b, new CancelledError());
  assertEquals(heard, ["n stop 1 1", "over 1"]);
});

Deno.test("Batch.revoke() takes back what no node was told to begin", () => {
  const { ledger } = makeLedger();
  const [a, b, c] = [makeJob("a"), makeJob("b"), makeJob("c")];
  const batch = ledger.add([a, b, c]);
  assert(!batch.entered(a));
  assertStrictEquals(batch.revoke(a), a);
  assertStrictEquals(a.holder, undefined);
  (b as unknown as TestJob).settled = true;
  assertStrictEquals(batch.revoke(b), undefined);
  assertEquals(ledger.take(batch.id, "n")!.open, [2]);
  assert(batch.entered(c));
  assertStrictEquals(batch.revoke(c), undefined);
  const [again] = ledger.lose(batch, true).again as [Job];
  const other = ledger.add([again]);
  assert(other.entered(again), "it may have been begun before");
  assertStrictEquals(other.revoke(again), undefined);
});

Deno.test("Batch.revoke() asks the node for what nobody wants, and it may have begun", () => {
  const { ledger, heard } = makeLedger();
  const [a, b] = [makeJob("a"), makeJob("b")];
  const batch = ledger.add([a, b]);
  ledger.take(batch.id, "n");
  (a as unknown as TestJob).settled = true;
  assertStrictEquals(batch.revoke(a), undefined);
  assertEquals([batch.open, heard], [[0, 1], ["n unread 0"]]);
});

Deno.test("Ledger.takeAll() tells what may have been begun from what has not", () => {
  const { ledger } = makeLedger();
  const taken = ledger.add([makeJob("a", "b")]);
  ledger.take(taken.id, "n");
  ledger.add([makeJob("c")]);
  const { sent, begun } = ledger.takeAll();
  assertEquals([namesOf(sent), namesOf(begun)], [["c"], ["a", "b"]]);
  assert(ledger.isEmpty);
});

/** All that may happen to calls, in any order. */
class Model {
  readonly #random: Random;
  readonly #max: number;
  readonly #made: ReturnType<typeof makeLedger>;
  /** The jobs that wait. */
  queue: Job[] = [];
  /** What each call has been through. */
  readonly losses = new Map<string, number>();
  readonly begun = new Set<string>();
  readonly lost = new Set<string>();
  readonly outcomes = new Map<string, number>();
  readonly unwanted = new Set<string>();
  readonly jobs = new Set<Job>();
  /** Batches that nodes have, or had: they may answer at any time. */
  answering: { batch: Batch; ticket: string }[] = [];
  #calls = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#max = 1 + random.below(3);
    this.#made = makeLedger(this.#max);
  }

  get ledger(): Ledger {
    return this.#made.ledger;
  }

  get size(): number {
    return this.#calls;
  }

  step(): void {
    const steps = [
      () => this.#submit(),
      () => this.#send(),
      () => this.#send(),
      () => this.#take(),
      () => this.#take(),
      () => this.#answer(),
      () => this.#answer(),
      () => this.#lose(),
      () => this.#giveBack(),
      () => this.#recall(),
      () => this.#abort(),
      () => this.#cancel(),
    ];
    this.#random.pick(steps)();
    this.check();
  }

  /** Everything that waits runs, and nothing more is lost. */
  finish(): void {
    while (this.queue.length > 0 || !this.ledger.isEmpty) {
      this.#send();
      for (const batch of this.ledger.inState(SENT)) this.#takeBatch(batch);
      for (const batch of this.ledger.inState(TAKEN)) {
        this.#settle(batch, 0, batch.count);
      }
      for (const batch of this.ledger.inState(LOST)) {
        const waits = batch.callsOf((job) => this.queue.includes(job));
        assertEquals(batch.open, waits, "what is left waits");
      }
      this.check();
    }
  }

  check(): void {
    let running = 0;
    const places = new Map<string, number>();
    const note = (job: Job | undefined, call: number) => {
      const name = namesOf([job!])[call]!;
      places.set(name, (places.get(name) ?? 0) + 1);
    };
    for (const job of this.queue) {
      if (job.settled || this.ledger.hasEnded(job)) continue;
      if (this.ledger.mayHaveBegun(job)) running++;
      for (let call = 0; call < job.count; call++) note(job, call);
    }
    for (const state of [SENT, TAKEN] as const) {
      for (const batch of this.ledger.inState(state)) {
        for (const call of batch.open) {
          if (batch.entered(batch.job(call)!)) running++;
        }
        assertStrictEquals(batch.left, batch.open.length);
        for (const call of batch.open) {
          const job = batch.job(call)!;
          note(job, job.count === 1 ? 0 : call - job.position);
        }
      }
    }
    assertStrictEquals(this.ledger.running, running);
    assertStrictEquals(
      this.ledger.underway,
      this.ledger.inState(SENT).length + this.ledger.inState(TAKEN).length,
    );
    for (let call = 0; call < this.#calls; call++) {
      const name = `${call}`;
      const over = this.outcomes.has(name) || this.unwanted.has(name);
      assertStrictEquals(places.get(name) ?? 0, over ? 0 : 1, `call ${name}`);
    }
  }

  #submit(): void {
    const count = 1 + this.#random.below(5);
    const names = Array.from({ length: count }, () => `${this.#calls++}`);
    const job = makeJob(...names);
    this.jobs.add(job);
    this.queue.push(job);
  }

  #send(): void {
    this.queue = this.queue.filter((job) =>
      !job.settled && !this.ledger.hasEnded(job)
    );
    const first = this.queue[0];
    if (first === undefined) return;
    const jobs = [this.queue.shift()!];
    if (this.ledger.travelsAlone(first)) {
      if (first.count > 1) this.queue.unshift(first.split(1));
    } else {
      while (
        this.queue.length > 0 && !this.ledger.travelsAlone(this.queue[0]!) &&
        this.#random.below(2) === 0
      ) jobs.push(this.queue.shift()!);
    }
    this.ledger.add(jobs);
  }

  #take(): void {
    const sent = this.ledger.inState(SENT);
    if (sent.length > 0) this.#takeBatch(this.#random.pick(sent));
  }

  #takeBatch(batch: Batch): void {
    const node = `n${this.#random.below(3)}`;
    assertStrictEquals(this.ledger.take(batch.id, node), batch);
    this.answering.push({ batch, ticket: batch.holder!.ticket });
    for (const call of batch.open) {
      const job = batch.job(call)!;
      const name = namesOf([job])[job.count === 1 ? 0 : call - job.position]!;
      if (this.#max === 1) assert(!this.begun.has(name), "it runs once");
      this.begun.add(name);
      assert((this.losses.get(name) ?? 0) < this.#max);
    }
  }

  /** A node tells outcomes, perhaps of a batch that was lost, perhaps again. */
  #answer(): void {
    if (this.answering.length === 0) return;
    const { batch, ticket } = this.#random.pick(this.answering);
    if (this.ledger.find(batch.id, ticket) === undefined) return;
    const from = this.#random.below(batch.count);
    this.#settle(
      batch,
      from,
      from + 1 + this.#random.below(batch.count - from),
    );
  }

  #settle(batch: Batch, from: number, to: number): void {
    for (const name of settle(this.ledger, batch, from, to)) this.#end(name);
  }

  #end(name: string): void {
    assert(!this.outcomes.has(name), "each call has one outcome");
    assert(!this.unwanted.has(name));
    this.outcomes.set(name, 1);
  }

  #lose(): void {
    const taken = this.ledger.inState(TAKEN);
    if (taken.length === 0) return;
    const batch = this.#random.pick(taken);
    const counts = this.#random.below(2) === 0;
    const { again, failed } = this.ledger.lose(batch, counts);
    for (const job of [...again, ...failed]) {
      assertStrictEquals(job.count, 1);
      const [name] = namesOf([job]) as [string];
      this.lost.add(name);
      if (counts) this.losses.set(name, (this.losses.get(name) ?? 0) + 1);
      if (failed.includes(job)) {
        assert(this.#max === 1 || this.losses.get(name) === this.#max);
        this.#end(name);
      }
    }
    this.#putBack(again);
  }

  #giveBack(): void {
    // One that counts as lost may give back what is elsewhere by now.
    const given = [TAKEN, LOST].flatMap((state) =>
      this.ledger.inState(state as typeof TAKEN)
    );
    if (given.length === 0) return;
    const batch = this.#random.pick(given);
    const calls = Array.from({ length: batch.count }, (_, call) => call)
      .filter(() => this.#random.below(2) === 0);
    const begun = this.#random.below(2) === 0;
    const { again, failed } = this.ledger.giveBack(batch, calls, begun);
    for (const name of namesOf([...again, ...failed])) {
      if (begun) this.lost.add(name);
      else if (!this.lost.has(name)) this.begun.delete(name);
    }
    for (const name of namesOf(failed)) {
      assertStrictEquals(this.#max, 1);
      this.#end(name);
    }
    this.#putBack(again);
  }

  #recall(): void {
    const sent = this.ledger.inState(SENT);
    if (sent.length > 0) {
      this.#putBack(this.ledger.recall(this.#random.pick(sent)));
    }
  }

  #putBack(jobs: Job[]): void {
    for (const job of jobs) this.jobs.add(job);
    this.queue.unshift(...jobs);
  }

  /** The only call of a job is cancelled, if that can be. */
  #cancel(): void {
    const job = this.#pickAlone();
    if (job === undefined) return;
    const [name] = namesOf([job]) as [string];
    const isBegun = this.begun.has(name);
    if (job.holder !== undefined && job.holder.revoke(job) !== job) {
      assert(isBegun, "it was begun");
      return;
    }
    assert(!isBegun, "it was not begun");
    (job as unknown as TestJob).settled = true;
    this.unwanted.add(name);
  }

  /** The only call of a job is aborted, wherever it is. */
  #abort(): void {
    const job = this.#pickAlone();
    if (job === undefined) return;
    (job as unknown as TestJob).settled = true;
    this.unwanted.add(namesOf([job])[0]!);
    job.holder?.stop(job, new CancelledError());
  }

  #pickAlone(): Job | undefined {
    const alone = [...this.jobs].filter((job) =>
      job.count === 1 && !job.settled && !this.outcomes.has(namesOf([job])[0]!)
    );
    return alone.length === 0 ? undefined : this.#random.pick(alone);
  }
}

Deno.test("Ledger gives each call one outcome, whatever is lost", async () => {
  await forSeeds(400, (random) => {
    const model = new Model(random);
    for (let step = 0; step < 120; step++) model.step();
    model.finish();
    assertStrictEquals(
      model.outcomes.size + model.unwanted.size,
      model.size,
    );
    assertStrictEquals(model.ledger.running, 0);
    assertStrictEquals(model.ledger.underway, 0);
  });
});

// The queue of an executor, by itself.

import { assertEquals } from "@std/assert";
import { type Job, JobQueue } from "../../executors/job/mod.ts";
import { Executor } from "../../mod.ts";

/** An executor that only makes jobs. */
class JobMaker extends Executor {
  readonly #jobs: Job[] = [];

  /** A job of a call for each name, which gives the name. */
  job(...names: string[]): Job {
    this.map((name: string) => name, names, { bufferSize: Infinity })
      .catch(() => {});
    return this.#jobs.pop()!;
  }

  protected override enqueue(job: Job): void {
    this.#jobs.push(job);
  }

  protected override close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Enters all calls that wait; returns what they give. */
function enterAll(queue: JobQueue): unknown[] {
  const entered: unknown[] = [];
  for (let job = queue.enter(); job; job = queue.enter()) {
    entered.push(job.invoke(queue.call));
  }
  return entered;
}

/** Enters one call; returns what it gives. */
function enterOne(queue: JobQueue): unknown {
  return queue.enter()!.invoke(queue.call);
}

Deno.test("JobQueue enters the calls of jobs in their order", () => {
  const maker = new JobMaker();
  const queue = new JobQueue();
  queue.push(maker.job("a", "b"));
  queue.push(maker.job("c"));
  assertEquals([queue.length, queue.calls], [2, 3]);
  assertEquals(enterOne(queue), "a");
  assertEquals(queue.calls, 2);
  assertEquals(enterAll(queue), ["b", "c"]);
  assertEquals([queue.length, queue.calls], [0, 0]);
});

Deno.test("JobQueue.putBack() is in front of a job of which calls were entered", () => {
  const maker = new JobMaker();
  const queue = new JobQueue();
  queue.push(maker.job("a", "b", "c"));
  assertEquals(enterOne(queue), "a");
  queue.putBack([maker.job("back"), maker.job("again")]);
  assertEquals(queue.calls, 4);
  assertEquals(enterAll(queue), ["back", "again", "b", "c"]);
  assertEquals(queue.calls, 0);
});

Deno.test("JobQueue.shift() and takeAll() leave out calls that were entered", () => {
  const maker = new JobMaker();
  const queue = new JobQueue();
  queue.push(maker.job("a", "b", "c"));
  queue.push(maker.job("d"));
  assertEquals(enterOne(queue), "a");
  assertEquals(queue.shift()!.args, ["b", "c"]);
  assertEquals(queue.calls, 1);
  queue.push(maker.job("e", "f"));
  assertEquals(enterOne(queue), "d");
  assertEquals(enterOne(queue), "e");
  assertEquals(queue.takeAll().map(({ args }) => args), [["f"]]);
  assertEquals([queue.length, queue.calls], [0, 0]);
});

Deno.test("JobQueue.end() ends what waits, what comes back and what comes later", () => {
  const maker = new JobMaker();
  const queue = new JobQueue();
  const ended: unknown[] = [];
  queue.push(maker.job("a", "b"));
  assertEquals(enterOne(queue), "a");
  queue.end(({ args }) => ended.push(...args));
  queue.putBack([maker.job("back")]);
  queue.push(maker.job("late"));
  assertEquals(ended, ["b", "back", "late"]);
  assertEquals([queue.length, queue.calls], [0, 0]);
});

// @concurrent/futures/job, for authors of executors.

import { assertEquals } from "@std/assert";
import {
  decodeError,
  encodeError,
  type Job,
  loadFunction,
  referenceOf,
} from "@concurrent/futures/job";
import { CancelledError, Executor, task } from "../../mod.ts";
import { SerialExecutor } from "./helpers/serial_executor.ts";

Deno.test("the example of @concurrent/futures/job is the executor that the tests run", async () => {
  const read = (path: string) =>
    Deno.readTextFile(new URL(path, import.meta.url));
  const example = await read("../../executors/job/mod.ts");
  const tested = await read("./helpers/serial_executor.ts");
  const classIn = (text: string) =>
    /class SerialExecutor .*?\n}\n/s.exec(text)?.[0];
  assertEquals(
    classIn(example.replaceAll(/^ \* ?/gm, "")),
    classIn(tested),
  );
});

/** As a function comes from its module by name. */
export const double = task(import.meta, "double", (n: number) => 2 * n);

Deno.test("referenceOf() and loadFunction() take a function elsewhere, by name and by text", async () => {
  for (const fn of [double, (n: number) => 2 * n]) {
    const reference = structuredClone(referenceOf(fn));
    const found = await loadFunction(reference);
    assertEquals(found(21), 42);
  }
});

Deno.test("encodeError() and decodeError() keep what structured clone loses", () => {
  const error = new CancelledError("Not today", { cause: 42 });
  const decoded = decodeError(structuredClone(encodeError(error)));
  assertEquals(decoded instanceof CancelledError, true);
  assertEquals((decoded as CancelledError).cause, 42);
});

Deno.test("an executor that takes jobs apart gives outcomes by call", async () => {
  const jobs: Job[] = [];
  class ByHand extends Executor {
    protected override enqueue(job: Job): void {
      jobs.push(job);
    }
    protected override close(): Promise<void> {
      return Promise.resolve();
    }
  }
  const executor = new ByHand();
  const results = executor.map((a: number, b: number) => a + b, [1, 2, 3], [
    4,
    5,
    6,
  ]);
  const [first] = jobs;
  assertEquals([first!.count, first!.args], [3, [1, 4, 2, 5, 3, 6]]);
  const rest = first!.split(1);
  assertEquals([rest.count, rest.args], [2, [2, 5, 3, 6]]);
  for (const job of [rest, first!]) {
    for (let call = job.count - 1; call >= 0; call--) {
      assertEquals(job.start(), true);
      job.resolve(job.invoke(call), call);
    }
  }
  assertEquals(await results, [5, 7, 9]);
  assertEquals(first!.start() && rest.start(), false);
  await executor.shutdown();
});

Deno.test("SerialExecutor makes one call after another", async () => {
  await using executor = new SerialExecutor();
  assertEquals(executor.maxWorkers, 1);
  const events: string[] = [];
  const step = async (n: number) => {
    events.push(`begin ${n}`);
    await Promise.resolve();
    events.push(`end ${n}`);
  };
  const futures = [1, 2].map((n) => executor.submit(step, n));
  assertEquals(futures.map(({ state }) => state), ["pending", "pending"]);
  await Promise.all(futures);
  assertEquals(events, ["begin 1", "end 1", "begin 2", "end 2"]);
});

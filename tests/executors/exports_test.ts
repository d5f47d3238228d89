// The public surface, and the family of errors.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import * as futures from "../../mod.ts";

/** Each error class with the one that it extends. */
const FAMILY = {
  ConcurrentError: "Error",
  CancelledError: "ConcurrentError",
  TimeoutError: "ConcurrentError",
  InvalidStateError: "ConcurrentError",
  ShutdownError: "ConcurrentError",
  TaskNotFoundError: "ConcurrentError",
  BrokenExecutorError: "ConcurrentError",
  WorkerCrashedError: "BrokenExecutorError",
  WorkerTerminatedError: "BrokenExecutorError",
} as const;

Deno.test("mod.ts exports what the contract names, and nothing else", () => {
  assertEquals(
    Object.keys(futures).toSorted(),
    [
      "ALL_COMPLETED",
      "Executor",
      "FIRST_COMPLETED",
      "FIRST_EXCEPTION",
      "Future",
      "ProcessPoolExecutor",
      "PromisePoolExecutor",
      "WorkerPoolExecutor",
      "asCompleted",
      "currentTask",
      "task",
      "transfer",
      "wait",
      ...Object.keys(FAMILY),
    ].toSorted(),
  );
});

Deno.test("executors extend Executor", () => {
  assertInstanceOf(new futures.PromisePoolExecutor(), futures.Executor);
  assertInstanceOf(new futures.WorkerPoolExecutor(), futures.Executor);
});

for (const [name, parent] of Object.entries(FAMILY)) {
  Deno.test(`${name} extends ${parent}, and has its name, a message and a cause`, () => {
    const ErrorClass = futures[name as keyof typeof FAMILY];
    assertEquals(Object.getPrototypeOf(ErrorClass).name, parent);
    const error = new ErrorClass("What happened", { cause: "why" });
    assertInstanceOf(error, Error);
    assertEquals(error.name, name);
    assertEquals(error.message, "What happened");
    assertEquals(error.cause, "why");
    assertEquals(String(error), `${name}: What happened`);
    assert(error.stack?.startsWith(`${name}: What happened`));
    assertEquals(Object.keys(error), []);
  });
}

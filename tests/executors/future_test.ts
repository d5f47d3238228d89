// The states of a future, and who may change them.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  CancelledError,
  Future,
  type FutureWithResolvers,
  InvalidStateError,
} from "../../mod.ts";

/** One future for each way to get somewhere. */
const WAYS: Record<string, () => FutureWithResolvers<number>> = {
  pending: () => Future.withResolvers(),
  running: () => after(({ start }) => start()),
  cancelled: () => after(({ future }) => future.cancel()),
  failed: () => after(({ reject }) => reject(new Error("Failed"))),
  succeeded: () => after(({ resolve }) => resolve(42)),
};

function after(
  act: (made: FutureWithResolvers<number>) => unknown,
): FutureWithResolvers<number> {
  const made = Future.withResolvers<number>();
  act(made);
  return made;
}

/** What `ask` answers for a future that went each of the ways. */
function answers(
  ask: (made: FutureWithResolvers<number>) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(WAYS).map(([way, make]) => [way, ask(make())]),
  );
}

/** The name of what `fn` throws, or what it returns. */
function outcome(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return (error as Error).name;
  }
}

/** Questions, and the answers for pending, running, cancelled, failed, succeeded. */
const QUESTIONS: Record<string, unknown[]> = {
  state: ["pending", "running", "cancelled", "finished", "finished"],
  running: [false, true, false, false, false],
  done: [false, false, true, true, true],
  cancelled: [false, false, true, false, false],
};

for (const [name, expected] of Object.entries(QUESTIONS)) {
  Deno.test(`Future.${name} tells each state as it is`, () => {
    const asked = answers(({ future }) => {
      const member = future[name as "done" | "state"];
      return typeof member === "function" ? member.call(future) : member;
    });
    assertEquals(Object.values(asked), expected);
  });
}

Deno.test("Future.cancel() succeeds on pending and cancelled futures, and changes no other", () => {
  assertEquals(answers(({ future }) => [future.cancel(), future.state]), {
    pending: [true, "cancelled"],
    running: [false, "running"],
    cancelled: [true, "cancelled"],
    failed: [false, "finished"],
    succeeded: [false, "finished"],
  });
});

Deno.test("withResolvers() start() runs a pending future, and refuses what was started or has finished", () => {
  assertEquals(
    answers(({ future, start }) => [outcome(start), future.state]),
    {
      pending: [true, "running"],
      running: ["InvalidStateError", "running"],
      cancelled: [false, "cancelled"],
      failed: ["InvalidStateError", "finished"],
      succeeded: ["InvalidStateError", "finished"],
    },
  );
});

Deno.test("withResolvers() resolve() settles what is pending or runs, and refuses the rest", () => {
  assertEquals(
    answers(({ future, resolve }) => [
      outcome(() => resolve(1)),
      future.state,
    ]),
    {
      pending: [undefined, "finished"],
      running: [undefined, "finished"],
      cancelled: ["InvalidStateError", "cancelled"],
      failed: ["InvalidStateError", "finished"],
      succeeded: ["InvalidStateError", "finished"],
    },
  );
});

Deno.test("withResolvers() reject() settles what is pending or runs, and refuses the rest", () => {
  assertEquals(
    answers(({ future, reject }) => [
      outcome(() => reject(new Error("Late"))),
      future.state,
    ]),
    {
      pending: [undefined, "finished"],
      running: [undefined, "finished"],
      cancelled: ["InvalidStateError", "cancelled"],
      failed: ["InvalidStateError", "finished"],
      succeeded: ["InvalidStateError", "finished"],
    },
  );
});

Deno.test("withResolvers() refuses with an InvalidStateError that names the state", () => {
  const { resolve, reject } = WAYS.succeeded!();
  assertThrows(() => resolve(2), InvalidStateError, "finished");
  assertThrows(() => reject(2), InvalidStateError, "finished");
  const cancelled = WAYS.cancelled!();
  assertThrows(() => cancelled.resolve(2), InvalidStateError, "cancelled");
});

Deno.test("withResolvers() a refused outcome leaves the first one as it was", async () => {
  const succeeded = WAYS.succeeded!();
  assertThrows(() => succeeded.reject(new Error("Late")));
  assertEquals(await succeeded.future, 42);

  const failed = WAYS.failed!();
  assertThrows(() => failed.resolve(1));
  assertEquals((await failed.future.exception() as Error).message, "Failed");
});

Deno.test("withResolvers() functions work without their object", async () => {
  const { future, start, resolve } = Future.withResolvers<string>();
  const calls = [start, () => resolve("value")];
  for (const call of calls) call();
  assertEquals(await future, "value");
});

Deno.test("Future.cancel() makes its reason the cause", async () => {
  const { future } = Future.withResolvers<number>();
  const reason = { because: "not needed" };
  assert(future.cancel(reason));
  const error = await future.result().catch((error) => error);
  assert(error instanceof CancelledError);
  assertEquals(error.cause, reason);
});

Deno.test("Future.cancel() without a reason leaves no cause", async () => {
  const { future } = Future.withResolvers<number>();
  future.cancel();
  const error = await future.result().catch((error) => error);
  assertFalse("cause" in error);
});

Deno.test("Future.cancel() keeps the first reason", async () => {
  const { future } = Future.withResolvers<number>();
  let calls = 0;
  future.addDoneCallback(() => calls++);
  assert(future.cancel("first"));
  assert(future.cancel("second"));
  const error = await future.result().catch((error) => error);
  assertEquals(error.cause, "first");
  assertEquals(calls, 1);
});

Deno.test("Future.cancel() has called the callbacks when it returns", () => {
  const { future } = Future.withResolvers<number>();
  const seen: string[] = [];
  future.addDoneCallback((future) => seen.push(future.state));
  assert(future.cancel());
  assertEquals(seen, ["cancelled"]);
});

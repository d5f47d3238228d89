// What this project expects of @std/async: the real one where JSR answers, the
// stand-in elsewhere.

import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";

/** Longer than any test here may take. */
const LONG = 60_000;

Deno.test("delay() resolves after its time", async () => {
  const start = performance.now();

  assertEquals(await delay(30), undefined);

  // Timers are whole milliseconds, which they may round down to.
  assert(performance.now() - start > 28);
});

Deno.test("delay() rejects with the reason of its signal", async () => {
  const before = AbortSignal.abort(new RangeError("before"));
  const controller = new AbortController();
  const start = performance.now();

  const delayed = delay(LONG, { signal: controller.signal });
  controller.abort(new RangeError("meanwhile"));

  await assertRejects(() => delayed, RangeError, "meanwhile");
  await assertRejects(
    () => delay(LONG, { signal: before }),
    RangeError,
    "before",
  );
  assertLess(performance.now() - start, LONG);
});

Deno.test("delay() leaves nothing on its signal", async () => {
  const controller = new AbortController();

  await delay(1, { signal: controller.signal });

  controller.abort();
});

Deno.test("delay() can be longer than a timer", async () => {
  const controller = new AbortController();
  let isOver = false;

  const delayed = delay(2 ** 31 + 1, { signal: controller.signal })
    .finally(() => isOver = true);
  // setTimeout() takes such a time for none.
  await delay(20);

  assertEquals(isOver, false);
  controller.abort();
  await assertRejects(() => delayed, DOMException);
});

Deno.test("deadline() gives what the promise gives in time", async () => {
  const error = new RangeError();

  assertEquals(await deadline(Promise.resolve(1), LONG), 1);
  assertEquals(await deadline(Promise.resolve(1), Infinity), 1);
  assertStrictEquals(
    await assertRejects(() => deadline(Promise.reject(error), LONG)),
    error,
  );
});

Deno.test("deadline() rejects when the time is up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();

  const error = await assertRejects(() => deadline(promise, 1), DOMException);

  assertEquals(error.name, "TimeoutError");
  resolve();
});

Deno.test("deadline() rejects with the reason of its signal", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const controller = new AbortController();
  const { signal } = controller;

  const waiting = deadline(promise, LONG, { signal });
  controller.abort(new RangeError("meanwhile"));

  await assertRejects(() => waiting, RangeError, "meanwhile");
  await assertRejects(() => deadline(promise, LONG, { signal }), RangeError);
  resolve();
});

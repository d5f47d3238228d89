// What has been handed out can be collected as soon as nobody else keeps it,
// while the executor or the iterator that it came from lives on.

import { assertEquals } from "@std/assert";
import { KINDS, runProgram } from "./helpers/harness.ts";

/**
 * Says of each weak reference in the array that `source` evaluates to whether
 * what it refers to is collected in time. `executor` is what it came from.
 */
async function assertCollected(
  executor: string,
  source: string,
): Promise<void> {
  const output = await runProgram(
    `
    async function isCollected(ref) {
      for (let round = 0; round < 200 && ref.deref(); round++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
      }
      return ref.deref() === undefined;
    }
    const executor = ${executor};
    const refs = await (async () => { ${source} })();
    const collected = await Promise.all(refs.map(isCollected));
    await executor?.shutdown();
    console.log(collected.length > 0 && collected.every(Boolean));
    `,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(output, "true\n");
}

for (const { name } of KINDS) {
  const executor = `new futures.${name}({ maxWorkers: 1 })`;

  Deno.test(`${name} keeps no future and no value of submit()`, async () => {
    await assertCollected(
      executor,
      `const future = executor.submit(() => ({ large: true }));
       return [new WeakRef(future), new WeakRef(await future)];`,
    );
  });

  Deno.test(`${name} keeps no future and no value of submitWith()`, async () => {
    await assertCollected(
      executor,
      `const controller = globalThis.controller = new AbortController();
       const options = { signal: controller.signal, timeout: 3_600_000 };
       const future = executor.submitWith(options, () => ({ large: true }));
       return [new WeakRef(future), new WeakRef(await future)];`,
    );
  });

  Deno.test(`${name} keeps no error that a task threw`, async () => {
    await assertCollected(
      executor,
      `const future = executor.submit(() => { throw new Error("Failed"); });
       return [new WeakRef(future), new WeakRef(await future.exception())];`,
    );
  });

  Deno.test(`${name} keeps no arguments of a task that has ended, even if its future is kept`, async () => {
    await assertCollected(
      executor,
      `const arg = { large: true };
       globalThis.future = executor.submit((arg) => arg.large, arg);
       await future;
       return [new WeakRef(arg)];`,
    );
  });

  Deno.test(`${name} map() keeps no value that was read`, async () => {
    await assertCollected(
      executor,
      `const results = globalThis.results = executor.map((n) => ({ n }), [1, 2, 3, 4]);
       const read = async () => new WeakRef((await results.next()).value);
       return [await read(), await read(), await read()];`,
    );
  });

  Deno.test(`${name} keeps no map() that was left, whose signal has a listener that knows it`, async () => {
    await assertCollected(
      executor,
      `const { signal } = new AbortController();
       const results = executor.map((n) => n, [1, 2, 3, 4, 5, 6], { bufferSize: 2, signal });
       signal.addEventListener("abort", () => results.return());
       await results.next();
       return [new WeakRef(results), new WeakRef(signal)];`,
    );
  });

  Deno.test(`${name} map() keeps no input that was used`, async () => {
    await assertCollected(
      executor,
      `function* inputs() { while (true) yield { large: true }; }
       const refs = [];
       function* noted() { for (const input of inputs()) { refs.push(new WeakRef(input)); yield input; } }
       const results = globalThis.results = executor.map((input) => input.large, noted(), { bufferSize: 2 });
       for (let i = 0; i < 5; i++) await results.next();
       return refs.slice(0, 5);`,
    );
  });
}

Deno.test("asCompleted() keeps no future that it has yielded", async () => {
  await assertCollected(
    "undefined",
    `const made = Array.from({ length: 4 }, () => futures.Future.withResolvers());
     const completed = globalThis.completed = futures.asCompleted(made.map(({ future }) => future));
     globalThis.unfinished = made[3];
     made[0].resolve({});
     made[1].reject({});
     made[2].future.cancel();
     const read = async () => new WeakRef((await completed.next()).value);
     return [await read(), await read(), await read()];`,
  );
});

Deno.test("wait() keeps no future", async () => {
  await assertCollected(
    "undefined",
    `const made = [futures.Future.withResolvers(), futures.Future.withResolvers()];
     made[0].resolve({});
     const { done, notDone } = await futures.wait(made.map(({ future }) => future), { timeout: 1 });
     return [...done, ...notDone].map((future) => new WeakRef(future));`,
  );
});

Deno.test("Future keeps its value as long as it is kept itself", async () => {
  const output = await runProgram(
    `
    await using pool = new futures.WorkerPoolExecutor({ maxWorkers: 1 });
    const future = pool.submit(() => ({ large: true }));
    await future;
    for (let round = 0; round < 20; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      gc();
    }
    console.log(await future);
    `,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(output, "{ large: true }\n");
});

for (const value of ["{}", "new Map()", "new Uint8Array(1000)"]) {
  Deno.test(`WorkerPoolExecutor keeps no ${value} in an idle worker, once the task has ended`, async () => {
    const output = await runProgram(
      `
      await using executor = new futures.WorkerPoolExecutor({
        maxWorkers: 1,
        idleTimeout: 60_000,
      });
      const cells = new Int32Array(new SharedArrayBuffer(4));
      await executor.submit((cells, value) => {
        const ref = new WeakRef(value);
        const look = setInterval(() => {
          gc();
          if (ref.deref() === undefined) cells[0] = 1;
          else if (--cells[0] > -100) return;
          clearInterval(look);
        }, 5);
      }, cells, ${value});
      while (Atomics.load(cells, 0) <= 0 && cells[0] > -100) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log(cells[0]);
      `,
      ["--v8-flags=--expose-gc"],
    );
    assertEquals(output, "1\n");
  });
}

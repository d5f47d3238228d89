// Spans of tasks, as a collector gets them from Deno.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { collect, type Span } from "./helpers/collector.ts";
import { KINDS } from "./helpers/harness.ts";

/** The spans of tasks. */
function tasksOf(spans: readonly Span[]): Span[] {
  return spans.filter(({ scope }) => scope === "@concurrent/futures");
}

/** The spans in a span. */
function childrenOf({ id }: Span, spans: readonly Span[]): Span[] {
  return spans.filter(({ parent }) => parent === id);
}

function rootOf(spans: readonly Span[]): Span {
  const roots = spans.filter(({ parent }) => parent === "");
  assertEquals(roots.map(({ name }) => name), ["program"]);
  return roots[0]!;
}

for (const { name } of KINDS) {
  Deno.test(`${name}: a map() over two workers, with a fetch() in each call, is one tree of spans`, async () => {
    const { spans, lines } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 2 });
      async function ask(url) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return await (await fetch(url)).text();
      }
      const urls = Array(6).fill(url);
      console.log(await inSpan("program", () => pool.map(ask, urls)));`);
    assertEquals(lines.join(""), Deno.inspect(Array(6).fill("Yes")));
    const root = rootOf(spans);
    assert(spans.every(({ trace }) => trace === root.trace));
    const tasks = childrenOf(root, spans);
    assertEquals(tasks, tasksOf(spans).toSorted(byPlaceIn(tasks)));
    assertEquals(tasks.map(({ name }) => name), Array(6).fill("ask"));
    for (const task of tasks) {
      const { worker, ...rest } = task.attributes;
      assertEquals(rest, { executor: name, outcome: "finished", attempt: 1 });
      assertStrictEquals(typeof worker, "string");
      assertEquals(task.status.code, 0);
      const [fetched, ...others] = childrenOf(task, spans);
      assertEquals([fetched?.name, fetched?.kind, others], ["GET", 3, []]);
      // The server is Deno's too.
      assertEquals(childrenOf(fetched!, spans).length, 1);
    }
    const workers = new Set(tasks.map(({ attributes }) => attributes.worker));
    assertEquals(
      [...workers].toSorted(),
      name === "PromisePoolExecutor" ? ["main"] : ["worker-1", "worker-2"],
    );
    assertEquals(spans.length, 1 + 3 * 6);
  });

  Deno.test(`${name}: a map() or forEach() that is called in no span has one of its own`, async () => {
    const { spans } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 1 });
      function later(n) { return new Promise((resolve) => setTimeout(resolve, 1)); }
      await pool.map(later, [1, 2]);
      for await (const _ of pool.map(later, [1, 2, 3], { bufferSize: 1 })) break;
      await pool.forEach(later, [1, 2]);`);
    const tasks = tasksOf(spans);
    const maps = tasks.filter(({ parent }) => parent === "");
    const counts = maps.map((map) => [map.name, childrenOf(map, spans).length]);
    assertEquals(counts.toSorted(), [
      ["forEach(later)", 2],
      // As the first result is read, the second input is pulled.
      ["map(later)", 2],
      ["map(later)", 2],
    ]);
    assertStrictEquals(tasks.length, 3 + 6);
  });

  Deno.test(`${name}: the span of a task says what became of it`, async () => {
    const { spans } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 1, gracePeriod: 10 });
      await inSpan("program", async () => {
        await pool.submit(function fails() { throw new RangeError("Too far"); }).exception();
        const retry = { maxAttempts: 3 };
        await pool.submitWith({ retry }, function failsAgain() { throw new Error("Still"); }).exception();
        await pool.submit(function values() {});
        await pool.submitWith({ timeout: 20 }, function late() {
          return new Promise((resolve) => setTimeout(resolve, 200));
        }).exception();
        function waits() { return new Promise((resolve) => setTimeout(resolve, 60_000)); }
        const stop = new AbortController();
        const running = pool.submitWith({ signal: stop.signal }, waits);
        const pending = pool.submit(function isCancelled() {});
        while (!running.running()) await new Promise((resolve) => setTimeout(resolve, 1));
        pending.cancel();
        stop.abort();
        await running.exception().catch(() => {});
      });
      await pool.shutdown({ timeout: 0 });
      await server.shutdown();
      Deno.exit();`);
    const root = rootOf(spans);
    const tasks = tasksOf(spans);
    assert(tasks.every(({ parent }) => parent === root.id));
    const told = Object.fromEntries(
      tasks.map(({ name, attributes, status, events }) => {
        const { outcome, attempt, worker } = attributes;
        return [name, [
          outcome,
          attempt,
          worker !== undefined,
          status.code,
          events.length,
        ]];
      }),
    );
    assertEquals(told, {
      fails: ["failed", 1, true, 2, 1],
      failsAgain: ["failed", 3, true, 2, 3],
      waits: ["cancelled", 1, true, 0, 0],
      isCancelled: ["cancelled", 1, false, 0, 0],
      values: ["finished", 1, true, 0, 0],
      late: ["failed", 1, true, 2, 1],
    });
    const fails = tasks.find(({ name }) => name === "fails")!;
    assertEquals(fails.status.message, "Too far");
  });

  Deno.test(`${name}: each task is in the span that was active when it was submitted`, async () => {
    const { spans } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 1 });
      const wait = () => new Promise((resolve) => setTimeout(resolve, 1));
      const all = ["a", "b"].map((name) => inSpan(name, () => pool.submit(wait)));
      await Promise.all([...all, pool.submit(wait)]);`);
    const parents = tasksOf(spans).map(({ parent }) =>
      spans.find(({ id }) => id === parent)?.name
    );
    assertEquals(parents.toSorted(), ["a", "b", undefined]);
  });

  Deno.test(`${name}: a task may ask for the active span, and add to it`, async () => {
    const { spans, lines } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 1 });
      const ids = await pool.submit(async function adds() {
        const { context } = globalThis[Symbol.for("opentelemetry.js.api.1")];
        const active = () => context.active().getValue(Symbol.for("OpenTelemetry Context Key SPAN"));
        active().setAttribute("a", 1).setAttributes({ b: 2 }).addEvent("event")
          .setStatus({ code: 1 }).updateName("adds").recordException(new Error("No"));
        await null;
        return [active().spanContext().spanId, active().isRecording()];
      });
      console.log(ids[0]);`);
    assertEquals(tasksOf(spans).map(({ id }) => id), lines);
  });

  Deno.test(`${name}: where OpenTelemetry is off, nothing is sent, and no span is there`, async () => {
    const { spans, lines } = await collect(
      `
      await using pool = new futures.${name}({ maxWorkers: 1 });
      const look = () => Symbol.for("opentelemetry.js.api.1") in globalThis;
      console.log(await pool.map(look, [1, 2]));`,
      {},
    );
    assertEquals(lines, ["[ false, false ]"]);
    assertEquals(spans, []);
  });
}

for (const name of ["WorkerPoolExecutor", "ProcessPoolExecutor"]) {
  Deno.test(`${name}: a task that is lost with its worker has a span`, async () => {
    const { spans } = await collect(`
      await using pool = new futures.${name}({ maxWorkers: 1 });
      await pool.submit(function dies() { Deno.exit(1); }).exception();
      await pool.submit(function lives() {});`);
    const told = tasksOf(spans).map(({ name, attributes, status }) => [
      name,
      attributes.outcome,
      status.code,
    ]);
    assertEquals(told.toSorted(), [["dies", "failed", 2], [
      "lives",
      "finished",
      0,
    ]]);
  });
}

/** Sorts spans as those of a list are. */
function byPlaceIn(spans: readonly Span[]): (a: Span, b: Span) => number {
  const place = ({ id }: Span) => spans.findIndex((span) => span.id === id);
  return (a, b) => place(a) - place(b);
}
